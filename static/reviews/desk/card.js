// A card: the element that holds one trace and what is said of it. The desk's form is one; side by side each sample is.

export const cardsOf = (form) => (form.dataset.sides ? [...form.querySelectorAll("[data-side]")] : [form]);

/** A field of a card by its name, before which the assignment stands where several cards make one form. */
export const fieldOf = (card, name) => card.querySelector(`[name="${name}"], [name$="-${name}"]`);

export const textOf = (card) => card.querySelector("article");

/** The key of the lease on the card's trace: it names the draft, and makes a verdict sent twice one. */
export const leaseOf = (card) => fieldOf(card, "key").value;

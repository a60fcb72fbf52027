// What was ticked, marked, labelled and written for a trace, kept in this tab until its verdict is saved: it outlives a
// reload, a signing in and an undo.
import { fieldOf, leaseOf } from "./card.js";

// The lease names the draft: whoever gets the trace after this lease starts with an empty form.
const nameOf = (card) => `draft ${leaseOf(card)}`;
const boxesOf = (card) => [...card.querySelectorAll("input:is([type=checkbox], [type=radio])")];
const signOf = (box) => `${box.name} ${box.value}`;

/** more: what stands in no field, {marks, labels}. */
export function keepDraft(card, more) {
  const ticked = boxesOf(card).filter((box) => box.checked).map(signOf);
  const draft = { ticked, comment: fieldOf(card, "comment").value, ...more };
  try {
    if (Object.values(draft).some((said) => said.length)) sessionStorage.setItem(nameOf(card), JSON.stringify(draft));
    else sessionStorage.removeItem(nameOf(card));
  } catch { /* full or closed: the page itself still holds it */ }
}

/** Put a kept draft back into the card, and give its marks and labels. */
export function restoreDraft(card) {
  try {
    const draft = JSON.parse(sessionStorage.getItem(nameOf(card)));
    if (!draft) return {};
    for (const box of boxesOf(card)) box.checked = draft.ticked.includes(signOf(box));
    fieldOf(card, "comment").value = draft.comment;
    return draft;
  } catch { return {}; }
}

/** The drafts of these cards as they are kept, to go with their verdict: [[name, draft]]. */
export function draftsOf(cards) {
  try { return cards.map((card) => [nameOf(card), sessionStorage.getItem(nameOf(card))]).filter(([, draft]) => draft); }
  catch { return []; }
}

export function forgetDrafts(drafts) {
  try { for (const [name] of drafts) sessionStorage.removeItem(name); } catch { /* nothing was kept */ }
}

/** Their verdict was refused: whatever of it is still held comes back as it was left. */
export function putBackDrafts(drafts) {
  try { for (const [name, draft] of drafts) sessionStorage.setItem(name, draft); } catch { /* the list of refused verdicts has it */ }
}

// What was ticked, marked, labelled and written for a trace, kept in this tab until its verdict is saved: it outlives a
// reload, a signing in and an undo.

// The lease names the draft: whoever gets the trace after this lease starts with an empty form.
const nameOf = (form) => `draft ${form.elements.key.value}`;

export function keepDraft(form, marks, labels) {
  const ticked = [...form.querySelectorAll("input[type=checkbox]:checked")].map((box) => `${box.name} ${box.value}`);
  const draft = { ticked, marks, labels, comment: form.elements.comment.value };
  try {
    if (ticked.length || marks.length || labels.length || draft.comment) sessionStorage.setItem(nameOf(form), JSON.stringify(draft));
    else sessionStorage.removeItem(nameOf(form));
  } catch { /* full or closed: the page itself still holds it */ }
}

/** Put a kept draft back into the form, and give its marks and labels. */
export function restoreDraft(form) {
  try {
    const draft = JSON.parse(sessionStorage.getItem(nameOf(form)));
    if (!draft) return {};
    for (const box of form.querySelectorAll("input[type=checkbox]")) box.checked = draft.ticked.includes(`${box.name} ${box.value}`);
    form.elements.comment.value = draft.comment;
    return draft;
  } catch { return {}; }
}

export function forgetDraft(form) {
  try { sessionStorage.removeItem(nameOf(form)); } catch { /* nothing was kept */ }
}

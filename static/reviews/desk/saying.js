// What the reader is about to say of the trace in the frame: clauses ticked, passages marked, the views of it.
import { drawMarks, hasSelection, placeOf, selectedPieces } from "./evidence.js";
import { keepDraft, restoreDraft } from "./draft.js";

let form = null;
let marks = [];
let raw = false;

const article = () => form.querySelector("article");
const ticked = () => [...form.querySelectorAll("input[name=clauses]:checked")];
const boxOf = (clause) => form.querySelector(`input[name=clauses][value="${CSS.escape(clause)}"]`);

/** Marks count while their clause is ticked; ticking it again brings them back. */
export function marksStanding() {
  return marks.filter((mark) => boxOf(mark.clause)?.checked);
}

/** Begin with the trace in `opened`, or go on with what was kept of it. */
export function openSaid(opened) {
  form = opened;
  marks = restoreDraft(form);
  show();
}

export function changed() {
  keepDraft(form, marks);
  show();
}

export function toggle(which) {
  const box = form.querySelector(which);
  if (!box) return;
  box.checked = !box.checked;
  changed();
}

/** Tick the clause of a digit; whether there is one. */
export function reject(digit) {
  const box = form.querySelector(`[data-digit="${digit}"]`);
  if (!box) return false;
  box.checked = true;
  changed();
  return true;
}

/** Mark what is selected as evidence for the clause of a digit: true, false, or "elsewhere" for other text. */
export function mark(digit) {
  const pieces = selectedPieces(article());
  if (!pieces.length) return hasSelection(article()) && "elsewhere";
  const box = form.querySelector(`[data-digit="${digit}"]`);
  if (!box) return false;
  const known = new Set(marks.map((mark) => JSON.stringify(mark)));
  for (const piece of pieces) {
    const made = { clause: box.value, ...piece };
    if (!known.has(JSON.stringify(made))) marks.push(made);
  }
  box.checked = true;
  getSelection().removeAllRanges();
  changed();
  form.querySelector("[data-evidence]").lastElementChild?.scrollIntoView({ block: "nearest" });
  return true;
}

function show() {
  const digits = ticked().map((box) => box.dataset.digit);
  form.querySelector("[data-reject-words]").textContent = digits.length ? `Reject for ${digits.join(" ")}` : "Reject";
  const standing = marksStanding();
  form.elements.spans.value = JSON.stringify(standing);
  form.querySelector("[data-evidence]").replaceChildren(...standing.map(line));
  form.querySelector("[data-evidence-block]").hidden = !standing.length;
  drawMarks(article(), standing);
}

function line(mark) {
  const item = document.createElement("li");
  const quote = document.createElement("q");
  quote.textContent = mark.quote;
  const where = document.createElement("span");
  const clause = `clause ${boxOf(mark.clause).dataset.digit}`;
  where.textContent = `${clause}, ${placeOf(article(), mark)}`;
  const remove = document.createElement("button");
  Object.assign(remove, { type: "button", className: "plain", textContent: "✕" });
  remove.setAttribute("aria-label", `Remove this evidence for ${clause}`);
  remove.addEventListener("click", () => {
    marks = marks.filter((other) => other !== mark);
    changed();
    (form.querySelector("[data-evidence] button") ?? article()).focus({ preventScroll: true });
  });
  item.append(quote, where, remove);
  return item;
}

/** The next trace is shown as the last one was: raw stays raw. */
export function showRaw(trace) {
  trace.querySelector("[data-reading]").dataset.raw = String(raw);
  trace.querySelector("[data-raw-switch]")?.setAttribute("aria-pressed", String(raw));
}

export function toggleRaw(trace) {
  if (!trace) return;
  raw = !raw;
  showRaw(trace);
}

/** Open or close the spec's sheet on a narrow screen; whether that changed anything. */
export function toggleSheet(open = form?.dataset.sheet !== "open") {
  if (!form || (form.dataset.sheet === "open") === open) return false;
  form.dataset.sheet = open ? "open" : "";
  form.querySelector("[data-sheet-switch]").setAttribute("aria-expanded", String(open));
  return true;
}

/** Go one step on or back, and bring it into sight. */
export function walk(trace, way) {
  const steps = [...trace.querySelectorAll(".steps > li")];
  const at = steps.findIndex((step) => step.hasAttribute("aria-current"));
  const to = steps[Math.min(Math.max(at + way, 0), steps.length - 1)];
  if (!to) return;
  steps[at]?.removeAttribute("aria-current");
  to.setAttribute("aria-current", "step");
  to.scrollIntoView({ block: "nearest" });
}

// What the reader is about to say of the trace in the frame: clauses ticked, passages marked, the views of it.
import { keepDraft, restoreDraft } from "./draft.js";
import { drawMarks } from "./evidence.js";
import { startMarks } from "./marks.js";
import { firstWithout, labelsStanding, openLabels } from "./steps.js";
import { gettext } from "../words.js";

let form = null;
let marks = null;

const article = () => form.querySelector("article");
const ticked = () => [...form.querySelectorAll("input[name=clauses]:checked")];
const other = () => form.querySelector("[data-other]");
const clausesToJudge = () => [...form.querySelectorAll("[data-clause]")];

/** Begin with the trace in `opened`, or go on with what was kept of it. */
export function openSaid(opened) {
  form = opened;
  const draft = restoreDraft(form);
  marks = startMarks(form, draft.marks, { tick: (box) => setFails(box, true), changed });
  openLabels(article(), draft.labels);
  show();
}

export function changed() {
  keepDraft(form, { marks: marks.all(), labels: labelsStanding(article()) });
  show();
}

export function toggle(which) {
  const boxes = [...form.querySelectorAll(which)];
  if (!boxes.length) return;
  const next = boxes.find((box) => !box.checked);  // several remarks: each press ticks one more, then none
  if (next) next.checked = true;
  else for (const box of boxes) box.checked = false;
  changed();
}

export function toggleDigit(digit) {
  const box = form.querySelector(`[data-digit="${digit}"]`);
  if (!box) return;
  setFails(box, !box.checked);
  changed();
}

function setFails(box, fails) {
  box.checked = fails;
  const holds = form.querySelector(`input[name=holds][value="${CSS.escape(box.value)}"]`);
  if (holds && fails) holds.checked = false;
}

/** Tick the clause of a digit; whether there is one. */
export function reject(digit) {
  const box = form.querySelector(`[data-digit="${digit}"]`);
  if (!box) return false;
  setFails(box, true);
  changed();
  return true;
}

/** Where each clause is judged: say of the current one that it holds or fails, and go to the next. */
export function judgeClause(holds) {
  if (form.dataset.everyClause === undefined) return false;
  const item = currentClause() ?? clausesToJudge()[0];
  item.querySelector("input[name=holds]").checked = holds;
  item.querySelector("input[name=clauses]").checked = !holds;
  changed();
  return true;
}

const isJudged = (item) => Boolean(item.querySelector("input[name=holds]:checked, input[name=clauses]:checked"));
const currentClause = () => clausesToJudge().find((item) => !isJudged(item));

export const mark = (digit) => marks.add(digit);

/** What a box that was just ticked says of others. */
export function settle(box) {
  if (box.name === "holds" && box.checked) form.querySelector(`input[name=clauses][value="${CSS.escape(box.value)}"]`).checked = false;
}

const writeQuestion = () => gettext("Write the question in the comment first.");
const sayReason = () => gettext("Say in the comment what the other reason is.");

/** Whether it is the comment that is missing. */
export const needsComment = (missing) => [writeQuestion(), sayReason()].includes(missing);

/** What is missing for a verdict, in a sentence; empty where it can go. */
export function missingFor(verdict) {
  const labels = form.dataset.labels;
  if (verdict === "ask" && !form.elements.comment.value.trim()) return writeQuestion();
  if (form.dataset.stage === "answer-only") return "";
  if (verdict === "accept" && ticked().length) return gettext("An accept cites no clause: untick them, or reject.");
  if (verdict === "reject" && other().checked && !form.elements.comment.value.trim()) return sayReason();
  if (verdict === "reject" && !ticked().length && !other().checked) return gettext("A reject names the clause that fails: press its digit.");
  if (!["accept", "reject"].includes(verdict)) return "";
  if (form.dataset.everyClause !== undefined && currentClause()) return gettext("Say of each clause whether it holds or fails; one is left.");
  if (labels === "steps" && firstWithout(article())) return gettext("Step %(number)s has no label. Say of each step: good, neutral or wrong.", { number: firstWithout(article()) });
  return "";
}

/** Put what is not in a field of its own into the form, just before it is sent. */
export function fillIn({ seconds, shares: [share], pace }) {
  form.elements.seconds.value = seconds.toFixed(1);
  form.elements.shown_share.value = share.toFixed(4);
  form.elements.words_a_minute.value = pace === null ? "" : pace.toFixed(0);
  form.elements.spans.value = JSON.stringify(marks.standing());
  form.elements.steps.value = JSON.stringify(form.dataset.labels ? labelsStanding(article()) : []);
}

export function redraw() {
  show();
}

function show() {
  const digits = ticked().map((box) => box.dataset.digit);
  const reasons = other()?.checked ? [...digits, gettext("another reason")] : digits;
  form.querySelector("[data-reject-words]").textContent = reasons.length ? gettext("Reject for %(reasons)s", { reasons: reasons.join(" ") }) : gettext("Reject");
  for (const item of clausesToJudge()) item.removeAttribute("aria-current");
  if (form.dataset.everyClause !== undefined) currentClause()?.setAttribute("aria-current", "true");
  marks.show();
  drawMarks([marks]);
}

/** Open or close the spec's sheet on a narrow screen; whether that changed anything. */
export function toggleSheet(open = form?.dataset.sheet !== "open") {
  if (!form || (form.dataset.sheet === "open") === open) return false;
  form.dataset.sheet = open ? "open" : "";
  form.querySelector("[data-sheet-switch]").setAttribute("aria-expanded", String(open));
  return true;
}

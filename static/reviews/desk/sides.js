// Samples side by side: what the reader is about to say of each, which one is current, scrolling together, what differs.
import { cardsOf, fieldOf, textOf } from "./card.js";
import { added, wordsOf } from "./difference.js";
import { keepDraft, restoreDraft } from "./draft.js";
import { drawMarks, hasSelection } from "./evidence.js";
import { startMarks } from "./marks.js";
import { currentStep, selectStep, walk } from "./steps.js";
import { verdictWords } from "./verdicts.js";
import { gettext } from "../words.js";

let form = null;
let sides = [];  // from the left: {card, text, marks}
let following = false;

const current = () => sides.find(({ card }) => card.hasAttribute("aria-current")) ?? sides[0];
const isPicking = () => form.dataset.sides === "pick-best";
const isSaid = () => form.dataset.saved !== undefined;
const letterOf = (side) => side.card.dataset.side;
const verdictOf = ({ card }) => card.querySelector("[type=radio]:checked")?.value;
const clausesOf = ({ card }) => [...card.querySelectorAll("[data-digit]")];
const otherOf = ({ card }) => card.querySelector("[data-other]");
const ticked = (side) => clausesOf(side).filter((box) => box.checked);

/** Begin with the samples in `opened`, or go on with what was kept of them. */
export function openSaid(opened) {
  form = opened;
  form.noValidate = true;  // what is missing is said in our own sentence
  sides = cardsOf(form).map(openSide);
  show();
}

function openSide(card) {
  const draft = restoreDraft(card);
  const text = textOf(card);
  const tick = (box) => fail({ card }, box, true);
  const side = { card, text, marks: isPicking() ? null : startMarks(card, draft.marks, { tick, changed }) };
  card.querySelector("details").open = Boolean(draft.comment);
  text.addEventListener("scroll", () => together(text), { passive: true });
  for (const kind of ["pointerdown", "focusin"]) card.addEventListener(kind, () => makeCurrent(side));
  return side;
}

/** The text of the current sample. */
export const currentText = () => current()?.text;

export function changed() {
  for (const { card, marks } of sides) keepDraft(card, { marks: marks?.all() ?? [] });
  show();
}

export function redraw() {
  show();
}

function show() {
  if (isPicking()) return;
  for (const { marks } of sides) marks.show();
  drawMarks(sides.map(({ marks }) => marks));
}

function makeCurrent(side) {
  for (const { card } of sides) card === side.card ? card.setAttribute("aria-current", "true") : card.removeAttribute("aria-current");
}

/** To another sample, with the keys that scroll. */
function goTo(side) {
  if (!side) return;
  makeCurrent(side);
  side.text.focus();
}

function say(side, verdict) {
  side.card.querySelector(`[type=radio][value=${verdict}]`).checked = true;
  if (verdict === "reject") return;
  for (const box of [...ticked(side), otherOf(side)]) if (box) box.checked = false;
}

function fail(side, box, fails) {
  box.checked = fails;
  if (fails) say(side, "reject");
}

/** What a box or a verdict that was just chosen says of others. */
export function settle(box) {
  const side = { card: box.closest("[data-side]") };
  if (!side.card || !box.checked || isPicking()) return;
  if (box.type === "radio") say(side, box.value);
  else if (box.dataset.digit || box.dataset.other !== undefined) say(side, "reject");
}

/** Mark what is selected as evidence for the clause of a digit: true, false, or "elsewhere" for other text. */
export function mark(digit) {
  if (isPicking()) return false;
  let elsewhere = hasSelection(form.querySelector(".side-prompt")) && "elsewhere";
  for (const side of [current(), ...sides]) {
    const marked = side.marks.add(digit);
    if (marked === true) makeCurrent(side);
    if (marked === true) return true;
    elsewhere ||= marked;
  }
  return elsewhere;
}

/** Tick or untick the clause of a digit for the current sample; where the best is picked, pick that sample. */
export function obeyDigit(digit) {
  if (isPicking()) pick(digit);
  else toggleDigit(digit);
}

export function toggleDigit(digit) {
  const box = clausesOf(current())[Number(digit) - 1];
  if (!box || isSaid()) return;
  fail(current(), box, !box.checked);
  changed();
}

/** Pick a sample by its number, or none by 0. */
export function pick(digit) {
  const best = digit === "0" ? form.querySelector("[name=picked][value='']") : sides[Number(digit) - 1]?.card.querySelector("[name=picked]");
  if (!best || isSaid()) return;
  best.checked = true;
  changed();
}

export function openComment() {
  const { card } = current();
  card.querySelector("details").open = true;
  fieldOf(card, "comment").focus();
}

/** Tick another reason, which the comment names. */
function toggleOther() {
  const box = otherOf(current());
  if (!box || isSaid()) return;
  fail(current(), box, !box.checked);
  changed();
  if (box.checked) openComment();
}

/** Each press ticks one more remark of the current sample, then none. */
function toggleRemark() {
  const boxes = [...current().card.querySelectorAll("[data-remark]")];
  if (!boxes.length || isSaid()) return;
  const next = boxes.find((box) => !box.checked);
  if (next) next.checked = true;
  else for (const box of boxes) box.checked = false;
  changed();
}

/** Judge the current sample, and go on to one without a verdict; a reject waits for its clauses. */
function judge(verdict) {
  if (isPicking()) return false;
  if (isSaid()) return;
  say(current(), verdict);
  changed();
  if (verdict !== "reject") goTo(sides.find((other) => !verdictOf(other)));
}

const step = (way) => goTo(sides[sides.indexOf(current()) + way]);

/** What a key does here, by its action; false where it does nothing. */
export const doing = {
  "next-step": () => step(1),
  "step-before": () => step(-1),
  "select-step": selectOneMore,
  accept: () => judge("accept"),
  unsure: () => judge("unsure"),
  "bad-prompt": () => judge("bad-prompt"),
  other: toggleOther,
  remark: toggleRemark,
  skip: () => form.querySelector("[data-key=skip-look]").click(),
  reject: () => judge("reject"),
  comment: openComment,
  examples: () => { const spec = form.querySelector(".side-spec"); spec.open = !spec.open; },
};

/** The current step of the current sample; pressed again, the one after it, for here j and k go to other samples. */
function selectOneMore() {
  const { text } = current();
  const before = currentStep(text);
  if (before && hasSelection(before)) walk(text, 1);
  selectStep(text);
}

/** All samples at the same share of their length, where the reader wants that. */
function together(scrolled) {
  if (following || !form.querySelector("[data-together]")?.checked) return;
  following = true;
  const share = scrolled.scrollTop / Math.max(1, scrolled.scrollHeight - scrolled.clientHeight);
  for (const { text } of sides) {
    if (text !== scrolled) text.scrollTop = share * (text.scrollHeight - text.clientHeight);
  }
  requestAnimationFrame(() => requestAnimationFrame(() => { following = false; }));
}

/** Mark the words of each sample that the first one has not, or take the marks away. Gives why it could not. */
export function toggleDifference() {
  const button = form.querySelector("[data-difference]");
  if (!button) return "";
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  CSS.highlights?.delete("differs");
  if (!on) return "";
  const [first, ...others] = sides.map(wordsIn);
  const ranges = [];
  for (const side of others) {
    const fresh = added(first.words, side.words);
    if (!fresh) return gettext("These samples are too unlike for a difference to say anything.");
    for (const index of fresh) if (side.words[index].trim()) ranges.push(side.ranges[index]);
  }
  CSS.highlights?.set("differs", new Highlight(...ranges));
  return "";
}

function wordsIn({ text }) {
  const words = [];
  const ranges = [];
  for (const leaf of text.querySelectorAll(":is(.steps, .answer-text) [data-at]:not([data-to])")) {
    let at = 0;
    for (const word of wordsOf(leaf.firstChild?.data ?? "")) {
      const range = document.createRange();
      range.setStart(leaf.firstChild, at);
      range.setEnd(leaf.firstChild, at + word.length);
      at += word.length;
      words.push(word);
      ranges.push(range);
    }
  }
  return { words, ranges };
}

/** What is missing before all verdicts can go, in a sentence. */
export function missingFor() {
  if (isPicking()) return "";
  for (const side of sides) {
    const letter = letterOf(side);
    if (!verdictOf(side)) return gettext("Sample %(letter)s has no verdict yet.", { letter });
    if (otherOf(side).checked && !fieldOf(side.card, "comment").value.trim()) return gettext("Sample %(letter)s is rejected for another reason: say which in the comment.", { letter });
    if (verdictOf(side) === "reject" && !ticked(side).length && !otherOf(side).checked) return gettext("Sample %(letter)s is rejected without a clause: press its digit.", { letter });
  }
  return "";
}

/** Put what is not in a field of its own into the form, just before it is sent. */
export function fillIn({ seconds, shares, pace }) {
  for (const [place, { card, marks }] of sides.entries()) {
    fieldOf(card, "seconds").value = seconds.toFixed(1);
    fieldOf(card, "shown_share").value = shares[place].toFixed(4);
    fieldOf(card, "words_a_minute").value = pace === null ? "" : pace.toFixed(0);
    fieldOf(card, "spans").value = JSON.stringify(marks?.standing() ?? []);
  }
}

/** Whether the sample on this card is accepted, or picked. */
export const isAccepted = (card) => Boolean(card.querySelector("[type=radio][value=accept]:checked, [name=picked]:checked"));

/** What is said, in a few words: "A accept, B reject". */
export function inWords() {
  if (!isPicking()) return sides.map((side) => `${letterOf(side)} ${verdictWords(verdictOf(side))}`).join(", ");
  const best = sides.find(verdictOf);
  return best ? gettext("%(letter)s picked", { letter: letterOf(best) }) : gettext("none picked");
}

// Marked passages. Offsets are code points of the stored text. Every text node of a trace stands in an element that says
// where it comes from (data-at); what is not its own source, a formula, says where it ends too (data-to). So a mark is
// found again on the rendered view, on plain steps and on the raw text alike.
import { gettext } from "../words.js";

const sources = new WeakMap();

/** The code points of the stored text of a part, read once from its raw form. */
export function sourceOf(part) {
  if (sources.has(part)) return sources.get(part);
  const points = [];
  for (const leaf of part.querySelector("template[data-raw]").content.querySelectorAll("[data-at]")) {
    for (const run of leaf.dataset.chars?.split(" ") ?? []) {  // what cannot stand in the page, by code point and count
      const [code, times] = run.split("*");
      for (let time = 0; time < Number(times); time += 1) points.push(String.fromCodePoint(parseInt(code, 16)));
    }
    if (!leaf.dataset.chars) for (const point of leaf.textContent) points.push(point);
  }
  sources.set(part, points);
  return points;
}

const pointsIn = (text) => { let count = 0; for (const _ of text) count += 1; return count; };

function unitsAt(text, point) {
  let units = 0;
  for (; point > 0 && units < text.length; point -= 1) units += text.codePointAt(units) > 0xffff ? 2 : 1;
  return units;
}

const startOf = (leaf) => Number(leaf.dataset.at);
const endOf = (leaf) => (leaf.dataset.to ? Number(leaf.dataset.to) : startOf(leaf) + pointsIn(leaf.textContent));

/** What is selected in the trace, as pieces {part, start, end, quote}: one for each step it touches. */
export function selectedPieces(article) {
  const selection = getSelection();
  const pieces = [];
  for (let index = 0; index < selection.rangeCount; index += 1) {
    const range = selection.getRangeAt(index);
    if (range.collapsed) continue;
    for (const part of article.querySelectorAll("[data-part]")) {
      if (range.intersectsNode(part)) pieces.push(...piecesOf(part, range));
    }
  }
  return pieces;
}

function piecesOf(part, range) {
  const found = new Map();
  for (const leaf of part.querySelectorAll("[data-at]")) {
    if (!range.intersectsNode(leaf) || !leaf.checkVisibility()) continue;
    const [start, end] = selectedIn(leaf, range);
    if (end <= start) continue;
    const step = leaf.closest("[data-step]") ?? part;
    const piece = found.get(step);
    found.set(step, piece ? [Math.min(piece[0], start), Math.max(piece[1], end)] : [start, end]);
  }
  const source = sourceOf(part);
  return [...found.values()]
    .map(([start, end]) => ({ part: part.dataset.part, start, end, quote: source.slice(start, end).join("") }))
    .filter((piece) => piece.quote.trim());  // a triple click also touches the start of the next step
}

function selectedIn(leaf, range) {
  if (leaf.dataset.to) return [startOf(leaf), endOf(leaf)];
  const text = leaf.firstChild;
  if (!text) return [0, 0];
  const from = range.startContainer === text ? range.startOffset : range.comparePoint(text, 0) < 0 ? text.length : 0;
  const until = range.endContainer === text ? range.endOffset : range.comparePoint(text, text.length) > 0 ? 0 : text.length;
  const start = startOf(leaf) + pointsIn(text.data.slice(0, from));
  return [start, until > from ? start + pointsIn(text.data.slice(from, until)) : start];
}

/** Whether something is selected in the article at all, be it outside the texts that can be marked. */
export function hasSelection(article) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.rangeCount > 0 && selection.getRangeAt(0).intersectsNode(article);
}

/** The pieces of the page that show a mark, as ranges; formulas in it get an attribute, for no range paints them. */
export function rangesOf(article, mark) {
  const ranges = [];
  for (const part of article.querySelectorAll(`[data-part="${mark.part}"]`)) {
    for (const leaf of part.querySelectorAll("[data-at]")) {
      const at = startOf(leaf);
      if (at >= mark.end) continue;
      if (leaf.dataset.to) {
        if (Number(leaf.dataset.to) > mark.start) leaf.setAttribute("data-marked", "");
        continue;
      }
      const text = leaf.firstChild;
      if (!text || at + text.length <= mark.start) continue;  // in units, so never too few
      const from = unitsAt(text.data, mark.start - at);
      const until = unitsAt(text.data, mark.end - at);
      if (until <= from) continue;
      const range = document.createRange();
      range.setStart(text, from);
      range.setEnd(text, until);
      ranges.push(range);
    }
  }
  return ranges;
}

/** Draw the marks of all cards over their texts where the browser can, without touching their nodes. */
export function drawMarks(cards) {
  const ranges = [];
  for (const { text, standing } of cards) {
    for (const atom of text.querySelectorAll("[data-marked]")) atom.removeAttribute("data-marked");
    ranges.push(...standing().flatMap((mark) => rangesOf(text, mark)));
  }
  if (CSS.highlights) CSS.highlights.set("evidence", new Highlight(...ranges));
}

/** Move one end of a mark by a word: way -1 or 1, end "start" or "end". Gives the changed mark, or null at a border. */
export function moved(article, mark, end, way) {
  const source = sourceOf(article.querySelector(`[data-part="${mark.part}"]`));
  const isWord = (point) => point !== undefined && /[\p{L}\p{N}_]/u.test(point);
  let place = mark[end] + (way < 0 ? -1 : 0);
  const inside = () => place >= 0 && place < source.length;
  while (inside() && !isWord(source[place])) place += way;
  while (inside() && isWord(source[place])) place += way;
  const changed = { ...mark, [end]: way < 0 ? place + 1 : place };
  if (changed.start < 0 || changed.end > source.length || changed.start >= changed.end || changed[end] === mark[end]) return null;
  return { ...changed, quote: source.slice(changed.start, changed.end).join("") };
}

/** "step 3", "answer": where a mark stands, in the reader's words. */
export function placeOf(article, mark) {
  if (mark.part !== "reasoning") return mark.part === "answer" ? gettext("answer") : mark.part;
  const step = [...article.querySelectorAll("[data-step]")].findLast((item) => Number(item.dataset.from) <= mark.start);
  return step ? gettext("step %(number)s", { number: step.dataset.step }) : gettext("reasoning");
}

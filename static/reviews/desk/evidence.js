// Marked passages. Offsets are code points of the stored text; a mark over several steps is one for each step,
// because what stands between two steps is in the stored text and not on the page.

const codePoints = (text) => { let count = 0; for (const _ of text) count += 1; return count; };

/** What is selected in the trace, as pieces {part, start, end, quote}: one for each block it touches. */
export function selectedPieces(article) {
  const selection = getSelection();
  const pieces = [];
  for (let index = 0; index < selection.rangeCount; index += 1) {
    const selected = selection.getRangeAt(index);
    if (selected.collapsed) continue;
    for (const block of article.querySelectorAll("[data-part]")) {
      if (selected.intersectsNode(block) && block.checkVisibility()) pieces.push(...pieceOf(block, selected));
    }
  }
  return pieces;
}

function pieceOf(block, selected) {
  const inside = document.createRange();
  inside.selectNodeContents(block);
  const before = inside.cloneRange();
  if (inside.compareBoundaryPoints(Range.START_TO_START, selected) < 0) inside.setStart(selected.startContainer, selected.startOffset);
  if (inside.compareBoundaryPoints(Range.END_TO_END, selected) > 0) inside.setEnd(selected.endContainer, selected.endOffset);
  const quote = inside.toString();
  if (!quote.trim()) return [];  // a triple click also touches the start of the next step
  before.setEnd(inside.startContainer, inside.startOffset);
  const start = Number(block.dataset.start) + codePoints(before.toString());
  return [{ part: block.dataset.part, start, end: start + codePoints(quote), quote }];
}

/** Whether something is selected in the article at all, be it outside the texts that can be marked. */
export function hasSelection(article) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.rangeCount > 0 && selection.getRangeAt(0).intersectsNode(article);
}

/** Draw the marks over the text where the browser can, without touching its nodes. */
export function drawMarks(article, marks) {
  if (!CSS.highlights) return;
  const ranges = marks.flatMap((mark) => [...article.querySelectorAll(`[data-part="${mark.part}"]`)]
    .map((block) => rangeIn(block, mark)).filter(Boolean));
  CSS.highlights.set("evidence", new Highlight(...ranges));
}

function rangeIn(block, mark) {
  const text = block.firstChild;  // the text goes out escaped, so a block holds one text node
  if (text?.nodeType !== Node.TEXT_NODE) return null;
  const start = unitsAt(text.data, mark.start - Number(block.dataset.start));
  const end = unitsAt(text.data, mark.end - Number(block.dataset.start));
  if (start === null || end === null) return null;
  const range = document.createRange();
  range.setStart(text, start);
  range.setEnd(text, end);
  return range;
}

function unitsAt(text, point) {
  if (point < 0) return null;
  let units = 0;
  for (; point > 0 && units < text.length; point -= 1) units += text.codePointAt(units) > 0xffff ? 2 : 1;
  return point === 0 ? units : null;
}

/** "step 3", "answer": where a mark stands, in the reader's words. */
export function placeOf(article, mark) {
  if (mark.part !== "reasoning") return mark.part;
  const steps = [...article.querySelectorAll(".steps [data-part]")];
  const step = steps.findLast((block) => Number(block.dataset.start) <= mark.start);
  return step ? `step ${step.closest("li").value}` : "reasoning";
}

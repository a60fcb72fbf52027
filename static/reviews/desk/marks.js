// The passages marked on one card, and the list of them: made by a clause's digit, adjusted by arrows, removed.
import { textOf } from "./card.js";
import { hasSelection, moved, placeOf, selectedPieces } from "./evidence.js";
import { gettext } from "../words.js";

/**
 * Begin with marks that were kept, or none. tick: ticks the box of a clause for which evidence is marked. changed: called
 * after each change. Gives {text, all, standing, add, show}.
 */
export function startMarks(card, kept, { tick, changed }) {
  const text = textOf(card);
  const list = card.querySelector("[data-evidence]");
  let marks = kept ?? [];

  const boxOf = (clause) => card.querySelector(`input:is([data-digit], [data-remark])[value="${CSS.escape(clause)}"]`);

  /** Marks count while their clause is ticked; ticking it again brings them back. */
  const standing = () => marks.filter((mark) => boxOf(mark.clause)?.checked);

  /** Mark what is selected as evidence for the clause of a digit: true, false, or "elsewhere" for other text. */
  function add(digit) {
    const pieces = selectedPieces(text);
    if (!pieces.length) return hasSelection(text) && "elsewhere";
    const box = card.querySelector(`[data-digit="${digit}"]`);
    if (!box) return false;
    const known = new Set(marks.map((made) => JSON.stringify(made)));
    for (const piece of pieces) {
      const made = { clause: box.value, ...piece };
      if (!known.has(JSON.stringify(made))) marks.push(made);
    }
    tick(box);
    getSelection().removeAllRanges();
    changed();
    list.lastElementChild?.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** List the marks that stand. */
  function show() {
    const made = standing();
    list.replaceChildren(...made.map(line));
    list.closest("[data-evidence-block]").hidden = !made.length;
  }

  function line(mark) {
    const item = document.createElement("li");
    const quote = document.createElement("q");
    quote.textContent = mark.quote;
    quote.dir = "auto";
    const where = document.createElement("button");
    const { digit } = boxOf(mark.clause).dataset;
    const words = gettext("clause %(digit)s, %(place)s", { digit, place: placeOf(text, mark) });
    Object.assign(where, { type: "button", className: "plain", textContent: words });
    where.title = gettext("Arrows move its end by a word, with Shift its start; Delete removes it");
    where.addEventListener("keydown", (event) => adjust(event, mark));
    const remove = document.createElement("button");
    Object.assign(remove, { type: "button", className: "plain", textContent: "✕" });
    remove.setAttribute("aria-label", gettext("Remove this evidence for clause %(digit)s", { digit }));
    remove.addEventListener("click", () => forget(mark));
    item.append(quote, where, remove);
    return item;
  }

  /** Arrows on a mark: its end goes on or back by a word, with Shift its start. */
  function adjust(event, mark) {
    if (event.key === "Delete") return forget(mark);
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way) return;
    event.preventDefault();
    const made = moved(text, mark, event.shiftKey ? "start" : "end", way);
    if (!made) return;
    marks[marks.indexOf(mark)] = made;
    changed();
    list.querySelectorAll("li")[standing().indexOf(made)]?.querySelector("button").focus();
  }

  function forget(mark) {
    marks = marks.filter((made) => made !== mark);
    changed();
    (list.querySelector("button") ?? text).focus({ preventScroll: true });
  }

  return { text, all: () => marks, standing, add, show };
}

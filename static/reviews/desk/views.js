// How the trace in the frame is looked at: raw, wrapped, outline, examples, the system prompt as a difference.
import { added, wordsOf } from "./difference.js";

const kept = { raw: false, wrap: true, examples: false };  // the next trace is shown as the last one was
let lastSystem = null;

/** Show a trace in the way that the one before was shown. */
export function showAsBefore(article) {
  show(article);
  sayWhatRepeats(article);
}

function show(article) {
  for (const part of article.querySelectorAll("[data-views]")) {
    const raw = part.querySelector(".raw");
    if (kept.raw && !raw.firstChild) raw.append(part.querySelector("template[data-raw]").content.cloneNode(true));
    raw.hidden = !kept.raw;
    for (const view of part.querySelectorAll(":scope > .steps, :scope > .answer-text")) view.hidden = kept.raw;
  }
  article.querySelector("[data-raw-switch]")?.setAttribute("aria-pressed", String(kept.raw));
  article.querySelector("[data-wrap-switch]")?.setAttribute("aria-pressed", String(kept.wrap));
  article.querySelector("[data-reading]")?.setAttribute("data-wrap", String(kept.wrap));
  for (const examples of article.closest("form").querySelectorAll(".clauses details")) examples.open = kept.examples;
}

export function toggleView(article, which) {
  kept[which] = !kept[which];
  show(article);
}

/** The outline: the first words of each step, to jump by. Nothing is summed up. */
export function toggleOutline(article) {
  const outline = article.querySelector("[data-outline]");
  const steps = [...article.querySelectorAll("[data-step]")];
  if (!outline || steps.length < 2) return;
  outline.hidden = !outline.hidden;
  article.querySelector("[data-outline-switch]")?.setAttribute("aria-expanded", String(!outline.hidden));
  if (outline.hidden || outline.firstChild) return;
  const list = document.createElement("ol");
  for (const step of steps) {
    const item = document.createElement("li");
    const jump = document.createElement("button");
    Object.assign(jump, { type: "button", className: "plain", textContent: step.textContent.trim().slice(0, 80) || "…" });
    jump.dataset.jump = step.dataset.step;
    item.value = Number(step.dataset.step);
    item.append(jump);
    list.append(item);
  }
  outline.append(list);
}

/** A system prompt that came before says so; one that is a little different shows what is new in it. */
function sayWhatRepeats(article) {
  const text = article.querySelector("[data-system-text] > .text");
  const before = lastSystem;
  lastSystem = text?.textContent ?? null;
  if (!text || before === null) return;
  if (before === lastSystem) {
    article.querySelector("[data-system-same]").hidden = false;
    return;
  }
  const words = wordsOf(lastSystem);
  const fresh = added(wordsOf(before), words);
  if (!fresh || fresh.size > words.length / 2) return;
  text.replaceChildren(...words.map((word, index) => {
    if (!fresh.has(index)) return document.createTextNode(word);
    const mark = document.createElement("ins");
    mark.textContent = word;
    return mark;
  }));
  text.closest("details").open = true;
}

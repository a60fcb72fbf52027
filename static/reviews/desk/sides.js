// Samples side by side: which one is current, scrolling together, what differs, and their keys.
import { added, wordsOf } from "./difference.js";
import { gettext } from "../words.js";

const sidesOf = (form) => [...form.querySelectorAll("[data-side]")];
const current = (form) => form.querySelector("[data-side][aria-current]");
let following = false;

export function openSides(form) {
  for (const text of form.querySelectorAll(".side-text")) {
    text.addEventListener("scroll", () => together(form, text), { passive: true });
  }
  for (const side of sidesOf(form)) side.addEventListener("pointerdown", () => makeCurrent(form, side));
}

function makeCurrent(form, side) {
  current(form)?.removeAttribute("aria-current");
  side.setAttribute("aria-current", "true");
}

/** All samples at the same share of their length, where the reader wants that. */
function together(form, scrolled) {
  if (following || !form.querySelector("[data-together]")?.checked) return;
  following = true;
  const share = scrolled.scrollTop / Math.max(1, scrolled.scrollHeight - scrolled.clientHeight);
  for (const text of form.querySelectorAll(".side-text")) {
    if (text !== scrolled) text.scrollTop = share * (text.scrollHeight - text.clientHeight);
  }
  requestAnimationFrame(() => requestAnimationFrame(() => { following = false; }));
}

/** Mark the words of each sample that the first one has not, or take the marks away. */
export function toggleDifference(form) {
  const button = form.querySelector("[data-difference]");
  if (!button) return "";
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  CSS.highlights?.delete("differs");
  if (!on) return "";
  const [first, ...others] = sidesOf(form).map(wordsIn);
  const ranges = [];
  for (const side of others) {
    const fresh = added(first.words, side.words);
    if (!fresh) return gettext("These samples are too unlike for a difference to say anything.");
    for (const index of fresh) if (side.words[index].trim()) ranges.push(side.ranges[index]);
  }
  CSS.highlights?.set("differs", new Highlight(...ranges));
  return "";
}

function wordsIn(side) {
  const words = [];
  const ranges = [];
  for (const leaf of side.querySelectorAll("[data-at]:not([data-to])")) {
    const text = leaf.firstChild;
    let at = 0;
    for (const word of wordsOf(text?.data ?? "")) {
      const range = document.createRange();
      range.setStart(text, at);
      range.setEnd(text, at + word.length);
      at += word.length;
      words.push(word);
      ranges.push(range);
    }
  }
  return { words, ranges };
}

/** What a key does here; whether it did something. */
export function obeySides(form, action, key) {
  const side = current(form) ?? sidesOf(form)[0];
  const sides = sidesOf(form);
  if (action === "next-step" || action === "step-before") {
    const to = sides[sides.indexOf(side) + (action === "next-step" ? 1 : -1)];
    if (to) makeCurrent(form, to), to.scrollIntoView({ block: "nearest", inline: "nearest" });
    return true;
  }
  if (action === "examples") {
    const spec = form.querySelector(".side-spec");
    spec.open = !spec.open;
    return true;
  }
  if (form.dataset.sides === "pick-best") {
    const pick = key === "0" ? form.querySelector("[name=picked][value='']") : sides[Number(key) - 1]?.querySelector("[name=picked]");
    if (/^[0-9]$/.test(key) && pick) pick.checked = true;
    return Boolean(pick);
  }
  const say = (verdict) => { side.querySelector(`[value=${verdict}]`).checked = true; };
  if (["accept", "unsure"].includes(action)) {
    say(action);
    const open = sides.find((other) => !other.querySelector("[type=radio]:checked"));
    if (open) makeCurrent(form, open);
    return true;
  }
  const box = /^[1-9]$/.test(key) ? side.querySelectorAll(".side-clauses input")[Number(key) - 1] : null;
  if (!box) return false;
  box.checked = !box.checked;
  if (box.checked) say("reject");
  return true;
}

/** What is missing before all verdicts can go, in a sentence. */
export function missingSides(form) {
  if (form.dataset.sides === "pick-best") return "";
  for (const side of sidesOf(form)) {
    const said = side.querySelector("[type=radio]:checked")?.value;
    if (!said) return gettext("Sample %(letter)s has no verdict yet.", { letter: side.dataset.side });
    if (said === "reject" && !side.querySelector(".side-clauses :checked")) return gettext("Sample %(letter)s is rejected without a clause: press its digit.", { letter: side.dataset.side });
  }
  return "";
}

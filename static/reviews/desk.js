// The desk: keys, the verdict's way to the server, and the next trace in its place.
// Every action here is a button or a form in the page first; this presses them.
import { alert, clearAlerts } from "./alerts.js";
import { dropAhead, fetchAhead, renewWhileUsed, takeAhead } from "./desk/ahead.js";
import { startClock } from "./desk/clock.js";
import { forgetDraft } from "./desk/draft.js";
import { isTyping, keyMeant } from "./desk/keys.js";
import { changed, mark, marksStanding, openSaid, reject, showRaw, toggle, toggleRaw, toggleSheet, walk } from "./desk/saying.js";

const desk = document.getElementById("desk");
const dialog = document.querySelector("dialog[data-keys]");
const form = () => desk.querySelector("form[data-trace]");
const article = () => desk.querySelector("article");
const said = () => document.getElementById("said");

let busy = false;  // one verdict at a time
let asking = null;  // the form or button whose request is under way
let lastSaid = said()?.innerHTML.trim() ?? "";
let seconds = startClock();

function announce(words) {
  document.querySelector("[data-announce]").textContent = words;
}

/** A trace, or the page that says why there is none, has just come into the frame. */
function shown() {
  if (lastSaid && !said().innerHTML.trim()) {
    said().innerHTML = lastSaid;
    htmx.process(said());
  }
  const focus = desk.querySelector("[data-focus]");
  focus?.focus({ preventScroll: true });
  const before = said()?.querySelector("span")?.textContent.trim();
  if (!form()) {
    CSS.highlights?.delete("evidence");
    announce([before, focus?.textContent].filter(Boolean).join(". "));
    return;
  }
  seconds = startClock();
  openSaid(form());
  showRaw(article());
  fetchAhead(desk.dataset.next);
  announce([before, `Trace: ${desk.querySelector("[data-length]").textContent}`].filter(Boolean).join(". "));
}

/** What was said is saved: put the next trace in its place. */
async function advance(html) {
  const judged = form();
  judged.dataset.saved = "";
  forgetDraft(judged);
  clearAlerts();
  lastSaid = html.trim();
  said().innerHTML = lastSaid;
  htmx.process(said());
  await takeNext(judged.action);
}

async function takeNext(judged) {
  busy = true;
  const next = await takeAhead(judged);
  if (next) {
    next.getElementById("said").innerHTML = lastSaid;
    desk.replaceChildren(next);
    htmx.process(desk);
    shown();
  } else {
    await htmx.ajax("POST", desk.dataset.next, { target: "#desk", swap: "innerHTML" }).catch(() => {});
    if (form()?.dataset.saved !== undefined) alert("What you said is saved, but the next trace did not come. Press any verdict to ask again.");
  }
  busy = false;
}

function count(change) {
  const counter = document.querySelector("[data-judged]");
  counter.textContent = Math.max(0, Number(counter.textContent) + change);
}

const isPoll = (config) => config?.triggeringEvent?.type === "hx:poll:trigger";
const isVerdict = (element) => element === form();
const isUndo = (element) => element.matches('[data-key="u"]');
const isOurs = (element) => isVerdict(element) || isUndo(element) || element.matches('[data-key="n"]');

document.addEventListener("submit", (event) => {
  if (!isVerdict(event.target)) return;
  form().elements.seconds.value = seconds().toFixed(1);
  form().elements.spans.value = JSON.stringify(marksStanding());
}, { capture: true });

document.addEventListener("htmx:beforeRequest", (event) => {
  const { requestConfig } = event.detail;
  const { elt } = requestConfig;  // detail.elt is whatever htmx fired the event on
  if (isPoll(requestConfig) && document.hidden) event.preventDefault();  // no lease for someone who is away
  if (!isOurs(elt)) return;
  if (busy) return event.preventDefault();
  if (form()?.dataset.saved !== undefined && !isUndo(elt)) {
    event.preventDefault();
    return takeNext(form().action);
  }
  [busy, asking] = [true, elt];
  desk.setAttribute("aria-busy", "true");
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr, requestConfig: { elt } } = event.detail;
  if (xhr.status >= 300) return;
  if (isOurs(elt) && !isUndo(elt)) event.detail.shouldSwap = false;  // `advance` shows it, together with the next trace
  if (isUndo(elt)) {
    lastSaid = "";
    dropAhead();
  }
  if (target === desk && desk.querySelector("[data-empty]")) keepEmptyInPlace(event.detail);
});

/** Looking again found nothing again: the sentence changes, the focus and the undo stay. */
function keepEmptyInPlace(detail) {
  const why = new DOMParser().parseFromString(detail.xhr.responseText, "text/html").querySelector("[data-empty] .lead");
  if (!why) return;
  detail.shouldSwap = false;
  const stands = desk.querySelector(".lead");
  if (stands.textContent !== why.textContent) stands.textContent = why.textContent;
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === desk) shown();
});

document.addEventListener("htmx:afterRequest", async (event) => {
  const { xhr, requestConfig, successful } = event.detail;
  const { elt } = requestConfig;
  if (elt !== asking) return;
  asking = null;
  desk.removeAttribute("aria-busy");
  // A redirect ends at the login page with 200 and has saved nothing.
  const saved = successful && new URL(xhr.responseURL).pathname === new URL(requestConfig.path, location.href).pathname;
  if (saved && isVerdict(elt)) count(1);
  if (saved && isUndo(elt)) {
    count(-1);
    clearAlerts();
  } else if (saved) {
    await advance(xhr.responseText);
  }
  busy = false;
});

function press(key) {
  desk.querySelector(`[data-key="${key}"]`)?.click();
}

function digit(number) {
  if (busy) return;
  const marked = mark(number);
  if (marked === "elsewhere") return alert("Evidence is marked in the reasoning or the answer. Nothing was said: press the digit again without a selection.");
  if (marked) return announce(`Marked as evidence for clause ${number}.`);
  if (reject(number)) press("r");
}

function obey(key) {
  if (key === "?") return dialog.showModal();
  if (key === "u") return press(key);
  if (!form()) return;
  if (/^[arsbn]$/.test(key)) return press(key);
  if (/^\d$/.test(key)) return digit(key);
  if (key.startsWith("shift ")) return toggle(`[data-digit="${key.slice(6)}"]`);
  if (key === "f") return toggle("[data-remark]");
  if (key === "c") return toggleSheet(true), form().elements.comment.focus();
  if (key === "x") return toggleRaw(article());
  if (key === "j" || key === "k") return walk(article(), key === "j" ? 1 : -1);
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || dialog.open) return;
  if (event.key === "Escape" && !event.isComposing) {
    if (toggleSheet(false) || isTyping(event.target)) article()?.focus({ preventScroll: true });
    return;
  }
  if (isTyping(event.target)) return;
  if (event.key === "Enter" && event.target.matches?.("[type=checkbox]")) {  // would press the form's first button: accept
    event.preventDefault();
    return event.target.click();
  }
  const key = keyMeant(event);
  if (!key || (event.repeat && !/^[jk]$/.test(key))) return;
  if (obey(key) !== false) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const pressed = (what) => event.target.closest?.(what);
  if (pressed("[data-keys-open]")) dialog.showModal();
  if (pressed("[data-raw-switch]")) toggleRaw(article());
  if (pressed("[data-sheet-switch]")) toggleSheet();
});

for (const kind of ["change", "input"]) {
  desk.addEventListener(kind, (event) => { if (form()?.contains(event.target)) changed(); });
}

renewWhileUsed(form);
if (form()) shown();

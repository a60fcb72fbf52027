// The desk: keys, the verdict's way to the server, and the next trace in its place.
// Every action here is a button or a form in the page first; this presses them.
import { alert, clearAlerts, post } from "./alerts.js";
import { dropAhead, fetchAhead, renewWhileUsed, takeAhead } from "./desk/ahead.js";
import { startClock, watchForLongSittings } from "./desk/clock.js";
import { forgetDraft } from "./desk/draft.js";
import { actionsOf, isTyping, keyMeant, nameKeys } from "./desk/keys.js";
import * as outbox from "./desk/outbox.js";
import * as saying from "./desk/saying.js";
import { startFinding } from "./desk/finding.js";
import { startWatching } from "./desk/shown.js";
import * as sides from "./desk/sides.js";
import * as steps from "./desk/steps.js";
import * as views from "./desk/views.js";
import { gettext, locale } from "./words.js";

const ENOUGH_SHOWN = 0.6;
const FASTEST_READING = 1000;
const FEWEST_WORDS = 50;  // of a shorter text a pace says nothing

const desk = document.getElementById("desk");
const dialog = document.querySelector("dialog[data-keys]");
const keptDialog = document.querySelector("dialog[data-kept]");
const { user } = desk.dataset;
const bindings = JSON.parse(desk.dataset.bindings);
const actions = actionsOf(bindings);
const form = () => desk.querySelector("form#verdict");
const article = () => desk.querySelector("article");
const said = () => document.getElementById("said");
const isJudged = () => form()?.dataset.saved !== undefined;

let lastSaid = said()?.innerHTML.trim() ?? "";
let seconds = startClock();
let shownShare = () => 1;
let unsentCount = 0;

function announce(words) {
  document.querySelector("[data-announce]").textContent = words;
}

/** A trace, or the page that says why there is none, has just come into the frame. */
async function shown() {
  if (lastSaid && !said()?.innerHTML.trim()) said().innerHTML = lastSaid;
  nameKeys(desk, bindings);
  const focus = desk.querySelector("[data-focus]");
  focus?.focus({ preventScroll: true });
  const before = said()?.querySelector("span")?.textContent.trim();
  if (!form()) {
    CSS.highlights?.delete("evidence");
    announce([before, focus?.textContent].filter(Boolean).join(". "));
    return;
  }
  seconds = startClock();
  if (form().dataset.sides) {
    sides.openSides(form());
    return announce([before, gettext("Samples side by side")].filter(Boolean).join(". "));
  }
  saying.openSaid(form());
  views.showAsBefore(article());
  shownShare = startWatching(article());
  finding.close();
  announce([before, gettext("Trace: %(length)s", { length: desk.querySelector("[data-length]").textContent })].filter(Boolean).join(". "));
  improve(form());
  if (unsentCount === 0) fetchAhead(desk.dataset.next);
}

/** Plain steps give way to rendered ones as soon as the worker has them, unless someone is marking just then. */
async function improve(shownForm) {
  for (const pause of [300, 700, 1500, 3000, 6000]) {
    if (!shownForm.dataset.rendered) return;
    await new Promise((done) => { setTimeout(done, pause); });
    if (form() !== shownForm || isJudged()) return;
    try {
      const answer = await fetch(shownForm.dataset.rendered, { redirect: "error", headers: { "HX-Request": "true" } });
      if (answer.status !== 200) continue;
      const made = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (form() !== shownForm || !getSelection().isCollapsed || steps.currentStep(article())) return;
      const [list, answered, asked] = [made.querySelector("ol.steps"), made.querySelector("[data-answer]"), made.querySelectorAll("[data-message]")];
      for (const [number, message] of article().querySelectorAll("[data-message]").entries()) message.replaceChildren(...asked[number].childNodes);
      article().querySelector("[data-part=reasoning] > .steps")?.replaceChildren(...list.childNodes);
      article().querySelector("[data-part=answer] > .answer-text")?.replaceChildren(...answered.childNodes);
      delete shownForm.dataset.rendered;
      shownShare = startWatching(article());
      saying.redraw();
    } catch { /* no network: plain steps are exact too */ }
  }
}

/** Say something of the trace: kept first, shown at once, sent behind. */
async function say(button) {
  const judged = form();
  const what = button.dataset.key;
  if (isJudged()) return waitForNext();
  const missing = saying.missingFor(what);
  if (missing) {
    if (saying.needsComment(missing)) openComment();
    return alert(missing);
  }
  const [spent, share] = [seconds(), shownShare()];
  const words = Number(judged.dataset.words) * share;
  const pace = words >= FEWEST_WORDS && spent > 0 ? (words * 60) / spent : null;
  if (what === "accept" && asksAgain(judged, share, pace)) return;
  saying.fillIn({ seconds: spent, share, pace });
  const body = new FormData(judged, button);
  body.delete("csrfmiddlewaretoken");  // it may be stale when this is sent; the header carries a fresh one
  const url = new URL(button.hasAttribute("formaction") ? button.formAction : judged.action).pathname;
  judged.dataset.saved = "";
  const record = { id: `${judged.elements.key.value} ${what}`, user, at: Date.now(), url, words: wordsFor(what), body: new URLSearchParams(body).toString(), verdict: !["skip", "ask"].includes(what) };
  onTheWay += 1;
  keeping = keepAndAdvance(record, judged).finally(() => { onTheWay -= 1; });
  await keeping;
  outbox.flush(user, told);
}

let keeping = Promise.resolve();  // what was said last is on its way into the outbox
let onTheWay = 0;
const isAllSaved = () => unsentCount === 0 && onTheWay === 0;

async function keepAndAdvance(record, judged) {
  await outbox.keep(record);
  forgetDraft(judged);
  clearAlerts();
  if (record.verdict) count(1);
  sayUnsent(unsentCount + 1);  // not read from the store again: the next trace waits for it
  lastSaid = `<span>${record.words} · ${gettext("saving…")}</span>`;
  advance(judged);
}

const verdicts = { accept: gettext("accept"), reject: gettext("reject"), unsure: gettext("unsure"), "bad-prompt": gettext("bad-prompt") };
const wordsFor = (what) => ({ skip: gettext("Skipped"), ask: gettext("Asked") }[what] ?? gettext("Last: %(verdict)s", { verdict: verdicts[what] ?? what }));

/** An accept of what was hardly seen is asked about once, and never blocked. */
function asksAgain(judged, share, pace) {
  if (judged.dataset.asked !== undefined || (share >= ENOUGH_SHOWN && pace <= FASTEST_READING)) return false;
  judged.dataset.asked = "";
  alert(share < ENOUGH_SHOWN
    ? gettext("%(share)s %% of this trace was on screen. Accept once more if that was enough to judge it.", { share: Math.round(share * 100) })
    : gettext("That was about %(pace)s words a minute. Accept once more if you have read it.", { pace: Math.round(pace).toLocaleString(locale) }));
  return true;
}

/** The kept trace in the frame, or, where there is none, the one judged until the server has another. */
function advance(judged) {
  const next = takeAhead(judged.getAttribute("action"));
  if (!next) {
    said().innerHTML = lastSaid;
    judged.setAttribute("aria-busy", "true");
    return;
  }
  next.getElementById("said").innerHTML = lastSaid;
  const asksHtmx = next.querySelector("[hx-post]") !== null;  // it looks at every element, and most traces need none of it
  desk.replaceChildren(next);
  if (asksHtmx) htmx.process(desk);
  shown();
}

async function told(how, record, words) {
  if (how === "saved") {
    lastSaid = words.trim();
    await countUnsent();
    if (said()) said().innerHTML = lastSaid;
    nameKeys(desk, bindings);
    clearAlerts();
    if (isAllSaved()) await goOn();
  } else if (how === "refused") {
    if (record.verdict) count(-1);
    await countUnsent();
    lastSaid = "";
    if (said()) said().innerHTML = "";
    alert(gettext("%(why)s What you said is kept as a draft: see the line at the top.", { why: words }));
    await showKept();
    if (isAllSaved()) await goOn();
  } else if (how === "signed-out") {
    signedOut();
  } else if (isJudged()) {
    alert(gettext("Winnow does not answer. What you said is kept in this browser and sent as soon as it does; the next trace comes then. This page cannot be loaded anew without a connection."));
  }
}

/** All is saved: the next trace into the frame where it waits for one, else the one after it fetched. */
async function goOn() {
  if (isJudged()) await takeNext();
  else if (form() && !form().dataset.sides) fetchAhead(desk.dataset.next);
}

function signedOut() {
  alert(gettext("You were signed out. What you said is kept in this browser: sign in again in another tab and come back, and it is sent."));
  const link = document.createElement("a");
  Object.assign(link, { href: desk.dataset.signIn, target: "_blank", textContent: gettext("Sign in") });
  document.querySelector("#alerts .alert span")?.append(" ", link);
}

let waiting = null;

/** Judged, with nothing kept: wait for what is unsent, then ask for the next trace. Presses meanwhile wait with it. */
function waitForNext() {
  waiting ??= (async () => {
    await keeping;
    if (unsentCount > 0) await outbox.flush(user, told);
    if (isAllSaved() && isJudged()) await takeNext();
  })().finally(() => { waiting = null; });
  return waiting;
}

let taking = null;

function takeNext() {
  taking ??= askForNext().finally(() => { taking = null; });
  return taking;
}

async function askForNext() {
  await htmx.ajax("POST", desk.dataset.next, { target: "#desk", swap: "innerHTML" }).catch(() => {});
  if (isJudged()) alert(gettext("What you said is saved, but the next trace did not come. Press any verdict to ask again."));
}

async function undo() {
  await keeping;
  if (unsentCount > 0) await outbox.flush(user, told);
  if (unsentCount > 0) return alert(gettext("Your last verdict is not saved yet. It can be undone as soon as it is."));
  try {
    const answer = await post(desk.dataset.undo);
    const html = await answer.text();
    if (answer.status === 401) return signedOut();
    if (!answer.ok) return alert(new DOMParser().parseFromString(html, "text/html").querySelector("span")?.textContent ?? gettext("This could not be undone."));
    dropAhead();
    count(-1);
    clearAlerts();
    lastSaid = "";
    desk.innerHTML = html;
    htmx.process(desk);
    shown();
  } catch { alert(gettext("Winnow does not answer, so nothing was undone. Press again.")); }
}

function count(change) {
  const counter = document.querySelector("[data-judged]");
  if (counter) counter.textContent = Math.max(0, Number(counter.textContent) + change);
}

async function countUnsent() {
  sayUnsent((await outbox.unsent(user)).length);
}

function sayUnsent(n) {
  unsentCount = n;
  const line = document.querySelector("[data-unsent]");
  line.hidden = unsentCount === 0;
  line.textContent = unsentCount ? gettext("unsent %(n)s", { n: unsentCount }) : "";
}

/** What was refused for good stays here until its reader has done with it. */
async function showKept() {
  const refused = await outbox.refusedOnes(user);
  let opener = document.querySelector("[data-kept-open]");
  if (!opener) {
    opener = document.createElement("button");
    Object.assign(opener, { type: "button", className: "plain" });
    opener.dataset.keptOpen = "";
    document.querySelector("[data-unsent]").after(opener);
  }
  opener.hidden = !refused.length;
  opener.textContent = gettext("%(n)s not saved", { n: refused.length });
  document.querySelector("[data-kept-list]").replaceChildren(...refused.map((record) => {
    const item = document.createElement("li");
    const fields = new URLSearchParams(record.body);
    const parts = [verdicts[fields.get("verdict")] ?? fields.get("verdict"), fields.getAll("clauses").join(" "), fields.get("comment")].filter(Boolean);
    item.append(`${new Date(record.at).toLocaleString(locale)}: ${parts.join(", ") || record.words}. ${record.why} `);
    const drop = document.createElement("button");
    Object.assign(drop, { type: "button", className: "plain", textContent: gettext("Drop it") });
    drop.addEventListener("click", async () => { await outbox.forgetRefused(record.id); showKept(); });
    item.append(drop);
    return item;
  }));
}

const isPoll = (config) => config?.triggeringEvent?.type === "hx:poll:trigger";

document.addEventListener("submit", (event) => {
  if (event.target.id !== "verdict") return;
  const button = event.submitter;
  if (button?.dataset.key === "undo") {
    event.preventDefault();
    event.stopPropagation();
    return undo();
  }
  if (form().dataset.sides) {
    const missing = sides.missingSides(form());
    form().elements.seconds.value = seconds().toFixed(1);
    if (missing) {
      event.preventDefault();
      event.stopPropagation();
      alert(missing);
    }
    return;
  }
  if (form().dataset.stage === "answer-only" && !["skip", "ask"].includes(button?.dataset.key)) {
    saying.fillIn({ seconds: seconds(), share: shownShare(), pace: null });
    return;  // its answer is the chain, so this one is waited for
  }
  event.preventDefault();
  event.stopPropagation();
  say(button ?? form().querySelector("[data-key=reject]"));
}, { capture: true });

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isPoll(event.detail.requestConfig) && document.hidden) event.preventDefault();  // no lease for someone who is away
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr } = event.detail;
  if (xhr.status < 300 && target === desk && desk.querySelector("[data-empty]")) keepEmptyInPlace(event.detail);
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
  if (event.detail.target !== desk) return;
  if (event.detail.pathInfo.requestPath !== desk.dataset.next) clearAlerts();  // a next trace takes no refusal away
  shown();
});

function press(action) {
  desk.querySelector(`[data-key="${action}"]`)?.click();
}

function openComment() {
  saying.toggleSheet(true);
  form().elements.comment.focus();
}

function digit(number) {
  if (isJudged()) return;
  const marked = saying.mark(number);
  if (marked === "elsewhere") return alert(gettext("Evidence is marked in the reasoning or the answer. Nothing was said: press the digit again without a selection."));
  if (marked) return announce(gettext("Marked as evidence for clause %(number)s.", { number }));
  if (saying.reject(number) && form().dataset.everyClause === undefined) press("reject");
}

const VERDICTS = ["accept", "reject", "unsure", "bad-prompt", "skip", "ask"];
const doing = {
  remark: () => saying.toggle("[data-remark]"),
  other: () => { saying.toggle("[data-other]"); if (form().querySelector("[data-other]:checked")) openComment(); },
  comment: openComment,
  raw: () => { views.toggleView(article(), "raw"); saying.redraw(); },
  wrap: () => views.toggleView(article(), "wrap"),
  examples: () => views.toggleView(article(), "examples"),
  outline: () => views.toggleOutline(article()),
  find: () => finding.open(),
  "next-step": () => steps.walk(article(), 1),
  "step-before": () => steps.walk(article(), -1),
  "select-step": () => steps.selectStep(article()),
  yes: () => saying.judgeClause(true) || labelStep("good"),
  no: () => saying.judgeClause(false) || labelStep("bad"),
  neutral: () => form().dataset.labels === "steps" && labelStep("neutral"),
};

function labelStep(what) {
  if (steps.label(article(), form(), what)) saying.changed();
}

function obey(key) {
  const action = actions.get(key);
  if (action === "keys") return dialog.showModal();
  if (action === "undo") return undo();
  if (!form()) return false;
  if (form().dataset.sides) {
    if (action === "difference") return alert0(sides.toggleDifference(form()));
    return sides.obeySides(form(), action, key);
  }
  if (VERDICTS.includes(action)) return press(action);
  if (/^[1-9]$/.test(key)) return digit(key);
  if (key.startsWith("shift ")) return saying.toggleDigit(key.slice(6));
  return doing[action] ? doing[action]() : false;
}

function alert0(words) {
  if (words) alert(words);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || dialog.open || keptDialog.open) return;
  if (event.key === "Escape" && !event.isComposing) {
    if (finding.close() || saying.toggleSheet(false) || isTyping(event.target)) article()?.focus({ preventScroll: true });
    return;
  }
  if (isTyping(event.target)) return;
  if (event.key === "Enter" && event.target.matches?.("[type=checkbox]")) {  // would press the form's first button
    event.preventDefault();
    return event.target.click();
  }
  const key = keyMeant(event);
  const walks = ["next-step", "step-before"].includes(actions.get(key));
  if (!key || (event.repeat && !walks)) return;
  if (obey(key) !== false) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const pressed = (what) => event.target.closest?.(what);
  if (pressed("[data-keys-open]")) dialog.showModal();
  if (pressed("[data-kept-open]")) keptDialog.showModal();
  if (pressed("[data-raw-switch]")) doing.raw();
  if (pressed("[data-wrap-switch]")) doing.wrap();
  if (pressed("[data-examples-switch]")) doing.examples();
  if (pressed("[data-outline-switch]")) doing.outline();
  if (pressed("[data-find-open]")) finding.open();
  if (pressed("[data-jump]")) steps.jumpTo(article(), pressed("[data-jump]").dataset.jump);
  if (pressed("[data-label]") && pressed("button")) labelStep(pressed("[data-label]").dataset.label);
  if (pressed("[data-difference]")) alert0(sides.toggleDifference(form()));
  if (pressed("[data-sheet-switch]")) saying.toggleSheet();
  const step = form()?.dataset.labels && pressed("[data-step]");
  if (step && getSelection().isCollapsed) steps.jumpTo(article(), step.dataset.step);
});

for (const kind of ["change", "input"]) {
  desk.addEventListener(kind, (event) => {
    if (!form()?.contains(event.target) || form().dataset.sides) return;
    if (event.target.name === "holds" && event.target.checked) {
      form().querySelector(`input[name=clauses][value="${CSS.escape(event.target.value)}"]`).checked = false;
    }
    saying.changed();
  });
}

addEventListener("beforeunload", (event) => { if (!isAllSaved()) event.preventDefault(); });
addEventListener("online", () => outbox.flush(user, told));
document.addEventListener("visibilitychange", () => { if (!document.hidden && unsentCount > 0) outbox.flush(user, told); });

const finding = startFinding(article);
renewWhileUsed(form);
watchForLongSittings(() => alert(gettext("You have been reading for forty minutes. A pause keeps judgement steady; your work is saved.")));
showKept();
countUnsent().then(async () => {
  const pending = await outbox.unsent(user);
  if (form() && pending.some((record) => record.id.startsWith(form().elements.key?.value))) form().dataset.saved = "";
  if (form()) shown();
  if (unsentCount > 0) outbox.flush(user, told);
});

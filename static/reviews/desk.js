// The desk: keys, the verdict's way to the server, and the next trace in its place.
// Every action here is a button or a form in the page first; this presses them.
import { alert, clearAlerts, post } from "./alerts.js";
import { dropAhead, fetchAhead, renewWhileUsed, takeAhead } from "./desk/ahead.js";
import { cardsOf, leaseOf, textOf } from "./desk/card.js";
import { startClock, watchForLongSittings } from "./desk/clock.js";
import { draftsOf, forgetDrafts, putBackDrafts } from "./desk/draft.js";
import { showKept } from "./desk/kept.js";
import { actionsOf, isTyping, keyMeant, nameKeys } from "./desk/keys.js";
import * as outbox from "./desk/outbox.js";
import * as saying from "./desk/saying.js";
import { startFinding } from "./desk/finding.js";
import { startWatching } from "./desk/shown.js";
import * as sides from "./desk/sides.js";
import * as steps from "./desk/steps.js";
import { lastWords, verdictWords } from "./desk/verdicts.js";
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
const beside = () => form()?.dataset.sides !== undefined;
const judging = () => (beside() ? sides : saying);
const article = () => (beside() ? sides.currentText() : desk.querySelector("article"));
const said = () => document.getElementById("said");
const isJudged = () => form()?.dataset.saved !== undefined;

let lastSaid = said()?.innerHTML.trim() ?? "";
let seconds = startClock();
let shownShares = () => [1];
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
  judging().openSaid(form());
  views.showAsBefore(form());
  finding.close();
  watchTexts();
  for (const card of cardsOf(form())) improve(card);
  if (beside()) {
    return announce([before, gettext("Samples side by side")].filter(Boolean).join(". "));
  }
  announce([before, gettext("Trace: %(length)s", { length: desk.querySelector("[data-length]").textContent })].filter(Boolean).join(". "));
  if (unsentCount === 0) fetchAhead(desk.dataset.next);
}

function watchTexts() {
  shownShares = startWatching(cardsOf(form()).map(textOf));
}

/** Plain steps give way to rendered ones as soon as the worker has them, unless someone is marking just then. */
async function improve(card) {
  for (const pause of [300, 700, 1500, 3000, 6000]) {
    if (!card.dataset.rendered) return;
    await new Promise((done) => { setTimeout(done, pause); });
    if (!card.isConnected || isJudged()) return;
    try {
      const answer = await fetch(card.dataset.rendered, { redirect: "error", headers: { "HX-Request": "true" } });
      if (answer.status !== 200) continue;
      const made = new DOMParser().parseFromString(await answer.text(), "text/html");
      const text = textOf(card);
      if (!card.isConnected || !getSelection().isCollapsed || steps.currentStep(text)) return;
      const [list, answered, asked] = [made.querySelector("ol.steps"), made.querySelector("[data-answer]"), made.querySelectorAll("[data-message]")];
      for (const [number, message] of text.querySelectorAll("[data-message]").entries()) message.replaceChildren(...asked[number].childNodes);
      text.querySelector("[data-part=reasoning] > .steps")?.replaceChildren(...list.childNodes);
      text.querySelector("[data-part=answer] > .answer-text")?.replaceChildren(...answered.childNodes);
      delete card.dataset.rendered;
      watchTexts();
      judging().redraw();
    } catch { /* no network: plain steps are exact too */ }
  }
}

/** Say something of the trace: kept first, shown at once, sent behind. */
async function say(button) {
  const judged = form();
  const what = button.dataset.key;
  if (isJudged()) return waitForNext();
  const missing = judging().missingFor(what);
  if (missing) {
    if (saying.needsComment(missing)) openComment();
    return alert(missing);
  }
  const cards = cardsOf(judged);
  const [spent, shares] = [seconds(), shownShares()];
  const words = cards.reduce((sum, card, place) => sum + Number(card.dataset.words) * shares[place], 0);
  const pace = words >= FEWEST_WORDS && spent > 0 ? (words * 60) / spent : null;
  const isAccepted = beside() ? sides.isAccepted : () => what === "accept";
  const accepted = cards.map((card, place) => ({ card, share: shares[place] })).filter(({ card }) => isAccepted(card));
  if (accepted.length && asksAgain(judged, accepted, pace)) return;
  judging().fillIn({ seconds: spent, shares, pace });
  const body = new FormData(judged, button);
  body.delete("csrfmiddlewaretoken");  // it may be stale when this is sent; the header carries a fresh one
  const url = new URL(button.hasAttribute("formaction") ? button.formAction : judged.action).pathname;
  judged.dataset.saved = "";
  const wordsSaid = beside() ? sides.inWords() : verdictWords(what);
  const record = {
    id: [...cards.map(leaseOf), beside() ? wordsSaid : what].join(" "),
    user,
    at: Date.now(),
    url,
    words: lastWords(what, wordsSaid),
    said: beside() ? wordsSaid : "",
    body: new URLSearchParams(body).toString(),
    verdicts: ["skip", "ask"].includes(what) ? 0 : cards.length,
    drafts: draftsOf(cards),
  };
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
  forgetDrafts(record.drafts);
  clearAlerts();
  count(record.verdicts);
  sayUnsent(unsentCount + sayingsIn(record));  // not read from the store again: the next trace waits for it
  lastSaid = `<span>${record.words} · ${gettext("saving…")}</span>`;
  advance(judged);
}

/** An accept of what was hardly seen is asked about once, and never blocked. */
function asksAgain(judged, accepted, pace) {
  const { card, share } = accepted.reduce((least, one) => (one.share < least.share ? one : least));
  if (judged.dataset.asked !== undefined || (share >= ENOUGH_SHOWN && pace <= FASTEST_READING)) return false;
  judged.dataset.asked = "";
  alert(askWords(card.dataset.side, share, pace));
  return true;
}

function askWords(letter, share, pace) {
  const shown = Math.round(share * 100);
  const fast = Math.round(pace).toLocaleString(locale);
  if (share < ENOUGH_SHOWN && letter) return gettext("%(share)s %% of sample %(letter)s was on screen. Save once more if that was enough to judge it.", { share: shown, letter });
  if (letter) return gettext("That was about %(pace)s words a minute. Save once more if you have read it.", { pace: fast });
  return share < ENOUGH_SHOWN
    ? gettext("%(share)s %% of this trace was on screen. Accept once more if that was enough to judge it.", { share: shown })
    : gettext("That was about %(pace)s words a minute. Accept once more if you have read it.", { pace: fast });
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
    count(-record.verdicts);
    putBackDrafts(record.drafts);
    await countUnsent();
    lastSaid = "";
    if (said()) said().innerHTML = "";
    alert(gettext("%(why)s What you said is kept as a draft: see the line at the top.", { why: words }));
    await showKept(user);
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
  else if (form() && !beside()) fetchAhead(desk.dataset.next);
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
  sayUnsent((await outbox.unsent(user)).reduce((sum, record) => sum + sayingsIn(record), 0));
}

/** Side by side one record holds several verdicts; a skip or a question is one saying too. */
const sayingsIn = (record) => Math.max(1, record.verdicts ?? 1);

function sayUnsent(n) {
  unsentCount = n;
  const line = document.querySelector("[data-unsent]");
  line.hidden = unsentCount === 0;
  line.textContent = unsentCount ? gettext("unsent %(n)s", { n: unsentCount }) : "";
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
  if (button?.dataset.key === "skip-look") return;  // nothing is said of them: they go back, and the page comes anew
  if (form().dataset.stage === "answer-only" && !["skip", "ask"].includes(button?.dataset.key)) {
    saying.fillIn({ seconds: seconds(), shares: shownShares(), pace: null });
    return;  // its answer is the chain, so this one is waited for
  }
  event.preventDefault();
  event.stopPropagation();
  say(button ?? form().querySelector("[data-key=save], [data-key=reject]"));
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
  const marked = judging().mark(number);
  if (marked === "elsewhere") return alert(gettext("Evidence is marked in the reasoning or the answer. Nothing was said: press the digit again without a selection."));
  if (marked) return announce(gettext("Marked as evidence for clause %(number)s.", { number }));
  if (beside()) sides.obeyDigit(number);
  else if (saying.reject(number) && form().dataset.everyClause === undefined) press("reject");
}

const VERDICTS = ["accept", "reject", "unsure", "bad-prompt", "skip", "ask"];
const doing = {
  remark: () => saying.toggle("[data-remark]"),
  other: () => { saying.toggle("[data-other]"); if (form().querySelector("[data-other]:checked")) openComment(); },
  comment: openComment,
  raw: () => { views.toggleView(form(), "raw"); judging().redraw(); },
  wrap: () => views.toggleView(form(), "wrap"),
  examples: () => views.toggleView(form(), "examples"),
  outline: () => views.toggleOutline(article()),
  find: () => finding.open(),
  "next-step": () => steps.walk(article(), 1),
  "step-before": () => steps.walk(article(), -1),
  "select-step": () => steps.selectStep(article()),
  yes: () => saying.judgeClause(true) || labelStep("good"),
  no: () => saying.judgeClause(false) || labelStep("bad"),
  neutral: () => form().dataset.labels === "steps" && labelStep("neutral"),
};

const doingBeside = { ...sides.doing, raw: doing.raw, find: doing.find, difference: () => alertIfAny(sides.toggleDifference()) };

function labelStep(what) {
  if (steps.label(article(), form(), what)) saying.changed();
}

function obey(key) {
  const action = actions.get(key);
  if (action === "keys") return dialog.showModal();
  if (action === "undo") return undo();
  if (!form()) return false;
  if (VERDICTS.includes(action) && !beside()) return press(action);
  if (/^[1-9]$/.test(key)) return digit(key);
  if (key === "0" && beside()) return sides.pick(key);
  if (key.startsWith("shift ")) return judging().toggleDigit(key.slice(6));
  const does = (beside() ? doingBeside : doing)[action];
  return does ? does() : false;
}

function alertIfAny(words) {
  if (words) alert(words);
}

const keyIsFree = (event) => !event.repeat && !event.isComposing && !event.target.closest?.("button, a, summary, input");

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
  if (event.key === "Enter" && beside() && keyIsFree(event)) {
    event.preventDefault();
    return press("save");
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
  if (pressed("[data-difference]")) alertIfAny(sides.toggleDifference());
  if (pressed("[data-sheet-switch]")) saying.toggleSheet();
  const step = form()?.dataset.labels && pressed("[data-step]");
  if (step && getSelection().isCollapsed) steps.jumpTo(article(), step.dataset.step);
});

for (const kind of ["change", "input"]) {
  desk.addEventListener(kind, (event) => {
    if (!form()?.contains(event.target) || isJudged()) return;
    judging().settle(event.target);
    judging().changed();
  });
}

addEventListener("beforeunload", (event) => { if (!isAllSaved()) event.preventDefault(); });
addEventListener("online", () => outbox.flush(user, told));
document.addEventListener("visibilitychange", () => { if (!document.hidden && unsentCount > 0) outbox.flush(user, told); });

const finding = startFinding(article);
renewWhileUsed(form);
watchForLongSittings(() => alert(gettext("You have been reading for forty minutes. A pause keeps judgement steady; your work is saved.")));
showKept(user);
const came = form();  // what htmx brings after this is shown by its own swap
countUnsent().then(async () => {
  const pending = await outbox.unsent(user);
  if (came && cardsOf(came).some((card) => pending.some((record) => record.id.includes(leaseOf(card))))) came.dataset.saved = "";
  if (came && form() === came) shown();
  if (unsentCount > 0) outbox.flush(user, told);
});

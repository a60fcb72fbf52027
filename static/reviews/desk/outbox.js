// What was said and is not yet acknowledged: kept in IndexedDB, so that a closed laptop loses nothing, and sent with
// growing pauses until the server says 2xx. Bound to the user; sent twice it is one review, by the key of its lease.
import { freshToken, token } from "../alerts.js";

const LONGEST_PAUSE = 30_000;
const inMemory = new Map();  // where the browser keeps nothing for us, this page still does

let timer = null;
let pause = 1000;

let base = null;

/** Opened once: under each key it would be felt. */
function open() {
  base ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("winnow", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("outbox", { keyPath: "id" });
      request.result.createObjectStore("kept", { keyPath: "id" });
    };
    request.onsuccess = () => {
      request.result.onclose = () => { base = null; };
      request.result.onversionchange = () => { request.result.close(); base = null; };
      resolve(request.result);
    };
    request.onerror = () => { base = null; reject(request.error); };
  });
  return base;
}

async function inStore(name, mode, what) {
  const opened = await open();
  return new Promise((resolve, reject) => {
    const change = opened.transaction(name, mode, { durability: "strict" });
    const request = what(change.objectStore(name));
    change.oncomplete = () => resolve(request.result);
    change.onerror = change.onabort = () => reject(change.error);
  });
}

/** Keep one saying {id, user, at, url, body, words, said, verdicts, drafts} until it is acknowledged. */
export async function keep(saying) {
  try { await inStore("outbox", "readwrite", (store) => store.put(saying)); }
  catch { inMemory.set(saying.id, saying); }
}

async function forget(saying) {
  inMemory.delete(saying.id);
  try { await inStore("outbox", "readwrite", (store) => store.delete(saying.id)); } catch { /* it was in memory only */ }
}

/** What this user said and the server has not acknowledged, oldest first. */
export async function unsent(user) {
  let stored = [];
  try { stored = await inStore("outbox", "readonly", (store) => store.getAll()); } catch { /* none is kept */ }
  return [...stored, ...inMemory.values()].filter((saying) => saying.user === user).sort((a, b) => a.at - b.at);
}

/** Sayings that the server refused for good, kept as drafts. */
export async function refusedOnes(user) {
  try { return (await inStore("kept", "readonly", (store) => store.getAll())).filter((saying) => saying.user === user); }
  catch { return []; }
}

export async function forgetRefused(id) {
  try { await inStore("kept", "readwrite", (store) => store.delete(id)); } catch { /* it was not kept */ }
}

/**
 * Send what waits, in order, one tab at a time. told: called with ("saved", saying, html), ("refused", saying, sentence),
 * or with "signed-out" or "away" where the rest has to wait; then it tries again by itself.
 */
export function flush(user, told) {
  clearTimeout(timer);
  const work = () => sendAll(user, told);
  return navigator.locks ? navigator.locks.request(`winnow outbox ${user}`, work) : work();
}

async function sendAll(user, told) {
  for (const saying of await unsent(user)) {
    let how = await send(saying);
    if (how.why === "stale-token") how = (await freshToken()) ? await send(saying) : { why: "signed-out" };
    if (how.saved) {
      pause = 1000;
      await forget(saying);
      await told("saved", saying, how.html);
    } else if (how.refused) {
      try { await inStore("kept", "readwrite", (store) => store.put({ ...saying, why: how.refused })); } catch { /* told below */ }
      await forget(saying);
      await told("refused", saying, how.refused);
    } else {
      clearTimeout(timer);
      timer = setTimeout(() => flush(user, told), pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
      await told(how.why, saying);
      return;
    }
  }
}

/** A redirect ends at the login page and has saved nothing; only an answer of 2xx to this very address counts. */
async function send(saying) {
  try {
    const answer = await fetch(saying.url, {
      method: "POST", body: saying.body, redirect: "manual", signal: AbortSignal.timeout(30_000),
      headers: { "Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": token(), "HX-Request": "true" },
    });
    if (answer.ok) return { saved: true, html: await answer.text() };
    if (answer.type === "opaqueredirect" || answer.status === 401) return { why: "signed-out" };
    if (answer.status === 403 && answer.headers.get("Winnow-Code") === null) return { why: "stale-token" };
    if (answer.status >= 500 || answer.status === 429) return { why: "away" };
    return { refused: sentenceOf(await answer.text()) };
  } catch { return { why: "away" }; }
}

function sentenceOf(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  return (page.querySelector(".alert span, main .lead, main p") ?? page.body).textContent.trim();
}

addEventListener("online", () => { pause = 1000; });

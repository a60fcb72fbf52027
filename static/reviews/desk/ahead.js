// The next trace is fetched while this one is read, and both leases are renewed while someone reads.
import { post, showRefusal } from "../alerts.js";

const RENEW_EVERY = 5 * 60 * 1000;

let kept = null;  // the next trace, ready to be put in: parsed while this one is read, and not under the key
let asked = null;  // the request for it that is under way

/** Fetch the trace after this one. */
export function fetchAhead(nextUrl) {
  const mine = post(`${nextUrl}?ahead=1`)
    .then((answer) => (answer.status === 200 ? answer.text() : ""))
    .catch(() => "")
    .then((html) => { if (asked === mine) [kept, asked] = [parsed(html), null]; });
  asked = mine;
}

export function dropAhead() {
  [kept, asked] = [null, null];
}

/** The trace that was kept, as a fragment, or null; each can be taken once. `judged` is the one just left. */
export function takeAhead(judged) {
  const next = kept;
  dropAhead();
  return next && next.querySelector("form").getAttribute("action") !== judged ? next : null;
}

function parsed(html) {
  if (!html) return null;
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.querySelector("[data-trace]") ? document.importNode(template.content, true) : null;
}

/** Renew the leases of this trace and the kept one, every few minutes while the page is seen and used. */
export function renewWhileUsed(currentForm) {
  let renewed = Date.now();
  let used = false;
  for (const kind of ["keydown", "pointerdown", "wheel", "touchmove", "visibilitychange"]) {
    document.addEventListener(kind, () => { used = true; renewIfDue(); }, { passive: true });
  }
  setInterval(renewIfDue, 60 * 1000);

  async function renewIfDue() {
    const form = currentForm();
    if (!form?.dataset.renew || !used || document.hidden || Date.now() - renewed < RENEW_EVERY) return;
    [renewed, used] = [Date.now(), false];
    try {
      for (const url of form.dataset.renew.split(" ")) {  // side by side, one for each sample
        const answer = await post(url);
        if (!answer.ok && form === currentForm()) await showRefusal(answer);
      }
      if (kept && !(await post(kept.querySelector("form").dataset.renew)).ok) dropAhead();
    } catch { /* no network: the lease has minutes left, and a verdict says whether it held */ }
  }
}

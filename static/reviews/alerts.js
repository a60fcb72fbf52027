// Lines in #alerts, and posts that are not a form's.
import { gettext } from "./words.js";

const alerts = () => document.getElementById("alerts");

/** Put one line into #alerts, where a screen reader hears it. */
export function alert(sentence) {
  const line = document.createElement("div");
  line.className = "alert";
  const words = document.createElement("span");
  words.textContent = sentence;
  const dismiss = document.createElement("button");
  Object.assign(dismiss, { className: "plain", type: "button", textContent: gettext("Dismiss") });
  dismiss.dataset.dismiss = "";
  line.append(words, dismiss);
  alerts().replaceChildren(line);
}

export function clearAlerts() {
  alerts().replaceChildren();
}

/** Show a refusal that the server wrote for #alerts; anything else is not ours to show. */
export async function showRefusal(response) {
  if (response.headers.get("HX-Retarget") === "#alerts") alerts().innerHTML = await response.text();
}

export const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

/** Post as htmx would, without a form. A redirect is never followed: at its end stands the login page. */
export function post(url) {
  return fetch(url, { method: "POST", redirect: "error", signal: AbortSignal.timeout(30_000), headers: { "X-CSRFToken": token(), "HX-Request": "true" } });
}

/** Signing in again, in another tab, makes this page's token stale: take a new one from the same page. Whether it could. */
export async function freshToken() {
  try {
    const answer = await fetch(location.href, { redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const headers = page.body.getAttribute("hx-headers");
    if (!answer.ok || !headers) return false;
    document.body.setAttribute("hx-headers", headers);
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token();
    return true;
  } catch { return false; }  // still no answer, or the login page: the next try says so
}

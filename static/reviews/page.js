// What every page does: light or dark, lines in #alerts, and uploads that say so.
import { alert, clearAlerts, freshToken } from "./alerts.js";
import { gettext } from "./words.js";

const root = document.documentElement;
const switchButton = document.querySelector("[data-scheme-switch]");
const systemDark = matchMedia("(prefers-color-scheme: dark)");

function otherScheme() {
  const now = root.dataset.scheme ?? (systemDark.matches ? "dark" : "light");
  return now === "dark" ? "light" : "dark";
}

function nameTheSwitch() {
  const dark = otherScheme() === "dark";
  switchButton.textContent = dark ? gettext("dark") : gettext("light");
  switchButton.setAttribute("aria-label", dark ? gettext("Switch to dark colours") : gettext("Switch to light colours"));
}

if (switchButton) {
  switchButton.hidden = false;
  nameTheSwitch();
  systemDark.addEventListener("change", nameTheSwitch);
  switchButton.addEventListener("click", () => {
    root.dataset.scheme = otherScheme();
    try { localStorage.setItem("scheme", root.dataset.scheme); } catch { /* holds for this page alone */ }
    nameTheSwitch();
  });
}

// A table wider than its page scrolls, and then the keyboard must reach it.
const reachable = new ResizeObserver((boxes) => {
  for (const { target } of boxes) {
    if (target.scrollWidth <= target.clientWidth || target.hasAttribute("tabindex")) continue;
    const named = target.querySelector("caption") ?? target.closest("section, .page")?.querySelector("h1, h2");
    target.tabIndex = 0;
    target.setAttribute("role", "region");
    target.setAttribute("aria-label", named?.textContent.trim() || gettext("Table"));
  }
});
for (const box of document.querySelectorAll(".scroll")) reachable.observe(box);

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-dismiss]")) return;
  clearAlerts();
  (document.querySelector("[data-focus]") ?? document.querySelector("main")).focus({ preventScroll: true });
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-upload]")) return;
  const button = event.target.querySelector("button");
  button.dataset.words = button.textContent;
  button.textContent = gettext("Uploading…");
  button.disabled = true;
});

addEventListener("pageshow", () => {  // back from the next page: the browser may show this one as it was left
  for (const button of document.querySelectorAll("[data-upload] button[data-words]")) {
    button.textContent = button.dataset.words;
    button.disabled = false;
  }
});

// A request that nobody waits for (a job's bar, the look for a new trace) simply asks again.
const unasked = (config) => config?.verb === "get" || config?.triggeringEvent?.type === "hx:poll:trigger";

for (const kind of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(kind, (event) => {
    if (!unasked(event.detail.requestConfig)) {
      alert(gettext("Winnow did not answer, so nothing was saved. What you wrote is still here: press again."));
    }
  });
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  // Signed out: whoever comes back from signing in elsewhere finds a token that fits.
  if (xhr.status === 401) document.addEventListener("visibilitychange", freshToken, { once: true });
  if (xhr.status < 400 || xhr.getResponseHeader("HX-Retarget")) return;
  event.detail.shouldSwap = false;  // not one of our sentences: it would land where an answer belongs
  if (unasked(requestConfig)) return;
  if (xhr.status === 403) {
    freshToken().then(() => alert(gettext("Your sign-in changed, so nothing was saved. What you wrote is still here: press again.")));
  } else {
    alert(gettext("Something went wrong in Winnow itself (%(status)s), so nothing was saved. What you wrote is still here: press again.", { status: xhr.status }));
  }
});

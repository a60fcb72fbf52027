// How long a trace was in sight: the seconds while the tab was hidden do not count.
let stop = null;

/** Start anew; gives a function that tells the seconds until now. */
export function startClock() {
  stop?.abort();
  stop = new AbortController();
  let gone = 0;
  let since = document.hidden ? null : performance.now();
  const inSight = () => gone + (since === null ? 0 : performance.now() - since);
  document.addEventListener("visibilitychange", () => {
    gone = inSight();
    since = document.hidden ? null : performance.now();
  }, { signal: stop.signal });
  return () => inSight() / 1000;
}

// How long a trace was in sight: the seconds while the tab was hidden do not count. And a quiet word after a long time.

const A_LONG_TIME = 40 * 60 * 1000;

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

/** Call `say` once for each forty minutes at the desk without a pause of five. */
export function watchForLongSittings(say) {
  let began = Date.now();
  let last = began;
  for (const kind of ["keydown", "pointerdown", "wheel"]) {
    document.addEventListener(kind, () => {
      const now = Date.now();
      if (now - last > 5 * 60 * 1000) began = now;
      last = now;
      if (now - began < A_LONG_TIME) return;
      began = now;
      say();
    }, { passive: true });
  }
}

// How much of the text was on screen, and how fast it went by. Measured, never shown as a race.

let stop = null;

/** Start anew for the texts in the frame; gives a function that tells of each how much was in sight, 0 to 1. */
export function startWatching(texts) {
  stop?.abort();
  stop = new AbortController();
  const shares = texts.map((text) => watch(text, stop.signal));
  return () => shares.map((share) => share());
}

function watch(article, signal) {
  const blocks = [...article.querySelectorAll("[data-step], [data-part] > .answer-text > .text, [data-part] > .answer-text")]
    .filter((block) => !(block.matches(".answer-text") && block.querySelector(".text")));
  const seen = new Map(blocks.map((block) => [block, [1, 0]]));
  const near = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? near.add(entry.target) : near.delete(entry.target);
    look();
  }, { root: null });
  for (const block of blocks) watcher.observe(block);
  let asked = false;
  const later = () => { if (!asked) { asked = true; requestAnimationFrame(() => { asked = false; look(); }); } };
  article.addEventListener("scroll", later, { passive: true, signal });
  signal.addEventListener("abort", () => watcher.disconnect());

  function look() {
    const frame = article.getBoundingClientRect();
    for (const block of near) {
      const box = block.getBoundingClientRect();
      if (!box.height) continue;
      const from = Math.max(0, (frame.top - box.top) / box.height);
      const until = Math.min(1, (frame.bottom - box.top) / box.height);
      const before = seen.get(block);
      if (until > from) seen.set(block, [Math.min(before[0], from), Math.max(before[1], until)]);
    }
  }

  return () => {
    look();
    let all = 0;
    let shown = 0;
    for (const [block, [from, until]] of seen) {
      const size = block.textContent.length;
      all += size;
      shown += size * Math.max(0, until - from);
    }
    return all ? Math.min(1, shown / all) : 1;
  };
}

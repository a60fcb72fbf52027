// Finding words in the trace, with the browser's own find left alone. Draws over the text, touches no node.

let found = [];
let at = -1;

/** Look for words in the visible texts of the trace; how many places. */
export function find(article, words) {
  clear();
  const wanted = words.toLowerCase();
  if (!wanted) return 0;
  for (const leaf of article.querySelectorAll("[data-part] [data-at], .prompt [data-at]")) {
    const text = leaf.firstChild;
    if (leaf.dataset.to || !text || !leaf.checkVisibility({ contentVisibilityAuto: false })) continue;
    const held = text.data.toLowerCase();
    for (let place = held.indexOf(wanted); place >= 0 && held.length === text.length; place = held.indexOf(wanted, place + wanted.length)) {
      const range = document.createRange();
      range.setStart(text, place);
      range.setEnd(text, place + wanted.length);
      found.push(range);
    }
  }
  CSS.highlights?.set("found", new Highlight(...found));
  return found.length;
}

/** Go to the next place (1) or the one before (-1); its number from 1, or 0 where there is none. */
export function go(way) {
  if (!found.length) return 0;
  at = (at + way + found.length) % found.length;
  const range = found[at];
  CSS.highlights?.set("found-here", new Highlight(range));
  (range.startContainer.parentElement.closest("details") ?? {}).open = true;
  range.startContainer.parentElement.scrollIntoView({ block: "center" });
  return at + 1;
}

export function clear() {
  [found, at] = [[], -1];
  CSS.highlights?.delete("found");
  CSS.highlights?.delete("found-here");
}

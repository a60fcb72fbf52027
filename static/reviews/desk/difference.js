// What differs between two texts, word by word: Myers' O(ND) difference, given up where the texts are too unlike.

const MOST_EDITS = 2000;

export const wordsOf = (text) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];

/** The indices of the words of `b` that are not in `a` at their place, or null where the two are too unlike to tell. */
export function added(a, b) {
  const path = edits(a, b);
  return path && new Set(path);
}

function edits(a, b) {
  const furthest = new Map([[1, 0]]);
  const trace = [];
  for (let d = 0; d <= Math.min(a.length + b.length, MOST_EDITS); d += 1) {
    trace.push(new Map(furthest));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
      let x = down ? furthest.get(k + 1) ?? 0 : (furthest.get(k - 1) ?? 0) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) [x, y] = [x + 1, y + 1];
      furthest.set(k, x);
      if (x >= a.length && y >= b.length) return walkBack(trace, a.length, b.length);
    }
  }
  return null;
}

function walkBack(trace, x, y) {
  const insertions = [];
  for (let d = trace.length - 1; d > 0; d -= 1) {
    const furthest = trace[d];
    const k = x - y;
    const down = k === -d || (k !== d && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
    const before = down ? k + 1 : k - 1;
    const beforeX = furthest.get(before) ?? 0;
    if (down) insertions.push(beforeX - before);
    [x, y] = [beforeX, beforeX - before];
  }
  return insertions;
}

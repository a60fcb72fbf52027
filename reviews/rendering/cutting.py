"""Long text cut into pieces that a browser can lay out one by one."""

from __future__ import annotations

from collections.abc import Iterator

from reviews.rendering.characters import continues

LONGEST_PIECE = 4_000
_LOOKED_BACK = 64  # marks piled higher than this on one letter are cut between


def pieces(text: str, start: int, end: int, longest: int = LONGEST_PIECE) -> Iterator[tuple[int, int]]:
    """Where to cut text[start:end]: pieces of at most `longest` code points, at a line's end where there is one."""
    while end - start > longest:
        cut = _cut(text, start, start + longest)
        yield start, cut
        start = cut
    if start < end:
        yield start, end


def _cut(text: str, start: int, latest: int) -> int:
    half = (start + latest) // 2
    for mark in ("\n", " "):
        if (found := text.rfind(mark, half, latest)) >= 0:
            return found + 1
    cut = latest
    while latest - cut < _LOOKED_BACK and _holds_together(text[cut - 1], text[cut]):
        cut -= 1
    return cut if latest - cut < _LOOKED_BACK else latest


def _holds_together(before: str, after: str) -> bool:
    return before == "\u200d" or continues(after) or (before == "\r" and after == "\n")

"""A text cut into steps: at blank lines, but never inside closed code or a closed displayed formula."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reviews.rendering.delimiters import LONGEST_FORMULA, unescaped

_BLANK_LINES = re.compile(r"\n[ \t]*\r?\n\s*")
_OPENERS = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)|(?P<dollars>\$\$)|(?<!\\)(?P<bracket>\\\[)", re.M
)
_FENCE_CLOSERS = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*\r?$", re.M)


@dataclass(frozen=True)
class Step:
    """A piece of a text: its number from 1, and where it stands in code points, the end exclusive."""

    number: int
    start: int
    end: int


def split(text: str, own: Sequence[str] | None = None) -> list[Step]:
    """The steps of a text, in order. What stands before, between and after them is white space only.

    own: the steps as their source told them. They are the steps if they stand in the text one after another with
    nothing but white space around them; else they are passed over and the text is cut at blank lines.
    """
    found = _own_steps(text, own) if own else None
    return found if found is not None else _at_blank_lines(text)


def _own_steps(text: str, own: Sequence[str]) -> list[Step] | None:
    found: list[Step] = []
    position = 0
    for piece in filter(None, (each.strip() for each in own)):
        start = _after_white_space(text, position)
        if not text.startswith(piece, start):
            return None
        position = start + len(piece)
        found.append(Step(len(found) + 1, start, position))
    return found if found and _after_white_space(text, position) == len(text) else None


def _after_white_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _at_blank_lines(text: str) -> list[Step]:
    kept_whole = list(_kept_whole(text))
    starts = [start for start, _ in kept_whole]
    found: list[Step] = []
    start = _after_white_space(text, 0)
    for blank in _BLANK_LINES.finditer(text, start):
        before = bisect_right(starts, blank.start()) - 1
        if before >= 0 and blank.start() < kept_whole[before][1]:
            continue
        found.append(_step(text, len(found) + 1, start, blank.start()))
        start = blank.end()
    if start < len(text):
        found.append(_step(text, len(found) + 1, start, len(text)))
    return found


def _step(text: str, number: int, start: int, end: int) -> Step:
    while text[end - 1].isspace():
        end -= 1
    return Step(number, start, end)


def _kept_whole(text: str) -> Iterator[tuple[int, int]]:
    """Where closed fences and closed displays stand, in order and apart from each other."""
    fences = _Fences(text)
    position = 0
    while opener := _OPENERS.search(text, position):
        end = fences.end_of(opener) if opener["fence"] else _end_of_display(text, opener)
        if end is not None:
            yield opener.start(), end
        position = end if end is not None else opener.end()


def _end_of_display(text: str, opener: re.Match[str]) -> int | None:
    closer = "\\]" if opener["bracket"] else "$$"
    # A longer formula is not typeset, so nothing would be gained by keeping it in one step.
    close = unescaped(text, closer, opener.end(), opener.end() + LONGEST_FORMULA)
    return close + 2 if close is not None else None


class _Fences:
    """The lines that can close a fence, with the longest still to come, so that an unclosed one is known at once."""

    def __init__(self, text: str) -> None:
        self.closers: dict[str, list[re.Match[str]]] = {"`": [], "~": []}
        for line in _FENCE_CLOSERS.finditer(text):
            self.closers[line["fence"][0]].append(line)
        self.starts = {mark: [line.start() for line in lines] for mark, lines in self.closers.items()}
        self.longest = {mark: _longest_to_come(lines) for mark, lines in self.closers.items()}

    def end_of(self, opener: re.Match[str]) -> int | None:
        """Where the fence ends that this line opens; None if it opens none or is never closed."""
        fence, mark = opener["fence"], opener["fence"][0]
        if mark == "`" and "`" in opener["info"]:
            return None  # code in a line, not the start of a block
        index = bisect_left(self.starts[mark], opener.end())
        if index == len(self.starts[mark]) or self.longest[mark][index] < len(fence):
            return None
        while len(self.closers[mark][index]["fence"]) < len(fence):
            index += 1
        return self.closers[mark][index].end()


def _longest_to_come(lines: list[re.Match[str]]) -> list[int]:
    longest: list[int] = []
    for line in reversed(lines):
        longest.append(max(len(line["fence"]), longest[-1] if longest else 0))
    return longest[::-1]

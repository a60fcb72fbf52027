"""Where the content of a token stands in its step: line by line, cell by cell, exactly or not at all."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from reviews.rendering.writing import LostPlace

_TRIMMED = " \t\n\r\v\f"  # what markdown-it trims from blocks and cells


class Content:
    """The content of an inline token, made of pieces of the step that stand apart (lines in a quote, say)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._froms: list[int] = []  # where in the content a piece starts
        self._places: list[int] = []  # where that is in the step

    def add(self, at: int, place: int) -> None:
        self._froms.append(at)
        self._places.append(place)

    def place(self, at: int) -> int:
        """The place in the step of one code point of the content."""
        index = bisect_right(self._froms, at) - 1
        if index < 0:
            raise LostPlace
        return self._places[index] + at - self._froms[index]

    def pieces(self, at: int, end: int) -> Iterator[tuple[int, int]]:
        """Where content[at:end] stands in the step: pieces in order, next to each other or apart."""
        while at < end:
            index = bisect_right(self._froms, at)
            stop = min(end, self._froms[index]) if index < len(self._froms) else end
            place = self.place(at)
            yield place, place + stop - at
            at = stop


def of_lines(text: str, starts: Sequence[int], step: str) -> Content:
    """The content of a paragraph or heading, each line of which starts in the step at `starts`, behind its indent."""
    content = Content(text)
    at = 0
    for line, start in zip(text.split("\n"), starts, strict=False):
        stripped = line.lstrip(_TRIMMED)
        indent = len(line) - len(stripped)
        place = _skip(step, start) if stripped else start
        if not step.startswith(stripped, place):
            raise LostPlace
        if indent and step[max(0, place - indent) : place] == line[:indent]:
            content.add(at, place - indent)
        else:
            content.add(at + indent, place)
        at += len(line) + 1
    return content


def of_heading(text: str, start: int, step: str) -> Content:
    """The content of a heading that starts in the step at `start` with its marks."""
    while step[start : start + 1] == "#":
        start += 1
    return of_lines(text, [start], step)


def of_cells(start: int, step: str) -> list[Content]:
    """The cells of a row of a table that starts in the step at `start`, cut as markdown-it cuts them."""
    start = _skip(step, start)
    end = step.find("\n", start)
    row = step[start : end if end >= 0 else len(step)].rstrip(_TRIMMED)
    cells: list[list[tuple[int, str]]] = [[]]
    last = 0
    for bar in (index for index, character in enumerate(row) if character == "|"):
        escaped = bar > 0 and row[bar - 1] == "\\"
        cells[-1].append((last, row[last : bar - 1 if escaped else bar]))
        last = bar if escaped else bar + 1
        if not escaped:
            cells.append([])
    cells[-1].append((last, row[last:]))
    if not any(text for _, text in cells[0]):
        cells.pop(0)
    if cells and not any(text for _, text in cells[-1]):
        cells.pop()
    return [_trimmed(cell, start) for cell in cells]


def _trimmed(cell: list[tuple[int, str]], start: int) -> Content:
    whole = "".join(text for _, text in cell)
    skipped = len(whole) - len(whole.lstrip(_TRIMMED))
    content = Content(whole.strip(_TRIMMED))
    at = -skipped
    for place, text in cell:
        if at + len(text) > 0:
            content.add(max(at, 0), start + place + max(-at, 0))
        at += len(text)
    return content


def _skip(step: str, start: int) -> int:
    while step[start : start + 1] in _TRIMMED and start < len(step):
        start += 1
    return start

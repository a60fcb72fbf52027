"""Ratings as a table: `item_id,rater_id,label[,occasion][,cluster]`, one rating a row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

NEEDED = ("item_id", "rater_id", "label")
OPTIONAL = ("occasion", "cluster")


class Rating(NamedTuple):
    """One row. A label of None is a rating that is missing, a cluster of None is not given."""

    item_id: str
    rater_id: str
    label: str | None
    occasion: int
    cluster: str | None


class UnreadableRatings(ValueError):
    """The file is no such table. Names file, line, column and what was expected there."""

    def __init__(self, file: str, line: int, column: str, expected: str) -> None:
        where = f"{file}, line {line}, {column}" if column else f"{file}, line {line}"
        super().__init__(f"{where}: {expected}")
        self.file, self.line, self.column, self.expected = file, line, column, expected


def read(file: BinaryIO, name: str, columns: Mapping[str, str] | None = None) -> Iterator[Rating]:
    """One Rating for every row that is not empty, in order. UTF-8, with or without a byte order mark.

    columns: where the file has another name for a column, as {"label": "severity"}.
    Without the column, every rating is of occasion 1. Nothing is trimmed; a label of only spaces is missing.
    Raises UnreadableRatings at the first thing that is wrong: half a table would give a wrong agreement.
    """
    table = csv.reader(_lines(file, name), strict=True)
    columns = columns or {}
    line = 1
    try:
        places, width = _places(next(table, []), name, columns)
        clusters: dict[str, str | None] = {}
        line = table.line_num + 1
        for cells in table:
            if cells:
                if len(cells) != width:
                    raise UnreadableRatings(name, line, "", f"expected {width} cells, got {len(cells)}")
                rating = _rating(cells, places, columns, name, line)
                if clusters.setdefault(rating.item_id, rating.cluster) != rating.cluster:
                    before = clusters[rating.item_id]
                    raise UnreadableRatings(
                        name,
                        line,
                        columns.get("cluster", "cluster"),
                        f"expected {before!r} as before for this item, got {rating.cluster!r}",
                    )
                yield rating
            line = table.line_num + 1  # A quoted cell may span lines: a row is named by its first.
    except csv.Error as problem:
        raise UnreadableRatings(name, line, "", f"expected CSV: {problem}") from None


def _lines(file: BinaryIO, name: str) -> Iterator[str]:
    """Decoded line by line, so that a byte that is not UTF-8 can be named by its line."""
    for number, raw in enumerate(file, start=1):
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as problem:
            raise UnreadableRatings(
                name, number, "", f"expected UTF-8, byte {problem.start + 1} is not"
            ) from None


def _places(header: list[str], name: str, columns: Mapping[str, str]) -> tuple[dict[str, int], int]:
    """Where each of our columns stands in the file, and how many cells a row has."""
    if unknown := sorted(set(columns) - {*NEEDED, *OPTIONAL}):
        raise UnreadableRatings(
            name, 1, unknown[0], f"expected one of {', '.join(NEEDED + OPTIONAL)} to rename"
        )
    places = {}
    for ours in NEEDED + OPTIONAL:
        theirs = columns.get(ours, ours)
        if header.count(theirs) > 1:
            raise UnreadableRatings(name, 1, theirs, "expected one column of this name, got several")
        if theirs in header:
            places[ours] = header.index(theirs)
        elif ours in NEEDED or ours in columns:
            found = ", ".join(header) or "none"
            raise UnreadableRatings(name, 1, theirs, f"expected a column of this name, got {found}")
    return places, len(header)


def _rating(
    cells: list[str], places: Mapping[str, int], columns: Mapping[str, str], name: str, line: int
) -> Rating:
    def wrong(ours: str, expected: str) -> UnreadableRatings:
        return UnreadableRatings(name, line, columns.get(ours, ours), expected)

    item_id, rater_id, label = (cells[places[ours]] for ours in NEEDED)
    for ours, cell in (("item_id", item_id), ("rater_id", rater_id)):
        if not cell.strip():
            raise wrong(ours, "expected an id, got an empty cell")
    occasion = cells[places["occasion"]] if "occasion" in places else "1"
    # Not int() alone: it takes 1_0, and fails on thousands of digits in words for programmers.
    if not (occasion.isascii() and occasion.isdigit() and len(occasion) <= 9):
        raise wrong("occasion", f"expected a whole number such as 1, got {occasion[:40]!r}")
    cluster = (cells[places["cluster"]] or None) if "cluster" in places else None
    return Rating(item_id, rater_id, label if label.strip() else None, int(occasion), cluster)

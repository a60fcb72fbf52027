"""Ratings as a table: `item_id,rater_id,label[,occasion][,cluster]`, one rating a row, or wide, a column a rater."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

NEEDED = ("item_id", "rater_id", "label")
OPTIONAL = ("occasion", "cluster")
WIDE = ("item_id", *OPTIONAL)  # in a wide table the other columns are the raters


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


def read(
    file: BinaryIO,
    name: str,
    columns: Mapping[str, str] | None = None,
    *,
    raters: Sequence[str] | None = None,
) -> Iterator[Rating]:
    """One Rating for every row that is not empty, in order. UTF-8, with or without a byte order mark.

    columns: where the file has another name for a column, as {"label": "severity"}.
    raters: the table is wide, these columns hold the labels and their names are the raters; of an empty list, all
    columns that are not item_id, occasion or cluster. One Rating then for every cell, row by row.
    Without the column, every rating is of occasion 1. Nothing is trimmed; a label of only spaces is missing.
    Raises UnreadableRatings at the first thing that is wrong: half a table would give a wrong agreement.
    """
    table = csv.reader(_lines(file, name), strict=True)
    columns = columns or {}
    line = 1
    try:
        header = next(table, [])
        if raters is None:
            places, labels = _places(header, name, columns, NEEDED), {}
        else:
            places = _places(header, name, columns, WIDE[:1])
            labels = _raters(header, name, places, raters)
        clusters: dict[str, str | None] = {}
        line = table.line_num + 1
        for cells in table:
            if cells:
                if len(cells) != len(header):
                    raise UnreadableRatings(name, line, "", f"expected {len(header)} cells, got {len(cells)}")
                if raters is None:
                    labels = {cells[places["rater_id"]]: places["label"]}
                found = list(_ratings(cells, places, labels, columns, name, line))
                if clusters.setdefault(found[0].item_id, found[0].cluster) != found[0].cluster:
                    before = clusters[found[0].item_id]
                    raise UnreadableRatings(
                        name,
                        line,
                        columns.get("cluster", "cluster"),
                        f"expected {before!r} as before for this item, got {found[0].cluster!r}",
                    )
                yield from found
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


def _places(
    header: list[str], name: str, columns: Mapping[str, str], needed: Sequence[str]
) -> dict[str, int]:
    """Where each of our columns stands in the file."""
    ours_all = (*needed, *OPTIONAL)
    if unknown := sorted(set(columns) - set(ours_all)):
        raise UnreadableRatings(name, 1, unknown[0], f"expected one of {', '.join(ours_all)} to rename")
    places = {}
    for ours in ours_all:
        theirs = columns.get(ours, ours)
        if header.count(theirs) > 1:
            raise UnreadableRatings(name, 1, theirs, "expected one column of this name, got several")
        if theirs in header:
            places[ours] = header.index(theirs)
        elif ours in needed or ours in columns:
            found = ", ".join(header) or "none"
            raise UnreadableRatings(name, 1, theirs, f"expected a column of this name, got {found}")
    return places


def _raters(header: list[str], name: str, places: Mapping[str, int], raters: Sequence[str]) -> dict[str, int]:
    """The columns of a wide table that hold labels, by the rater's name."""
    others = [column for place, column in enumerate(header) if place not in places.values()]
    chosen = list(raters) or others
    for rater in chosen:
        if not rater.strip():
            raise UnreadableRatings(name, 1, "", "expected a rater's name over every column of labels")
        if others.count(rater) != 1 or chosen.count(rater) != 1:
            raise UnreadableRatings(
                name,
                1,
                rater,
                f"expected one column of labels of this name, got {', '.join(others) or 'none'}",
            )
    if not chosen:
        raise UnreadableRatings(name, 1, "", "expected a column of labels for each rater, got none")
    return {rater: header.index(rater) for rater in chosen}


def _ratings(
    cells: list[str],
    places: Mapping[str, int],
    labels: Mapping[str, int],
    columns: Mapping[str, str],
    name: str,
    line: int,
) -> Iterator[Rating]:
    def wrong(ours: str, expected: str) -> UnreadableRatings:
        return UnreadableRatings(name, line, columns.get(ours, ours), expected)

    for ours in ("item_id", "rater_id"):
        if ours in places and not cells[places[ours]].strip():
            raise wrong(ours, "expected an id, got an empty cell")
    occasion = cells[places["occasion"]] if "occasion" in places else "1"
    # Not int() alone: it takes 1_0, and fails on thousands of digits in words for programmers.
    if not (occasion.isascii() and occasion.isdigit() and len(occasion) <= 9):
        raise wrong("occasion", f"expected a whole number such as 1, got {occasion[:40]!r}")
    cluster = (cells[places["cluster"]] or None) if "cluster" in places else None
    for rater, place in labels.items():
        label = cells[place] if cells[place].strip() else None
        yield Rating(cells[places["item_id"]], rater, label, int(occasion), cluster)

"""The raw rows as tables, for everyone who wants to compute the figures again."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reviews.audit import rows
from reviews.audit.clauses import CITED, NOT_CITED, by_clause
from reviews.audit.figures import Table
from reviews.models import Round


@dataclass(frozen=True)
class Rows:
    """Columns by name, and rows of as many values; times are ISO 8601 with their offset."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def _readings(round: Round) -> Rows:
    """Verdicts as `agreement` takes them, with a column for each clause: `--columns "label=cites H2"` recomputes that one."""
    found = rows.readings(round)
    keys = [clause.key for clause in by_clause(round, Table.of(()))]
    fixed = ("item_id", "rater_id", "label", "cluster", "domain", "checkpoint", "at", "planned")
    more = ("seconds", "chars", "minute")
    return Rows(
        (*fixed, *more, *(f"cites {key}" for key in keys)),
        [
            (
                one.item_id,
                one.rater_id,
                one.label,
                one.cluster,
                one.domain,
                one.checkpoint,
                one.at.isoformat(),
                one.planned,
                one.seconds,
                one.chars,
                one.minute,
                *(CITED if key in one.fails else NOT_CITED for key in keys),
            )
            for one in found
        ],
    )


def _gold(round: Round) -> Rows:
    return Rows(
        ("rater_id", "reviewer_kind", "item_id", "right", "said", "at", "depth"),
        [
            (one.rater_id, one.reviewer_kind, one.item_id, one.right, one.said, one.at.isoformat(), one.depth)
            for one in rows.gold(round)
        ],
    )


def _repeats(round: Round) -> Rows:
    return Rows(
        ("rater_id", "item_id", "first", "again", "days"),
        [(one.rater_id, one.item_id, one.first, one.again, one.days) for one in rows.repeats(round)],
    )


TABLES: dict[str, Callable[[Round], Rows]] = {"readings": _readings, "gold": _gold, "repeats": _repeats}


def table(round: Round, what: str) -> Rows:
    """One of `TABLES` of a round."""
    return TABLES[what](round)


def as_csv(table: Rows) -> Iterator[str]:
    """The table in lines of CSV, its head first."""
    for row in (table.columns, *table.rows):
        line = io.StringIO()
        csv.writer(line).writerow(map(_cell, row))
        yield line.getvalue()


def _cell(value: Any) -> Any:
    """Names come from files: one that a spreadsheet would run as a formula begins with an apostrophe."""
    if isinstance(value, float) and math.isnan(value):
        return ""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return "" if value is None else value


def as_parquet(table: Rows) -> bytes:
    """The same as Parquet. A column without any value is text."""
    arrays = {}
    for place, name in enumerate(table.columns):
        values = [row[place] for row in table.rows]
        kind = pa.string() if all(value is None for value in values) else None
        arrays[name] = pa.array(values, type=kind)
    written = io.BytesIO()
    pq.write_table(pa.table(arrays), written)
    return written.getvalue()


def digest(round: Round) -> str:
    """SHA-256 over all three tables as CSV: the same rows, the same digest."""
    found = hashlib.sha256()
    for what in sorted(TABLES):
        found.update(f"{what}\n".encode())
        for line in as_csv(table(round, what)):
            found.update(line.encode())
    return found.hexdigest()

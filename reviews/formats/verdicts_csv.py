"""Verdicts made elsewhere: `trace_digest` (or `prompt_id,model,sample_index`), `reviewer,verdict,clauses,comment`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from reviews.formats.records import RefusedLine

VERDICTS = ("accept", "reject", "unsure", "bad-prompt")


class UnreadableVerdicts(ValueError):
    """The file as a whole is no such table."""


@dataclass(frozen=True, slots=True)
class SaidElsewhere:
    """One verdict of one reviewer. The trace is named by digest, or by the three parts of its identity."""

    line: int
    trace_digest: bytes | None
    identity: tuple[str, str, int] | None
    reviewer: str
    verdict: str
    clauses: tuple[str, ...]
    remarks: tuple[str, ...]
    comment: str


def read(file: BinaryIO, name: str) -> Iterator[SaidElsewhere | RefusedLine]:
    """One SaidElsewhere or RefusedLine a row. Raises UnreadableVerdicts where the columns are not there."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", errors="surrogateescape")
    table = csv.DictReader(text, strict=True)
    try:
        columns = set(table.fieldnames or [])
        needs = {"reviewer", "verdict"}
        by_digest, by_identity = "trace_digest" in columns, {"prompt_id", "model", "sample_index"} <= columns
        if not needs <= columns or not (by_digest or by_identity):
            raise UnreadableVerdicts(
                f"{name}: expected the columns trace_digest (or prompt_id, model, sample_index), reviewer and verdict; "
                f"got {', '.join(sorted(columns)) or 'none'}"
            )
        for row in table:
            yield _row(row, table.line_num, name)
    except csv.Error as problem:
        raise UnreadableVerdicts(f"{name}, line {table.line_num}: not CSV: {problem}") from None
    finally:
        text.detach()  # the file is the caller's to close


def _row(row: dict[str, str], line: int, name: str) -> SaidElsewhere | RefusedLine:
    def refuse(field: str, reason: str) -> RefusedLine:
        kept = ",".join(str(value) for value in row.values()).encode(errors="surrogateescape")[:2000]
        return RefusedLine(name, line, field, reason, kept)

    if None in row or None in row.values():
        return refuse("", "the row has more or fewer columns than the first line")
    if any("\udc80" <= character <= "\udcff" for value in row.values() for character in value):
        return refuse("", "not UTF-8")
    if any("\0" in value for value in row.values()):
        return refuse("", "holds a NUL character")
    digest, identity = row.get("trace_digest", ""), None
    if digest:
        try:
            if len(bytes.fromhex(digest)) != 32:
                raise ValueError
        except ValueError:
            return refuse("trace_digest", f"expected 64 hex digits, got '{digest}'")
    else:
        try:
            identity = (row["prompt_id"], row["model"], int(row["sample_index"]))
        except (KeyError, ValueError):
            return refuse(
                "sample_index", "expected a trace_digest, or prompt_id, model and a whole sample_index"
            )
    if not (reviewer := row["reviewer"].strip()) or len(reviewer) > 150:
        return refuse("reviewer", "expected a name of 1 to 150 characters")
    if (verdict := row["verdict"].strip()) not in VERDICTS:
        return refuse("verdict", f"expected one of {', '.join(VERDICTS)}; got '{verdict}'")
    return SaidElsewhere(
        line,
        bytes.fromhex(digest) or None,
        identity,
        reviewer,
        verdict,
        _keys(row.get("clauses", "")),
        _keys(row.get("remarks", "")),
        row.get("comment", ""),
    )


def _keys(text: str) -> tuple[str, ...]:
    """`H1 H2`, `H1;H2` or `H1,H2` as clause keys."""
    return tuple(dict.fromkeys(text.replace(";", " ").replace(",", " ").split()))

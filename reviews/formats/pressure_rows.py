"""Rows for pressure: `prompt_id, accepted, [outcome], [align_pass], [form_pass], [domain], [exported]`, JSON Lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from reviews.formats.records import Refusal, RefusedLine
from reviews.formats.strict_json import kind, lines, parse_object


class PressureRow(NamedTuple):
    """One sampled trace. None: the file does not say. A trace without a verdict has accepted = 0 (C2)."""

    line: int
    prompt_id: str
    accepted: float
    outcome: str | None
    align_pass: bool | None
    form_pass: bool | None
    domain: str | None
    exported: bool | None


class UnreadablePressureRows(ValueError):
    """The file has a row that is no such row. Names file, line and field, and says what was expected there."""

    def __init__(self, file: str, line: int, field: str, reason: str) -> None:
        where = f"{file}, line {line}, {field}" if field else f"{file}, line {line}"
        super().__init__(f"{where}: {reason}")
        self.file, self.line, self.field, self.reason = file, line, field, reason


def read(file: BinaryIO, name: str, longest: int) -> Iterator[PressureRow]:
    """One PressureRow for every line that is not blank, in order and one at a time. Other keys are passed over.

    longest: bytes of a line. `accepted` is 0 to 1, or true or false, or null for a trace without a verdict; the
    key must be there. `outcome` is text, a number or true or false.
    Raises UnreadablePressureRows at the first row that is wrong: pressure of half a file would be a wrong one.
    """
    domains: dict[str, str | None] = {}
    for number, raw in lines(file, name, longest):
        if isinstance(raw, RefusedLine):
            raise UnreadablePressureRows(name, number, "", raw.reason)
        try:
            row = _row(number, parse_object(raw))
            before = domains.setdefault(row.prompt_id, row.domain)
            if before != row.domain:
                raise Refusal("domain", f"expected {before!r} as before for this prompt, got {row.domain!r}")
        except Refusal as refused:
            raise UnreadablePressureRows(name, number, refused.field, refused.reason) from None
        yield row


def _row(number: int, row: dict[str, Any]) -> PressureRow:
    prompt_id = row.get("prompt_id")
    if isinstance(prompt_id, int) and not isinstance(prompt_id, bool):
        prompt_id = str(prompt_id)
    if not isinstance(prompt_id, str) or not prompt_id.strip():
        raise Refusal("prompt_id", f"expected an id, got {_got(row, 'prompt_id')}")
    return PressureRow(
        number,
        prompt_id,
        _accepted(row),
        _outcome(row),
        _flag(row, "align_pass"),
        _flag(row, "form_pass"),
        _text(row, "domain"),
        _flag(row, "exported"),
    )


def _accepted(row: dict[str, Any]) -> float:
    if "accepted" not in row:
        raise Refusal(
            "accepted", "expected a number from 0 to 1, got nothing; null is a trace without a verdict"
        )
    value = row["accepted"]
    if value is None:
        return 0.0
    if not isinstance(value, (bool, int, float)):
        raise Refusal("accepted", f"expected a number from 0 to 1, got {kind(value)}")
    if not 0 <= value <= 1:
        raise Refusal("accepted", f"expected a number from 0 to 1, got {value:.6g}")
    return float(value)


def _outcome(row: dict[str, Any]) -> str | None:
    value = row.get("outcome")
    if value is None:
        return None
    if isinstance(value, (bool, int, float)):
        return str(value).lower()
    return _text(row, "outcome")


def _text(row: dict[str, Any], field: str) -> str | None:
    value = row.get(field)
    if value is not None and not isinstance(value, str):
        raise Refusal(field, f"expected text, got {kind(value)}")
    return value or None


def _flag(row: dict[str, Any], field: str) -> bool | None:
    value = row.get(field)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    raise Refusal(field, f"expected true or false, got {kind(value)}")


def _got(row: dict[str, Any], field: str) -> str:
    return kind(row[field]) if field in row else "nothing"

"""The canonical trace: one JSON object a line, as docs/formats.md has it. Plain or gzip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from reviews.formats import strict_json
from reviews.formats.records import Refusal, RefusedLine, Sample

NAME = "canonical"
LARGEST_INDEX = 2**31 - 1


def read(file: BinaryIO, name: str, longest: int) -> Iterator[Sample | RefusedLine]:
    """One Sample or one RefusedLine for every line that is not blank, in order. Bad content never raises."""
    for number, raw in strict_json.lines(file, name, longest):
        if isinstance(raw, RefusedLine):
            yield raw
            continue
        try:
            yield sample(strict_json.parse_object(raw), number)
        except Refusal as refusal:
            kept = raw[: strict_json.KEPT_OF_A_REFUSED_LINE]
            yield RefusedLine(name, number, refusal.field, refusal.reason, kept)


def sample(row: dict[str, Any], line: int) -> Sample:
    """The Sample of one parsed object. Raises Refusal, which names the field."""
    reasoning = _optional(row, "reasoning", str, "text") or ""
    answer = _optional(row, "answer", str, "text or null")
    if not reasoning and not answer:
        raise Refusal("reasoning", "nothing to judge: both reasoning and answer are empty")
    index = _optional(row, "sample_index", int, "a whole number")
    if index is not None and not 0 <= index <= LARGEST_INDEX:
        raise Refusal("sample_index", f"expected a whole number from 0 to {LARGEST_INDEX:,}, got {index}")
    known = {"prompt_id", "prompt", "reasoning", "answer", "model", "sample_index", "sampling", "meta"}
    meta = _optional(row, "meta", dict, "an object") or {}
    if unknown := {key: value for key, value in row.items() if key not in known}:
        meta = {
            **meta,
            "unknown_keys": unknown,
            **({"unknown_keys_before": meta["unknown_keys"]} if "unknown_keys" in meta else {}),
        }  # kept, never dropped
    return Sample(
        line=line,
        prompt_id=_optional(row, "prompt_id", str, "text"),
        model=_optional(row, "model", str, "text"),
        sample_index=index,
        prompt=prompt(row),
        reasoning=reasoning,
        answer=answer,
        sampling=_optional(row, "sampling", dict, "an object") or {},
        meta=meta,
    )


def prompt(row: dict[str, Any]) -> str | list[dict[str, Any]]:
    """The prompt of a row: text, or a list of chat messages with role and content. Raises Refusal."""
    value = row.get("prompt")
    if isinstance(value, str) and value:
        return value
    if not isinstance(value, list) or not value:
        got = "an empty one" if value in ("", []) else strict_json.kind(value)
        raise Refusal("prompt", f"expected text or a list of chat messages, got {got}")
    for place, message in enumerate(value, start=1):
        if not isinstance(message, dict):
            raise Refusal("prompt", f"message {place}: expected an object, got {strict_json.kind(message)}")
        for part in ("role", "content"):
            if not isinstance(message.get(part), str):
                got = strict_json.kind(message.get(part)) if part in message else "nothing"
                raise Refusal("prompt", f"message {place}, {part}: expected text, got {got}")
    return value


def _optional(row: dict[str, Any], field: str, wanted: type, expected: str) -> Any:
    value = row.get(field)
    if value is None or (isinstance(value, wanted) and not isinstance(value, bool)):
        return value
    raise Refusal(field, f"expected {expected}, got {strict_json.kind(value)}")

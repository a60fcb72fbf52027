"""A guess where prompt, reasoning and answer stand in a stranger's file, from its first rows."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from reviews.formats import canonical_traces, json_documents, mapped_traces, roles, strict_json
from reviews.formats.mapping import NONE, SPLITS, Mapping, Rows
from reviews.formats.paths import escaped
from reviews.formats.records import Refusal, RefusedLine

ROWS_LOOKED_AT, BYTES_LOOKED_AT = 50, 64 * 2**20
LISTS = ("results", "samples", "data", "rows", "examples", "items", "records", "traces", "responses")
PACKED = {
    b"PK\x03\x04": "a zip archive. Unpack it and open the JSON Lines file inside",
    b"PAR1": "a Parquet file. Write it as JSON Lines, one object a line, and open that",
    b"\x1f\x8b": "packed with gzip. Unpack it first",
    b"\x28\xb5\x2f\xfd": "packed with zstd. Unpack it first",
    b"SQLite format 3": "an SQLite database. Write its rows as JSON Lines and open that",
    b"ARROW1": "an Arrow file. Write it as JSON Lines, one object a line, and open that",
}


@dataclass(frozen=True)
class Guess:
    """What a file seems to hold.

    `mapping` is None when it is canonical as it is, or cannot be opened (`missing` says why). `sentence` is
    one line for people; `found` holds what was found even where it is not enough for a mapping.
    """

    mapping: Mapping | None
    sentence: str
    missing: list[str] = field(default_factory=list)
    canonical: bool = False
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def openable(self) -> bool:
        """Whether the file can be read, as canonical or by the mapping."""
        return self.canonical or self.mapping is not None


@dataclass(frozen=True)
class _Looked:
    rows: list[dict[str, Any]]
    more: bool = False
    how: Rows = "jsonl"
    at: str = ""


def guess(file: BinaryIO, name: str, longest: int) -> Guess:
    """Guess from the first rows of a file that can seek; where it then stands means nothing.

    Never raises for what the file holds: where it cannot be opened the guess says so.
    """
    try:
        file.seek(0)
        head = file.read(4096)
        if reason := _unreadable(head, name):
            return _cannot(name, f"{name} is {reason}.")
        if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"[", b""):
            return _cannot(name, f"{name} is {_kind_of_text(head, name)}. Winnow opens JSON and JSON Lines.")
        return _best(list(_looks(file, name, longest)), name)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return _cannot(name, f"{name} is packed with gzip and cut off or damaged.")


def _best(looks: list[_Looked], name: str) -> Guess:
    guesses = [_of_rows(looked, name) for looked in looks]
    if not guesses:
        return _cannot(name, f"{name} holds no JSON object: neither one a line nor a list of them.")
    best = max(
        guesses, key=lambda made: (made.openable, len(made.found.keys() & {"prompt", "reasoning", "answer"}))
    )
    if best.openable or len(looks) == 1:
        return best
    return next(
        made for made, looked in zip(guesses, looks, strict=True) if not looked.at
    )  # speak of the whole file


def _looks(file: BinaryIO, name: str, longest: int) -> Iterator[_Looked]:
    """Each way in which rows can be found in the file, the likelier first."""
    file.seek(0)
    rows, lines, size = [], 0, 0
    for _, raw in strict_json.lines(file, name, longest):
        if lines == ROWS_LOOKED_AT or size > BYTES_LOOKED_AT:
            break
        lines += 1
        if not isinstance(raw, RefusedLine):
            size += len(raw)
            try:
                rows.append(strict_json.parse_object(raw))
            except Refusal:
                continue
    else:
        size = -1
    if 2 * len(rows) >= lines and rows:
        yield _Looked(rows, more=size >= 0)
    if len(rows) <= 1 or 2 * len(rows) < lines:
        yield from _documents(file)


def _documents(file: BinaryIO) -> Iterator[_Looked]:
    file.seek(0)
    content = file.read(json_documents.LARGEST_DOCUMENT + 1)
    if len(content) > json_documents.LARGEST_DOCUMENT:
        return
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return
    lists = [("", document)] if isinstance(document, list) else list(_lists(document))
    for at, rows in sorted(lists, key=lambda found: found[0] not in LISTS):
        if objects := [row for row in rows[:ROWS_LOOKED_AT] if isinstance(row, dict)]:
            yield _Looked(objects, len(rows) > ROWS_LOOKED_AT, "json-list", at)
    if isinstance(document, dict):
        yield _Looked([document], how="json-object")


def _lists(document: Any, at: str = "", depth: int = 0) -> Iterator[tuple[str, list[Any]]]:
    for key, value in document.items() if isinstance(document, dict) and depth < 3 else ():
        path = f"{at}.{escaped(key)}" if at else escaped(key)
        if key and isinstance(value, list) and value and isinstance(value[0], dict):
            yield path, value
        elif key:
            yield from _lists(value, path, depth + 1)


def _of_rows(looked: _Looked, name: str) -> Guess:
    rows = looked.rows
    count = f"First {len(rows)} rows" if looked.more else f"{len(rows)} row{'s' if len(rows) != 1 else ''}"
    if looked.how == "jsonl" and _is_canonical(rows):
        return Guess(None, f"{count}: canonical traces, read as they are.", canonical=True)
    found = roles.find(rows)
    missing = list(found.missing)
    if found.prompt is None or (found.reasoning is None and found.answer is None):
        said = _said(found.as_dict())
        reason = missing[0].partition(":")[0].removesuffix(".")
        sentence = f"{name} cannot be opened as it is: {reason[:1].lower()}{reason[1:]}." + (
            f" Found: {said}." if said else ""
        )
        return Guess(None, _printable(sentence), missing, found=found.as_dict())
    mapping = replace(found.mapping(), rows=looked.how, rows_at=looked.at)
    results = [result for row in rows for result in mapped_traces.samples(row, mapping, 1)]
    refused = [result for result in results if isinstance(result, Refusal)]
    if len(refused) == len(results):
        missing.append(f"No row could be read: {refused[0].field}: {refused[0].reason}.")
        return Guess(
            None, f"{name} cannot be opened by this guess. {missing[-1]}", missing, found=found.as_dict()
        )
    bad = (
        f" {len(refused)} of {len(results)} traces refused, the first for {refused[0].field}."
        if refused
        else ""
    )
    return Guess(mapping, f"{count}: {_said(mapping.as_dict())}.{bad}", missing, found=mapping.as_dict())


def _is_canonical(rows: list[dict[str, Any]]) -> bool:
    good = 0
    for row in rows:
        if not {"prompt", "reasoning"} <= row.keys() or roles.has_another_output(row):
            return False
        try:
            canonical_traces.sample(row, 1)
            good += 1
        except Refusal:
            continue
    return 2 * good > len(rows)


def _said(found: dict[str, Any]) -> str:
    """What was found in words: the three roles, the details, where the rows are."""
    parts = [f"{role} from `{found[role]}`" for role in ("prompt", "reasoning", "answer") if role in found]
    if found.get("split", NONE) != NONE:
        text, mark = found["reasoning"], SPLITS[found["split"]][1]
        parts[-1] = f"reasoning and answer from `{text}`, cut at `{mark}`"
    elif "reasoning" in found and "answer" not in found:
        parts.append("no separate answer")
    details = {
        "model": "model", "prompt_id": "prompt id", "sample_index": "sample number",
        "domain": "domain", "reference_answer": "reference answer",
    }  # fmt: skip
    more = [f"{words} from `{found[key]}`" for key, words in details.items() if key in found]
    if found.get("rows_at"):
        more.append(f"rows from `{found['rows_at']}`")
    return _printable("; ".join(part for part in (", ".join(parts), ", ".join(more)) if part))


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def _cannot(name: str, sentence: str) -> Guess:
    return Guess(None, _printable(sentence), [_printable(sentence)])


def _unreadable(head: bytes, name: str) -> str | None:
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        return "empty"
    if head.startswith(b"PK\x03\x04") and (name.lower().endswith(".eval") or b"header.json" in head):
        return ("an Inspect log, and Winnow has no reader for .eval yet. Write it as JSON with "
                "`inspect log convert --to json` and open that")  # fmt: skip
    for mark, reason in PACKED.items():
        if head.startswith(mark):
            return reason
    return "not text, so neither JSON nor JSON Lines" if b"\x00" in head else None


def _kind_of_text(head: bytes, name: str) -> str:
    ending = name.lower().rpartition(".")[2]
    first = head.split(b"\n", 1)[0]
    if ending in ("csv", "tsv"):
        return "a table (CSV)"
    if ending in ("yaml", "yml") or first.startswith(b"---") or first.rstrip().endswith(b":"):
        return "YAML"
    return "a table (CSV)" if first.count(b",") > 1 else "not JSON"

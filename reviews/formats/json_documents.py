"""One JSON document of rows: a list, perhaps inside objects, or one object that is the only row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from reviews.formats import strict_json
from reviews.formats.mapping import Mapping
from reviews.formats.paths import steps
from reviews.formats.records import Refusal, RefusedLine

LARGEST_DOCUMENT = 512 * 2**20
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)  # only ends are wanted; long numbers cannot fail
_BLANK = re.compile(r"[ \t\n\r]*")


def rows(
    file: BinaryIO, name: str, longest: int, mapping: Mapping
) -> Iterator[tuple[int, bytes | RefusedLine]]:
    """(row number, the row's own bytes) for the rows of one JSON document; RefusedLine where it breaks.

    The bytes of each row are cut out and parsed strictly alone, so that one bad row does not cost the others.
    """
    content = file.read(LARGEST_DOCUMENT + 1)
    number = 1
    try:
        if len(content) > LARGEST_DOCUMENT:
            raise Refusal(
                "", f"the document is larger than {LARGEST_DOCUMENT:,} bytes; write one object a line instead"
            )
        for number, piece in enumerate(_pieces(content, mapping), start=1):
            yield number, _not_too_long(piece.encode(), name, number, longest)
            number += 1  # where the document breaks, if it does before the next row
    except Refusal as refusal:
        kept = content[: strict_json.KEPT_OF_A_REFUSED_LINE]
        yield number, RefusedLine(name, number, refusal.field, refusal.reason, kept)


def _not_too_long(raw: bytes, name: str, number: int, longest: int) -> bytes | RefusedLine:
    if len(raw) <= longest:
        return raw
    reason = f"the row is longer than {longest:,} bytes, the most that MAX_LINE_MIB allows"
    return RefusedLine(name, number, "", reason, raw[: strict_json.KEPT_OF_A_REFUSED_LINE])


def _pieces(content: bytes, mapping: Mapping) -> Iterator[str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Refusal("", f"not UTF-8: byte {problem.start + 1} cannot be read") from None
    if mapping.rows == "json-object":
        yield text
        return
    place = _skip(text, 0)
    for step in steps(mapping.rows_at) if mapping.rows_at else ():
        place = _value_of(text, place, step.name)
    if text[place : place + 1] != "[":
        raise Refusal(
            "", f"expected a list of rows at `{mapping.rows_at}`" if mapping.rows_at else "expected a list"
        )
    place = _skip(text, place + 1)
    while text[place : place + 1] != "]":
        _, end = _decoded(text, place)
        yield text[place:end]
        place = _skip(text, end)
        if text[place : place + 1] == ",":
            place = _skip(text, place + 1)
        elif text[place : place + 1] != "]":
            raise Refusal("", f"not JSON: expected a comma at character {place + 1}")


def _value_of(text: str, place: int, key: str) -> int:
    """Where the value of a key of the object at `place` begins. Raises Refusal when it is not there."""
    while text[place : place + 1] in ("{", ","):
        place = _skip(text, place + 1)
        if text[place : place + 1] != '"':
            break
        name, end = _decoded(text, place)
        place = _skip(text, end)
        if text[place : place + 1] != ":":
            break
        place = _skip(text, place + 1)
        if name == key:
            return place
        place = _skip(text, _decoded(text, place)[1])
    raise Refusal("", f"the document has no list at `{key[:80]}`")


def _skip(text: str, place: int) -> int:
    blank = _BLANK.match(text, place)
    return blank.end() if blank else place


def _decoded(text: str, place: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, place)
    except json.JSONDecodeError as problem:
        raise Refusal("", f"not JSON: {problem.msg} at character {problem.pos + 1}") from None
    except RecursionError:
        raise Refusal("", f"nested more than {strict_json.DEEPEST} deep") from None

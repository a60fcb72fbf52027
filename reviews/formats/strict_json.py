"""JSON Lines read strictly: what Python's json lets pass silently is refused here, each line alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from reviews.formats.records import Refusal, RefusedLine

DEEPEST = 100
KEPT_OF_A_REFUSED_LINE = 2000


def lines(file: BinaryIO, name: str, longest: int) -> Iterator[tuple[int, bytes | RefusedLine]]:
    """(line number, bytes without the LF) for every line that is not blank; RefusedLine for one over `longest` bytes.

    Only LF ends a line: str.splitlines would also break at U+2028, which does occur in sampled text. A line that is
    too long is passed over in pieces, never held whole.
    """
    number = 0
    while piece := file.readline(longest + 1):
        number += 1
        if number == 1:
            piece = piece.removeprefix(
                b"\xef\xbb\xbf"
            )  # some editors put a mark at the start of a UTF-8 file
        if len(piece) > longest and not piece.endswith(b"\n"):
            kept = piece[:KEPT_OF_A_REFUSED_LINE]
            while piece and not piece.endswith(b"\n"):
                piece = file.readline(2**20)
            reason = f"the line is longer than {longest:,} bytes, the most that MAX_LINE_MIB allows"
            yield number, RefusedLine(name, number, "", reason, kept)
        elif piece.strip(b" \t\r\n"):
            yield number, piece.rstrip(b"\n")


def parse_object(raw: bytes) -> dict[str, Any]:
    """One JSON object. Raises Refusal for anything else: duplicate keys, NaN, lone surrogates, deep nesting."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_no_duplicates, parse_constant=_no_constants)
    except UnicodeDecodeError as problem:
        raise Refusal("", f"not UTF-8: byte {problem.start + 1} cannot be read") from None
    except json.JSONDecodeError as problem:
        raise Refusal("", f"not JSON: {problem.msg} at character {problem.pos + 1}") from None
    except RecursionError:
        raise Refusal("", f"nested more than {DEEPEST} deep") from None
    except ValueError:
        raise Refusal("", "not JSON that can be kept: a number has too many digits") from None
    if not isinstance(value, dict):
        raise Refusal("", f"expected an object {{…}}, got {kind(value)}")
    for key, part in value.items():
        _check(part, key)
    return value


def kind(value: Any) -> str:
    """What a JSON value is, in the words of an error message."""
    names = {
        str: "text",
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return "null" if value is None else names[type(value)]


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Refusal(twice, "the key stands twice in one object")
    return found


def _no_constants(name: str) -> Any:
    raise Refusal("", f"{name} is not a number that JSON has")


def _check(value: Any, field: str) -> None:
    """Refuse lone surrogates (they have no UTF-8), infinite numbers and nesting beyond DEEPEST."""
    waiting = [(field, 1), (value, 1)]
    while waiting:
        part, depth = waiting.pop()
        if isinstance(part, str):
            if any("\ud800" <= character <= "\udfff" for character in part) if not part.isascii() else False:
                raise Refusal(
                    field, "holds half of a surrogate pair (\\ud800–\\udfff alone), which no file can keep"
                )
        elif isinstance(part, float) and part in (float("inf"), float("-inf")):
            raise Refusal(field, "holds a number too large to keep")
        elif isinstance(part, (dict, list)):
            if depth >= DEEPEST:
                raise Refusal(field, f"nested more than {DEEPEST} deep")
            inside = [*part, *part.values()] if isinstance(part, dict) else part
            waiting += [(item, depth + 1) for item in inside]

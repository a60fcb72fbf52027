"""Paths into a row: dotted keys and a few selectors, read once and followed in every row."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

Item = int | str | None  # which one of the list or object that a path goes through
Location = tuple[str | int, ...]
LONGEST_PATH = 500


class Step(NamedTuple):
    """One step: `key`, `index`, `where` (name=value), `but-last`, `each` of a list, `keys` of an object."""

    kind: str
    name: str = ""
    value: str = ""
    number: int = 0


@lru_cache(maxsize=1024)  # every row asks for the same few
def steps(path: str) -> tuple[Step, ...]:
    """The steps of a path. Raises ValueError with the reason for one that cannot be read."""
    if not path or len(path) > LONGEST_PATH:
        raise ValueError(
            "the path is empty" if not path else f"the path has more than {LONGEST_PATH} characters"
        )
    found: list[Step] = []
    place, key, wants_key, literal = 0, "", True, False
    while place < len(path):
        character = path[place]
        if character == "\\" and place + 1 < len(path):
            key, place, literal = key + path[place + 1], place + 2, True
        elif character in ".[":
            if key or literal:
                found.append(_key(key, literal))
            elif wants_key and not (character == "[" and not found):
                raise ValueError(f"a key is missing before character {place + 1}")
            key, literal, wants_key, place = "", False, character == ".", place + 1
            if character == "[":
                end = path.find("]", place)
                if end < 0:
                    raise ValueError(f"the bracket at character {place} is not closed")
                found.append(_selector(path[place:end]))
                place = end + 1
        elif not wants_key and not key and found and found[-1].kind != "key":
            raise ValueError(f"expected a dot or a bracket at character {place + 1}")
        else:
            key, place, wants_key = key + character, place + 1, True
    if key or literal:
        found.append(_key(key, literal))
    elif wants_key:
        raise ValueError("the path ends with a dot")
    return tuple(found)


def escaped(key: str) -> str:
    """A key as a path writes it: with a backslash before what would mean something there."""
    written = "".join(f"\\{character}" if character in "\\.[]" else character for character in key)
    return "\\*" if written == "*" else written


def _key(key: str, literal: bool) -> Step:
    return Step("keys") if key == "*" and not literal else Step("key", key)


def _selector(inside: str) -> Step:
    if inside == "":
        return Step("each")
    if inside == ":-1":
        return Step("but-last")
    name, equals, value = inside.partition("=")
    if equals and name:
        return Step("where", name, value)
    digits = inside.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < 10:
        return Step("index", inside, number=int(inside))
    raise ValueError(f"[{inside[:40]}] is not a selector: there are [0], [-1], [:-1], [] and [key=value]")


class Found(NamedTuple):
    """What a path leads to. `taken`: where it stood; it may leave meta when it is kept exactly as it was."""

    there: bool = False
    value: Any = None
    taken: tuple[Location, ...] = ()
    many: bool = False


def find(row: Any, path: str, item: Item = None) -> Found:
    """What the path leads to in one row, for one item of its `[]` or `*`. Nothing there is no error."""
    return follow(row, steps(path), item)


def follow(row: Any, path: tuple[Step, ...], item: Item) -> Found:
    """The same for steps that are already read."""
    if len(path) == 1 and path[0].kind == "keys":
        return Found(isinstance(item, str), item if isinstance(item, str) else None)
    places: list[tuple[Location, Any]] = [((), row)]
    many = False
    for step in path:
        if step.kind == "index" and many:
            places = places[step.number :][:1] if step.number >= -len(places) else []
            many = False
        else:
            places = [after for at, value in places for after in _after(at, value, step, item)]
            many = many or step.kind in ("where", "but-last")
        if not places:
            return Found()
    values, taken = [value for _, value in places], tuple(at for at, _ in places)
    return Found(True, values, taken, True) if many else Found(True, values[0], taken)


def _after(at: Location, value: Any, step: Step, item: Item) -> Iterator[tuple[Location, Any]]:
    key: Item = item if step.kind in ("each", "keys") else step.name
    if isinstance(value, dict) and step.kind in ("key", "keys") and key in value:
        yield (*at, str(key)), value[key]
    elif isinstance(value, dict) and step.kind == "where" and value.get(step.name) == step.value:
        yield at, value
    elif isinstance(value, list) and step.kind in ("where", "but-last"):
        for place, part in enumerate(value if step.kind == "where" else value[:-1]):
            if step.kind == "but-last" or (isinstance(part, dict) and part.get(step.name) == step.value):
                yield (*at, place), part
    elif isinstance(value, list) and step.kind in ("key", "index", "each"):
        if step.kind == "key":
            key = (
                int(step.name)
                if step.name.isascii() and step.name.isdigit() and len(step.name) < 10
                else None
            )
        elif step.kind == "index":
            key = step.number if step.number >= 0 else len(value) + step.number
        if isinstance(key, int) and 0 <= key < len(value):
            yield (*at, key), value[key]

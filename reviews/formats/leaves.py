"""What stands in a stranger's rows and where: every text, list and chat with the path that leads to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from reviews.formats.paths import LONGEST_PATH, escaped, steps

DEEPEST, MOST_ITEMS, MOST_LEAVES = 8, 20, 2000
# These say how a text is wrapped, not what it is: the key above them does.
WRAPPERS = {"text", "content", "value", "message", "delta", "parts", "body", "output_text", "summary_text"}
NEVER_INSIDE = {
    "transcript",
    "events",
    "scores",
    "logprobs",
    "tools",
    "config",
    "store",
    "stats",
    "attachments",
}
WHOLE = {
    "usage",
    "sampling",
    "sampling_params",
    "sampling_parameters",
    "generation_config",
    "params",
    "parameters",
}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass
class Leaf:
    """One path: the keys on its way, lower case, and what it leads to as (number of the row, value)."""

    path: str
    keys: tuple[str, ...]
    spread: str  # the path up to its `[]` or `*`; empty: one value a row
    values: list[tuple[int, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The key that says what the value is."""
        return next((key for key in reversed(self.keys) if key not in WRAPPERS), self.keys[-1])

    @property
    def texts(self) -> list[str]:
        """Those of its values that are texts with something in them."""
        return [value for _, value in self.values if isinstance(value, str) and value]

    def share(self, rows: int) -> float:
        """In which share of the rows there is something other than null and nothing."""
        return len({row for row, value in self.values if value not in (None, "", [])}) / max(rows, 1)

    def lengths(self) -> dict[int, int]:
        """For each row the length of its list."""
        return {row: len(value) for row, value in self.values if isinstance(value, list)}

    @property
    def is_chat(self) -> bool:
        """Whether it is a list of chat messages in most rows."""
        return 2 * sum(isinstance(value, list) and _is_chat(value) for _, value in self.values) > len(
            self.values
        )


def leaves(rows: list[dict[str, Any]]) -> list[Leaf]:
    """Every leaf of these rows in the order of their keys; of very wide rows the first MOST_LEAVES."""
    found: dict[str, Leaf] = {}
    for number, row in enumerate(rows):
        for count, (path, keys, spread, value) in enumerate(_walk(row, "", (), "", 0)):
            if path not in found and len(found) < MOST_LEAVES and len(path) <= LONGEST_PATH:
                found[path] = Leaf(path, keys, spread)
            if path in found:
                found[path].values.append((number, value))
            if count > MOST_LEAVES * 10:
                break
    return list(found.values())


def normal(key: str) -> str:
    """A key in lower case, its words joined by underscores: `finishReason` is `finish_reason`."""
    return _HUMP.sub("_", key[:80]).lower().replace("-", "_").replace(" ", "_")


def keys_of(row: dict[str, Any], most: int = 20) -> str:
    """The keys of a row for a sentence, shortened, safe to write to any file."""
    shown = [f"`{key[:60]}`" for key in list(row)[:most]]
    listed = (", ".join(shown) or "no keys") + (f" and {len(row) - most} more" if len(row) > most else "")
    return "".join(character if character.isprintable() else "?" for character in listed)


def all_of(leaf: Leaf, kind: type) -> bool:
    """Whether all its values but null are of this kind, and there is one; true and false are no numbers."""
    values = [value for _, value in leaf.values if value is not None]
    return bool(values) and all(isinstance(value, kind) and not isinstance(value, bool) for value in values)


def ranked(found: Iterable[Leaf], names: Iterable[str], rows: int) -> Leaf | None:
    """The leaf whose name comes first in `names`; one that only holds it as a word comes later."""
    order = list(names)

    def rank(leaf: Leaf) -> tuple[bool, int, bool, int]:
        exact = leaf.name in order
        inside = [
            n
            for n, name in enumerate(order)
            if f"_{name}_" in f"_{leaf.name}_" and name not in ("text", "final")
        ]
        place = order.index(leaf.name) if exact else 100 + inside[0] if inside else 1000
        return leaf.share(rows) < 0.5, place, not leaf.spread, len(steps(leaf.path))

    known = [(rank(leaf), n, leaf) for n, leaf in enumerate(found)]
    known = [entry for entry in known if entry[0][1] < 1000]
    return min(known, key=lambda entry: entry[:2])[2] if known else None


def named(found: Iterable[Leaf], names: Iterable[str]) -> Leaf | None:
    """The leaf whose last key comes first in `names`, the least deep of equals."""
    order = list(names)
    known = [leaf for leaf in found if leaf.keys[-1] in order]
    return min(known, key=lambda leaf: (order.index(leaf.keys[-1]), leaf.path.count(".")), default=None)


Walked = Iterator[tuple[str, tuple[str, ...], str, Any]]


def _walk(value: Any, path: str, keys: tuple[str, ...], spread: str, depth: int) -> Walked:
    if depth > DEEPEST:
        return
    if isinstance(value, dict) and not (keys and keys[-1] in WHOLE):
        yield from _object(value, path, keys, spread, depth)
    elif isinstance(value, list) and value:
        yield from _list(value, path, keys, spread, depth)
    elif keys:
        yield path, keys, spread, value


def _object(value: dict[str, Any], path: str, keys: tuple[str, ...], spread: str, depth: int) -> Walked:
    for key, part in value.items():
        if key and normal(key) not in NEVER_INSIDE:
            yield from _walk(
                part, _join(path, escaped(key)), (*keys, *normal(key).split(".")), spread, depth + 1
            )
    alike: dict[frozenset[str], list[Any]] = {}
    for part in value.values():
        if isinstance(part, dict) and part:
            alike.setdefault(frozenset(part), []).append(part)
    for parts in alike.values():
        if len(parts) > 1 and not spread:  # one object for each model, for instance
            each = _join(path, "*")
            for part in parts[:MOST_ITEMS]:
                yield from _object(part, each, keys, each, depth + 1)


def _list(value: list[Any], path: str, keys: tuple[str, ...], spread: str, depth: int) -> Walked:
    if _is_chat(value):
        yield from _chat(value, path, keys, spread, depth)
    elif all(isinstance(part, dict) and isinstance(part.get("type"), str) for part in value):
        yield from _blocks(value, path, keys, spread, depth)
    elif all(isinstance(part, dict) for part in value):
        if keys and keys[-1] in WRAPPERS:  # the parts of one message, not a sample each
            for place, part in enumerate(value[:MOST_ITEMS]):
                yield from _object(part, f"{path}[{place}]", keys, spread, depth + 1)
        elif not spread:
            for part in value[:MOST_ITEMS]:
                yield from _object(part, f"{path}[]", keys, f"{path}[]", depth + 1)
    elif isinstance(value[0], list):
        if len(value) == 1:
            yield from _walk(value[0], f"{path}[0]", keys, spread, depth + 1)
    else:
        yield path, keys, spread, value
        if not spread and all(part is None or isinstance(part, str) for part in value):
            for part in value[:MOST_ITEMS]:
                yield f"{path}[]", keys, f"{path}[]", part


def _chat(value: list[Any], path: str, keys: tuple[str, ...], spread: str, depth: int) -> Walked:
    said = "role" if "role" in value[-1] else "from"
    who = value[-1][said]
    if who not in ("assistant", "gpt", "model"):
        yield path, keys, spread, value
        return
    if len(value) > 1:
        yield f"{path}[:-1]", keys, spread, value[:-1]
    last = f"{path}[{said}={who}][-1]"
    yield from _object(value[-1], last, (*keys, "assistant"), spread, depth + 1)


def _blocks(value: list[Any], path: str, keys: tuple[str, ...], spread: str, depth: int) -> Walked:
    kinds = [kind for kind in dict.fromkeys(part["type"] for part in value) if kind and "]" not in kind]
    for kind in kinds[:MOST_ITEMS]:
        for key, part in next(part for part in value if part["type"] == kind).items():
            if key and key not in ("type", "signature", "id") and isinstance(part, (str, list)):
                inner = (*keys, normal(kind), normal(key))
                yield from _walk(part, f"{path}[type={kind}].{escaped(key)}", inner, spread, depth + 1)


def _is_chat(value: list[Any]) -> bool:
    return bool(value) and all(
        isinstance(part, dict)
        and (
            (isinstance(part.get("role"), str) and "content" in part) or ("from" in part and "value" in part)
        )
        for part in value
    )


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key

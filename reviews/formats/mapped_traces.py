"""A stranger's rows read by a Mapping: JSON Lines, or one JSON document of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from reviews.formats import canonical_traces, json_documents, strict_json
from reviews.formats.leaves import keys_of
from reviews.formats.mapping import NONE, Mapping, cut
from reviews.formats.paths import Found, Item, Location, find, follow, steps
from reviews.formats.records import Refusal, RefusedLine, Sample

NAME = "mapped"
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def read(file: BinaryIO, name: str, longest: int, mapping: Mapping) -> Iterator[Sample | RefusedLine]:
    """One Sample or RefusedLine for every row, or for each item of a list in it. Never raises for content.

    Texts are kept byte for byte. In a JSON document the line is the row's number.
    """
    is_lines = mapping.rows == "jsonl"
    rows = (
        strict_json.lines(file, name, longest)
        if is_lines
        else json_documents.rows(file, name, longest, mapping)
    )
    for number, raw in rows:
        if isinstance(raw, RefusedLine):
            yield raw
            continue
        try:
            results = samples(strict_json.parse_object(raw), mapping, number)
        except Refusal as refusal:
            results = iter([refusal])
        for result in results:
            if isinstance(result, Refusal):
                kept = raw[: strict_json.KEPT_OF_A_REFUSED_LINE]
                yield RefusedLine(name, number, result.field, result.reason, kept)
            else:
                yield result


def samples(row: dict[str, Any], mapping: Mapping, line: int) -> Iterator[Sample | Refusal]:
    """The samples of one parsed row; a Refusal, not raised, in the place of each that cannot go in."""
    try:
        spread = _spread(row, mapping)
        items: list[Item] = list(next(iter(spread.values()))) if spread else [None]
    except Refusal as refusal:
        yield refusal
        return
    for item in items:
        try:
            yield _Reading(row, mapping, item, spread).sample(line)
        except Refusal as refusal:
            yield refusal


def _spread(row: dict[str, Any], mapping: Mapping) -> dict[Location, list[int] | list[str]]:
    """For each list or object that is exploded: where it stands, its indexes or keys."""
    spread: dict[Location, list[int] | list[str]] = {}
    for field in ("reasoning", "answer"):
        path = getattr(mapping, field)
        place = next((n for n, step in enumerate(steps(path or "-")) if step.kind in ("each", "keys")), None)
        if path is None or place is None:
            continue
        before = steps(path)[:place]
        found = follow(row, before, None) if before else Found(True, row, ((),))
        if steps(path)[place].kind == "keys" and isinstance(found.value, dict):
            items: Any = [key for key in found.value if find(row, path, key).there]
        elif isinstance(found.value, list) and not found.many:
            items = list(range(len(found.value)))
        else:
            raise Refusal(field, _nothing_at(path, row))
        if not items:
            raise Refusal(field, f"no sample in it: what `{path}` goes through is empty")
        if spread and len(items) != len(next(iter(spread.values()))):
            raise Refusal(
                field, f"`{mapping.reasoning}` has {len(next(iter(spread.values())))}, `{path}` {len(items)}"
            )
        spread[found.taken[0]] = items
    return spread


class _Reading:
    """One sample being read. `taken` grows by what is kept as it stood; the rest of the row is meta."""

    def __init__(self, row: dict[str, Any], mapping: Mapping, item: Item,
                 spread: dict[Location, list[int] | list[str]]) -> None:  # fmt: skip
        self.row, self.mapping, self.item = row, mapping, item
        self.taken = {(*at, other) for at, items in spread.items() for other in items if other != item}

    def sample(self, line: int) -> Sample:
        """The Sample. Raises Refusal, which names the field."""
        prompt = self.prompt()
        reasoning, answer = self.text("reasoning"), self.text("answer")
        raw, rule = None, ""
        if self.mapping.split != NONE and reasoning:
            whole = reasoning
            reasoning, answer, rule = cut(whole, self.mapping.split)
            raw = whole if rule else None
        if not reasoning and not answer:
            raise Refusal("reasoning", "nothing to judge: both reasoning and answer are empty")
        index = self.detail("sample_index", int, "a whole number")
        if index is not None and not 0 <= index <= canonical_traces.LARGEST_INDEX:
            most = f"{canonical_traces.LARGEST_INDEX:,}"
            raise Refusal("sample_index", f"expected a whole number from 0 to {most}, got {index}")
        if index is None and isinstance(self.item, int):
            index = self.item
        prompt_id = self.detail("prompt_id", str | int, "text or a whole number")
        return Sample(
            line=line,
            prompt_id=None if prompt_id is None else str(prompt_id),
            model=self.detail("model", str, "text"),
            sample_index=index,
            prompt=prompt,
            reasoning=reasoning or "",
            answer=answer,
            sampling=self.sampling(),
            meta=self.meta(),
            raw=raw,
            split_rule=rule,
        )

    def prompt(self) -> str | list[dict[str, Any]]:
        found = find(self.row, self.mapping.prompt, self.item)
        if not found.there or found.value is None:
            raise Refusal("prompt", _nothing_at(self.mapping.prompt, self.row))
        value = [_message(part) for part in found.value] if isinstance(found.value, list) else found.value
        if value == found.value:
            self.taken.update(found.taken)
        return canonical_traces.prompt({"prompt": value})

    def text(self, field: str) -> str | None:
        path = getattr(self.mapping, field)
        found = find(self.row, path, self.item) if path else Found()
        value = found.value
        if isinstance(value, str) or (found.many and len(value) == 1 and isinstance(value[0], str)):
            self.taken.update(found.taken)
            return value if isinstance(value, str) else str(value[0])
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            # Steps get a line each. Blocks of one message get nothing between: the model wrote nothing there.
            return ("" if found.many else "\n").join(value)
        if value is None or (isinstance(value, (int, float)) and field == "answer"):
            return None if value is None else json.dumps(value)
        raise Refusal(field, f"expected text at `{path}`, got {strict_json.kind(value)}")

    def detail(self, field: str, wanted: Any, expected: str) -> Any:
        path = getattr(self.mapping, field)
        found = find(self.row, path, self.item) if path else Found()
        if found.value is None:
            return None
        if not isinstance(found.value, wanted) or isinstance(found.value, bool):
            raise Refusal(field, f"expected {expected} at `{path}`, got {strict_json.kind(found.value)}")
        self.taken.update(found.taken)
        return found.value

    def sampling(self) -> dict[str, Any]:
        said: dict[str, Any] = {}
        for path in self.mapping.sampling:
            found = find(self.row, path, self.item)
            if not found.there:
                continue
            self.taken.update(found.taken)
            said.update(found.value if isinstance(found.value, dict) else {steps(path)[-1].name: found.value})
        return said

    def meta(self) -> dict[str, Any]:
        """The details that mean something to Winnow by name, and under `row` all that was not mapped."""
        said = {}
        for field in ("domain", "reference_answer", "finish_reason", "usage"):
            path = getattr(self.mapping, field)
            if path and (found := find(self.row, path, self.item)).value is not None:
                said[field] = found.value
                self.taken.update(found.taken)
        for path in self.mapping.parallel:
            found = find(self.row, path)
            if isinstance(found.value, list) and isinstance(self.item, int) and self.item < len(found.value):
                self.taken.update(
                    (*found.taken[0], other) for other in range(len(found.value)) if other != self.item
                )
        rest = _without(self.row, self.taken)
        return {**said, "row": rest} if rest else said


def _without(value: Any, taken: set[Location]) -> Any:
    """A copy of an object or list without these places; what became empty by it goes too."""
    gone = {at[0] for at in taken if len(at) == 1}
    deeper: dict[str | int, set[Location]] = {}
    for at in taken:
        if len(at) > 1 and at[0] not in gone:
            deeper.setdefault(at[0], set()).add(at[1:])
    parts = list(value.items() if isinstance(value, dict) else enumerate(value))
    left = [
        (key, _without(part, deeper[key]) if key in deeper else part)
        for key, part in parts
        if key not in gone
    ]
    left = [(key, part) for key, part in left if part or key not in deeper]
    return dict(left) if isinstance(value, dict) else [part for _, part in left]


def _message(part: Any) -> Any:
    """A chat message as Winnow has it: `from` and `value` renamed, a content of text blocks made one text."""
    if not isinstance(part, dict):
        return part
    if "from" in part and "value" in part and "role" not in part:
        role = ROLES.get(part["from"], part["from"]) if isinstance(part["from"], str) else part["from"]
        part = {"role": role, "content": part["value"]}
    content = part.get("content")
    if isinstance(content, list) and content and all(_is_text(block) for block in content):
        part = {**part, "content": "".join(block["text"] for block in content)}
    return part


def _is_text(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str)


def _nothing_at(path: str, row: dict[str, Any]) -> str:
    return f"nothing at `{path}`; the row has {keys_of(row)}"

"""Where prompt, reasoning and answer stand in a stranger's rows, how they are split, how rows are found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from reviews.formats.paths import Step, steps

Rows = Literal["jsonl", "json-list", "json-object"]

# Name of a rule, and the two marks that stand before the reasoning and between reasoning and answer.
SPLITS = {
    "think": ("<think>", "</think>"),
    "thinking": ("<thinking>", "</thinking>"),
    "thought": ("<|begin_of_thought|>", "<|end_of_thought|>"),
    "kimi": ("◁think▷", "◁/think▷"),
    "seed": ("<seed:think>", "</seed:think>"),
    "harmony": ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
}
NONE = "none"


class MappingProblem(ValueError):
    """A mapping that cannot be used: `field` is the wrong one, the sentence says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True)
class Mapping:
    """What to take from each row, as paths: dotted keys (`response.thinking`; a backslash before a dot that
    is part of a key), and after a key these selectors:

    `[0]`, `[-1]` one of a list; `[role=assistant]` those of a list whose key has that value; `[:-1]` all but
    the last; `[]` each of a list, `*` each key of an object: one sample for each (at most one of the two in
    a path). A path that is only `*` is the key's own name. A list of texts becomes one text, joined by LF;
    the texts of several blocks of one message are joined by nothing.

    `split` names a rule of SPLITS where `reasoning` leads to one text that holds reasoning and answer, or
    `none`. `rows`: `jsonl`; `json-list`, a list at `rows_at` ("" is the document itself); `json-object`, the
    document is the row. `parallel`: lists that run beside the one of `[]`; each sample keeps its own item of
    them in meta. Raises MappingProblem when a path cannot be read or two fields contradict each other.
    """

    prompt: str
    reasoning: str | None = None
    answer: str | None = None
    prompt_id: str | None = None
    model: str | None = None
    sample_index: str | None = None
    domain: str | None = None
    reference_answer: str | None = None
    finish_reason: str | None = None
    usage: str | None = None
    sampling: tuple[str, ...] = ()
    parallel: tuple[str, ...] = ()
    split: str = NONE
    rows: Rows = "jsonl"
    rows_at: str = ""

    def __post_init__(self) -> None:
        for field, path in self.paths():
            _checked(field, path)
        if self.reasoning is None and self.answer is None:
            raise MappingProblem("reasoning", "name where the reasoning is, or the answer, or both")
        if self.split not in (NONE, *SPLITS):
            allowed = ", ".join((NONE, *SPLITS))
            raise MappingProblem("split", f"there is no rule {_shown(self.split)}; the rules are {allowed}")
        if self.split != NONE and (self.reasoning is None or self.answer is not None):
            reason = "the rule takes the answer from the text of `reasoning`, so name only `reasoning`"
            raise MappingProblem("answer" if self.reasoning else "reasoning", reason)
        if self.rows not in get_args(Rows):
            raise MappingProblem(
                "rows", f"expected one of {', '.join(get_args(Rows))}, got {_shown(self.rows)}"
            )
        if self.rows_at and self.rows != "json-list":
            raise MappingProblem("rows_at", "only the rows of a json-list stand at a place of the document")
        if self.rows_at and any(step.kind != "key" for step in _checked("rows_at", self.rows_at)):
            raise MappingProblem("rows_at", "expected only keys with dots between them")

    def paths(self) -> Iterable[tuple[str, str]]:
        """(name of the field, path) for everything that is mapped, except `rows_at`."""
        for field in (*ROLES, *DETAILS):
            if (path := getattr(self, field)) is not None:
                yield field, path
        for field in LISTS:
            for path in getattr(self, field):
                yield field, path

    def as_dict(self) -> dict[str, Any]:
        """The mapping as JSON has it; what is not set is left out. `from_dict` gives it back."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
            if value not in (None, (), "")
        }

    @classmethod
    def from_dict(cls, value: Any) -> Mapping:
        """The mapping that a JSON value says. Raises MappingProblem, which names the field."""
        if not isinstance(value, dict):
            raise MappingProblem("", "expected an object with `prompt`, `reasoning` and so on")
        known = {field.name for field in fields(cls)}
        for name, part in value.items():
            if name not in known:
                raise MappingProblem(
                    str(name)[:80], f"there is no such field; the fields are {', '.join(sorted(known))}"
                )
            if name in LISTS:
                if not isinstance(part, list) or not all(isinstance(path, str) for path in part):
                    raise MappingProblem(name, "expected a list of paths")
            elif not (isinstance(part, str) or (part is None and name in OPTIONAL)):
                raise MappingProblem(name, "expected text")
        if "prompt" not in value:
            raise MappingProblem("prompt", "name where the prompt is")
        parts: dict[str, Any] = {name: tuple(part) if name in LISTS else part for name, part in value.items()}
        return cls(**parts)


ROLES = ("prompt", "reasoning", "answer")
DETAILS = (
    "prompt_id", "model", "sample_index", "domain", "reference_answer", "finish_reason", "usage",
)  # fmt: skip
LISTS = ("sampling", "parallel")
OPTIONAL = {"reasoning", "answer", *DETAILS}


def _checked(field: str, path: str) -> tuple[Step, ...]:
    try:
        found = steps(path)
    except ValueError as problem:
        raise MappingProblem(field, f"{_shown(path)} is not a path: {problem}") from None
    spreading = sum(step.kind in ("each", "keys") for step in found)
    if spreading > 1 or (spreading and field in ("prompt", "parallel")):
        reason = (
            "can hold no [] and no *" if field in ("prompt", "parallel") else "can hold only one of [] and *"
        )
        raise MappingProblem(field, f"{_shown(path)} {reason}")
    return found


def _shown(text: str) -> str:
    return f"`{text[:80]}`"


def cut(text: str, split: str) -> tuple[str, str | None, str]:
    """(reasoning, answer, name of the rule that cut) of one text; `join` undoes it to the byte.

    `think`: both marks, the first at the very start. `think-closed`: no mark at the start, for it was part
    of the prompt. `think-open`: the text ends before the closing mark, so there is no answer. Without any
    mark the whole text is reasoning and the name is empty.
    """
    opening, closing = SPLITS[split]
    begun = text.startswith(opening)
    reasoning, closed, answer = text.partition(closing)
    if closed:
        return (reasoning[len(opening) :], answer, split) if begun else (reasoning, answer, f"{split}-closed")
    return (text[len(opening) :], None, f"{split}-open") if begun else (text, None, "")


def join(reasoning: str, answer: str | None, rule: str) -> str:
    """The untouched completion that `cut` gave these three for."""
    name, _, kind = rule.partition("-")
    if not rule:
        return reasoning
    opening, closing = SPLITS[name]
    return (
        ("" if kind == "closed" else opening)
        + reasoning
        + ("" if kind == "open" else closing)
        + (answer or "")
    )

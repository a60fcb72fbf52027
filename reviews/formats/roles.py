"""Which leaf of the rows is the prompt, the reasoning, the answer: by its name, then by its values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from reviews.formats.leaves import Leaf, all_of, keys_of, leaves, named, normal, ranked
from reviews.formats.mapping import NONE, SPLITS, Mapping
from reviews.formats.role_names import (
    ANSWERS,
    DOMAINS,
    FINISHES,
    MODELS,
    NOT_A_PROMPT,
    NOT_AN_OUTPUT,
    PROMPT_IDS,
    PROMPTS,
    REASONINGS,
    REFERENCE_WORDS,
    REFERENCES,
    RESPONSES,
    SAMPLE_INDEXES,
    SAMPLINGS,
)  # fmt: skip

LONG = 80  # characters on average
BESIDE = (
    "finish",
    "correct",
    "score",
    "reward",
    "logprob",
    "verif",
    "valid",
    "pass",
    "grade",
    "token",
    "seed",
    "is_",
)


@dataclass
class Roles:
    """What was found, as paths, and a sentence for each of prompt, reasoning and answer that was not."""

    prompt: str | None = None
    reasoning: str | None = None
    answer: str | None = None
    split: str = NONE
    prompt_id: str | None = None
    model: str | None = None
    sample_index: str | None = None
    domain: str | None = None
    reference_answer: str | None = None
    finish_reason: str | None = None
    usage: str | None = None
    sampling: tuple[str, ...] = ()
    parallel: tuple[str, ...] = ()
    missing: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """What was found, as JSON has it."""
        parts = {part.name: getattr(self, part.name) for part in fields(self) if part.name != "missing"}
        return {
            name: list(part) if isinstance(part, tuple) else part
            for name, part in parts.items()
            if part not in (None, (), NONE)
        }

    def mapping(self) -> Mapping:
        """The Mapping. Raises MappingProblem where prompt, or both reasoning and answer, were not found."""
        return Mapping.from_dict(self.as_dict())


def has_another_output(row: dict[str, Any]) -> bool:
    """Whether a row also has a key that names a model's output, so that it is perhaps not canonical."""
    return any(
        normal(key) in RESPONSES and value and isinstance(value, str | list) for key, value in row.items()
    )


def find(rows: list[dict[str, Any]]) -> Roles:
    """The roles in these rows. Never raises."""
    every = leaves(rows)
    found = Roles()
    prompt = _prompt(every, len(rows))
    found.prompt = prompt.path if prompt else None
    _trace(found, [leaf for leaf in every if leaf is not prompt], len(rows))
    _details(found, every, prompt)
    _say_what_is_missing(found, every, rows)
    return found


def _prompt(every: list[Leaf], rows: int) -> Leaf | None:
    def fits(leaf: Leaf) -> bool:
        words = set(leaf.name.split("_"))
        if leaf.spread or "assistant" in leaf.keys or words & NOT_A_PROMPT or _is_reference(leaf):
            return False
        if not leaf.is_chat and not leaf.texts:
            return False
        # A key that only hints at a prompt must hold what reads like one, not a name such as `arith`.
        strong = leaf.name in PROMPTS and leaf.name not in ("task", "goal")
        return strong or any(" " in text and len(text) >= 20 for text in leaf.texts)

    return ranked([leaf for leaf in every if fits(leaf)], PROMPTS, rows)


def _trace(found: Roles, every: list[Leaf], rows: int) -> None:
    outputs = [
        leaf for leaf in every if leaf.texts and not _is_reference(leaf) and not _words(leaf) & NOT_AN_OUTPUT
    ]
    reasonings = [leaf for leaf in every if not _is_reference(leaf) and _holds_reasoning(leaf)]
    reasoning = ranked(reasonings, REASONINGS, rows)
    tagged, split = _tagged(outputs, rows)
    others = [leaf for leaf in outputs if leaf is not reasoning and (leaf is not tagged)]
    if reasoning and not (tagged and tagged.share(rows) > 2 * reasoning.share(rows)):
        answer = _answer_beside(reasoning, others, rows)
        if answer or not tagged:
            found.reasoning, found.answer = reasoning.path, answer.path if answer else None
            return
    if tagged:
        found.reasoning, found.split = tagged.path, split
        return
    whole = ranked(others, RESPONSES, rows) or ranked(others, ("solution", "solutions"), rows)
    if whole:
        # Nothing in it says where the answer begins: all of it is there to be judged, as reasoning.
        found.reasoning = whole.path
        plain = whole.name in ("solution", "solutions") or any(_is_reference(leaf) for leaf in every)
        names = [name for name in ANSWERS if plain or name not in ("answer", "answers")]
        picked = ranked(_beside(whole, others), names, rows)
        found.answer = picked.path if picked else None
        return
    if answer := ranked(others, ANSWERS, rows):
        # A text of some length is the response with its steps, whatever its key; a short one only the answer.
        is_long = sum(map(len, answer.texts)) >= LONG * len(answer.texts)
        setattr(found, "reasoning" if is_long else "answer", answer.path)


def _holds_reasoning(leaf: Leaf) -> bool:
    joined = leaf.name == "thoughts" or leaf.name.endswith("steps")
    if _words(leaf) & (NOT_AN_OUTPUT | {"requested", "tokens", "summary"}):
        return False
    if joined and leaf.spread.startswith(f"{leaf.path.removesuffix('[]')}"):
        return False  # steps of one trace, not a trace each
    if joined and any(isinstance(value, list) for _, value in leaf.values):
        return all(isinstance(part, str) for _, value in leaf.values for part in value or ())
    return bool(leaf.texts) and not ("[]" in leaf.spread and leaf.keys[-2:-1] == ("steps",))


def _answer_beside(reasoning: Leaf, others: list[Leaf], rows: int) -> Leaf | None:
    """The answer that goes with a separate reasoning: an output that does not hold the reasoning itself."""
    seen = dict(reversed(reasoning.values))

    def repeats(leaf: Leaf) -> bool:
        return any(
            isinstance(seen.get(row), str)
            and len(seen[row]) > 20
            and isinstance(text, str)
            and seen[row] in text
            for row, text in leaf.values[:5]
        )

    apart = [leaf for leaf in _beside(reasoning, others) if not repeats(leaf)]
    for names in (RESPONSES[:-1], ANSWERS, ("solution", "text")):
        if answer := ranked(apart, names, rows):
            return answer
    return None


def _beside(main: Leaf, others: Iterable[Leaf]) -> list[Leaf]:
    """Those that can go with the reasoning: of the same item, of a list as long, or one for the whole row."""
    apart = [
        leaf
        for leaf in others
        if leaf is not main and (leaf.spread in ("", main.spread) or leaf.path.endswith("[]"))
    ]
    same = [leaf for leaf in apart if leaf.spread == main.spread]
    return [
        *same,
        *(leaf for leaf in apart if leaf.spread != main.spread and (main.spread or not leaf.spread)),
    ]


def _tagged(outputs: list[Leaf], rows: int) -> tuple[Leaf | None, str]:
    """The text that holds marks between reasoning and answer in half of its values or more, and the split."""
    for split, (opening, closing) in SPLITS.items():
        holding = [
            leaf for leaf in outputs
            if 2 * sum(closing in text or text.startswith(opening) for text in leaf.texts) >= len(leaf.texts)
        ]  # fmt: skip
        if holding:
            return ranked(holding, RESPONSES, rows) or holding[0], split
    return None, NONE


def _details(found: Roles, every: list[Leaf], prompt: Leaf | None) -> None:
    main = next((leaf for leaf in every if leaf.path == (found.reasoning or found.answer)), None)
    near = [leaf for leaf in every if leaf.spread in ("", main.spread if main else "")]
    texts = [leaf for leaf in near if leaf.texts and max(map(len, leaf.texts)) <= 200]
    numbers = [leaf for leaf in near if all_of(leaf, int)]
    reference = named([leaf for leaf in near if _is_reference(leaf) and not leaf.is_chat], REFERENCES)
    if not reference:
        reference = named(
            [leaf for leaf in near if leaf.path not in (found.reasoning, found.answer)], ("answer",)
        )
    found.reference_answer = reference.path if reference else None
    model = named([leaf for leaf in texts if all_of(leaf, str)], MODELS)
    found.model = model.path if model else "*" if main and "*" in main.spread else None
    ids = [leaf for leaf in (*texts, *numbers) if not leaf.spread and leaf.path.count(".") == 0]
    by_prompt = named([leaf for leaf in ids if prompt and _names_the_prompt(leaf, prompt)], PROMPT_IDS)
    found.prompt_id = by_prompt.path if by_prompt else None
    index = named(
        [leaf for leaf in numbers if not leaf.spread and _tells_samples_apart(leaf, prompt, model)],
        SAMPLE_INDEXES,
    )
    found.sample_index = index.path if index else None
    for name, names in (("domain", DOMAINS), ("finish_reason", FINISHES)):
        leaf = named([leaf for leaf in texts if leaf is not prompt and not _is_reference(leaf)], names)
        setattr(found, name, leaf.path if leaf else None)
    usage = named([leaf for leaf in near if all_of(leaf, dict)], ("usage",))
    found.usage = usage.path if usage else None
    found.sampling = tuple(leaf.path for leaf in near if leaf.keys[-1] in SAMPLINGS and not leaf.spread)[:20]
    found.parallel = tuple(leaf.path for leaf in every if main and _runs_beside(leaf, main, every))


def _names_the_prompt(leaf: Leaf, prompt: Leaf) -> bool:
    """Whether it says which prompt it is: one id for each prompt. An id of each row does not."""
    prompts = {row: repr(value) for row, value in prompt.values}
    pairs = {(prompts.get(row), repr(value)) for row, value in leaf.values if value is not None}
    return len({first for first, _ in pairs}) == len(pairs) == len({second for _, second in pairs})


def _tells_samples_apart(leaf: Leaf, prompt: Leaf | None, model: Leaf | None) -> bool:
    prompts = {row: repr(value) for row, value in prompt.values} if prompt else {}
    models = {row: repr(value) for row, value in model.values} if model else {}
    seen = [(prompts.get(row), models.get(row), value) for row, value in leaf.values if value is not None]
    return len(set(seen)) == len(seen) and all(0 <= value <= 2**31 - 1 for _, _, value in seen)


def _runs_beside(leaf: Leaf, main: Leaf, every: list[Leaf]) -> bool:
    """Whether a list has an item for each of the samples that a row's list of texts holds."""
    listed = next((each for each in every if f"{each.path}[]" == main.path), None)
    if listed is None or leaf is listed or leaf.spread or not leaf.lengths():
        return False
    lengths = listed.lengths()
    same = all(lengths.get(row) == length for row, length in leaf.lengths().items())
    return same and any(hint in leaf.keys[-1] for hint in BESIDE) and not leaf.is_chat


def _say_what_is_missing(found: Roles, every: list[Leaf], rows: list[dict[str, Any]]) -> None:
    there = keys_of({key: None for row in rows for key in row})
    if rows and str(rows[0].get("object")).endswith(".chunk"):
        found.missing.append(
            "The rows are pieces of a streamed response. Put them together into one object a response."
        )
        found.prompt = found.reasoning = found.answer = None
    if found.prompt is None:
        found.missing.append(f"No prompt found: looked for {_listed(PROMPTS[:10])}; the rows have {there}.")
    if any("encrypted" in key for leaf in every for key in leaf.keys):
        found.missing.append("Reasoning is there only encrypted, so that nobody can review it.")
    if found.reasoning is None:
        empty = [
            leaf.path
            for leaf in every
            if leaf.name in REASONINGS and not leaf.texts and leaf.path.count("[") < 2
        ]
        why = f" (`{empty[0]}` is there and empty)" if empty else ""
        looked = _listed([*REASONINGS[:8], "<think>", *RESPONSES[:4]])
        found.missing.append(f"No reasoning found{why}: looked for {looked}; the rows have {there}.")
    elif found.answer is None and found.split == NONE:
        looked = _listed((*ANSWERS[:5], *RESPONSES[2:7], "</think>"))
        found.missing.append(
            f"No separate answer found, so all of `{found.reasoning}` is the reasoning: looked for "
            f"{looked}; the rows have {there}."
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _words(leaf: Leaf) -> set[str]:
    return set(leaf.name.split("_")) | set(leaf.keys[-1].split("_"))


def _is_reference(leaf: Leaf) -> bool:
    return any(key in REFERENCES or set(key.split("_")) & REFERENCE_WORDS for key in leaf.keys)

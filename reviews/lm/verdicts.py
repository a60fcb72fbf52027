"""What a target makes of each row: whether the reviewed texts stand in what the trainer learns from, and under its loss.

A row is exact where its completion is constant + reasoning + constant + answer + constant, with the same constants in
every row. That one equality finds texts that were dropped, trimmed, doubled or put into another channel, and anything
that was added. The constants are learnt from the first row of its kind (with or without reasoning, with or without an
answer), by rendering its prompt with texts that occur nowhere else; every row is then held against them.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from reviews.lm import framing
from reviews.lm.framing import Frame, Wrapper
from reviews.lm.rendering import Messages, NotRendered, Rendered, Renderer

RENDERED = "rendered"


class Verdict(StrEnum):
    """From best to worst; the worst that is true of a row is its verdict."""

    EXACT = "exact"
    TRUNCATED = "truncated"  # longer than the trainer's max_length, which cuts the end
    OUTSIDE_LOSS = "outside-loss"  # there, but not in what the loss is taken over
    PREFIX_BROKEN = "prefix-broken"  # the prompt alone ends otherwise than in the whole conversation
    WRONG_CHANNEL = "wrong-channel"  # there, but not where this template puts reasoning
    THINK_ADDED = "think-added"  # an empty block for reasoning that nobody reviewed
    WHITESPACE_ALTERED = "whitespace-altered"
    ALTERED = "altered"
    DROPPED = "dropped"
    NOT_RENDERED = "not-rendered"  # the template refuses the row, as it would in the trainer


@dataclass(frozen=True)
class Row:
    """One row to be judged. key: what to name it by; the answer of a trace that has none is empty."""

    key: str
    prompt: Messages
    reasoning: str
    answer: str


@dataclass(frozen=True)
class Judged:
    """What a target makes of one row.

    piece: what it concerns: `reasoning`, `answer`, `template` (the constants) or `prompt`; empty where all is exact.
    differ: how many code points are lost, added or outside the loss; for `truncated` how many tokens are cut.
    tokens, completion_tokens: of the whole row and under the loss; None without a tokenizer.
    """

    key: str
    verdict: Verdict
    piece: str = ""
    differ: int = 0
    why: str = ""
    tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True)
class _Kind:
    """What was learnt for rows of one kind. No frame: the template loses or repeats a text of every such row."""

    frame: Frame | None
    misplaced: bool = False


class Judge:
    """Judges rows of one format, `sft`, `sft-inline` or `rendered`, by one target; `row` is called for each in turn.

    Memory does not grow with the rows. Raises TargetError where the target cannot be used at all.
    """

    def __init__(self, renderer: Renderer, format: str, *, max_length: int | None = None) -> None:
        self.renderer, self.format, self.max_length = renderer, format, max_length
        self.kinds: dict[tuple[bool, bool], _Kind] = {}
        self.wrapper: Wrapper | None = framing.wrapper(renderer) if format == RENDERED else None

    def row(self, row: Row) -> Judged:
        """The verdict of one row. Raises TargetError when the target takes too long over it; bad texts never raise."""
        try:
            rendered = self._render(row)
            kind = self._kind(row)
        except NotRendered as problem:
            return Judged(row.key, Verdict.NOT_RENDERED, "prompt", 0, str(problem))
        verdict, piece, differ, why = self._verdict(row, rendered, kind)
        within = None
        if rendered.tokens is not None and rendered.shared_tokens is not None:
            within = rendered.tokens - rendered.shared_tokens
        return Judged(row.key, verdict, piece, differ, why, rendered.tokens, within)

    def _render(self, row: Row) -> Rendered:
        if self.wrapper is None:
            return self.renderer.conversation(
                row.prompt, framing.SHAPES[self.format](row.reasoning, row.answer)
            )
        prompt = self.wrapper.prompt(self.renderer, row.prompt, row.reasoning)
        return self.renderer.strings(prompt, self.wrapper.completion(row.reasoning, row.answer))

    def _kind(self, row: Row) -> _Kind:
        """What is known of rows like this one, learnt from the first of them."""
        has = (bool(row.reasoning), bool(row.answer))
        if has not in self.kinds:
            self.kinds[has] = self._learn(row.prompt, *has)
        return self.kinds[has]

    def _learn(self, prompt: Messages, reasoning: bool, answer: bool) -> _Kind:
        if self.wrapper is not None:
            frame = self.wrapper.frame
            return _Kind(frame if reasoning else Frame("", "", frame.after))
        _, found = framing.probe(self.renderer, prompt, self.format, reasoning=reasoning, answer=answer)
        inline = self.format == "sft-inline" and reasoning and found is not None
        return _Kind(found, bool(inline and found and framing.misplaced(self.renderer, prompt, found)))

    def _verdict(self, row: Row, rendered: Rendered, kind: _Kind) -> tuple[Verdict, str, int, str]:
        completion = rendered.whole[rendered.shared :]
        frame = kind.frame
        if frame is None or completion != frame.around(row.reasoning, row.answer):
            return self._changed(row, rendered, frame)
        if added := self._added(row, rendered, frame):
            return Verdict.THINK_ADDED, "template", len(frame.before), added
        if kind.misplaced or (self.wrapper is not None and row.reasoning and framing.closed(rendered.prompt)):
            why = f"the reasoning stands after {frame.before or rendered.prompt[-24:]!r}, not where this template has it"
            return Verdict.WRONG_CHANNEL, "reasoning", len(row.reasoning), why
        tail = rendered.prompt[rendered.shared :]
        if self.wrapper is not None and row.reasoning:
            tail = self.wrapper.tail
        if tail:
            why = f"the prompt alone ends in {tail!r}, which the whole conversation does not have"
            return Verdict.PREFIX_BROKEN, "prompt", len(tail), why
        for piece, length, outside in _outside(row, rendered, frame):
            if outside:
                why = f"{outside} of {length} code points are outside the template's generation blocks"
                return Verdict.OUTSIDE_LOSS, piece, outside, why
        if self.max_length is not None and rendered.tokens is not None and rendered.tokens > self.max_length:
            cut = rendered.tokens - self.max_length
            return Verdict.TRUNCATED, "answer", cut, f"{cut} of {rendered.tokens} tokens are cut off its end"
        return Verdict.EXACT, "", 0, ""

    def _added(self, row: Row, rendered: Rendered, frame: Frame) -> str:
        """What is written for reasoning beside the row's own, as a sentence; empty where nothing is."""
        marks = [framing.CLOSERS] if row.reasoning else [framing.CLOSERS, framing.OPENERS]
        if any(mark.search(frame.before) for mark in marks):
            return f"before the texts stands {frame.before!r}, which nobody reviewed"
        if self.wrapper is not None and not row.reasoning and framing.opened(rendered.prompt):
            return "the prompt opens a block for reasoning, and this row has none"
        return ""

    def _changed(self, row: Row, rendered: Rendered, frame: Frame | None) -> tuple[Verdict, str, int, str]:
        """The verdict of a row whose completion is not the frame around its texts."""
        completion = rendered.whole[rendered.shared :]
        expected = frame.around(row.reasoning, row.answer) if frame else None
        piece = "reasoning" if row.reasoning and row.reasoning not in completion else "answer"
        if expected and len(expected) > len(completion) and rendered.whole.endswith(expected):
            outside = len(expected) - len(completion)
            why = f"its first {outside} code points look like the end of the prompt, and are taken for it"
            return Verdict.OUTSIDE_LOSS, piece, outside, why
        if expected and squashed(expected) == squashed(completion):
            differ = white_space_differs(expected, completion)
            return Verdict.WHITESPACE_ALTERED, piece, differ, f"{differ} code points of white space differ"
        if row.reasoning and self._same_without(row, completion, "reasoning"):
            why = "the template writes the same with and without this reasoning"
            return Verdict.DROPPED, "reasoning", len(row.reasoning), why
        if row.answer and self._same_without(row, completion, "answer"):
            why = "the template writes the same with and without this answer"
            return Verdict.DROPPED, "answer", len(row.answer), why
        if row.reasoning in completion and row.answer in completion:
            why = "what the template writes around the texts differs from that of the first row like it"
            return Verdict.ALTERED, "template", stretch(expected or "", completion), why
        text = row.reasoning if piece == "reasoning" else row.answer
        differ = stretch(expected, completion) if expected else len(text)
        return Verdict.ALTERED, piece, differ, f"a stretch of {differ} code points is not as it was reviewed"

    def _same_without(self, row: Row, completion: str, piece: str) -> bool:
        """Whether the template writes the same, white space apart, for another text in this place, or for none."""
        if self.wrapper is not None:
            return False
        others = (framing.REASONING, "") if piece == "reasoning" else (framing.ANSWER, "")
        for other in others:
            texts = (other, row.answer) if piece == "reasoning" else (row.reasoning, other)
            shape = framing.SHAPES[self.format](*texts)
            with suppress(NotRendered):
                made = self.renderer.conversation(row.prompt, shape, count=False)
                if squashed(made.whole[made.shared :]) == squashed(completion):
                    return True
        return False


def _outside(row: Row, rendered: Rendered, frame: Frame) -> list[tuple[str, int, int]]:
    """For each text its length and how much of it a loss on the assistant's tokens alone would leave out."""
    if not rendered.spans:
        return []
    start = rendered.shared + len(frame.before)
    found, places = [], {"reasoning": start, "answer": start + len(row.reasoning) + len(frame.between)}
    for piece, text in (("reasoning", row.reasoning), ("answer", row.answer)):
        first, last = places[piece], places[piece] + len(text)
        inside = sum(max(0, min(last, end) - max(first, begin)) for begin, end in rendered.spans)
        found.append((piece, len(text), len(text) - inside))
    return found


def squashed(text: str) -> str:
    return "".join(text.split())


def white_space_differs(one: str, other: str) -> int:
    """How many code points of white space differ between two texts that are the same without any.

    Counted gap by gap between the characters that are left, so that trimmed ends do not count all that lies between.
    """
    gaps = zip(re.split(r"\S", one), re.split(r"\S", other), strict=True)
    return sum(stretch(mine, theirs) for mine, theirs in gaps if mine != theirs)


def stretch(one: str, other: str) -> int:
    """How long the stretch is in which two texts differ: what is left without their common start and end."""
    shorter = min(len(one), len(other))
    start = next((at for at in range(shorter) if one[at] != other[at]), shorter)
    rest = shorter - start
    end = next((at for at in range(rest) if one[-1 - at] != other[-1 - at]), rest)
    return max(len(one), len(other)) - start - end

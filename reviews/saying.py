"""What a reviewer says of a trace: the body of a decision, the same from every face, held against the spec."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from reviews.errors import Invalid
from reviews.formats import canonical
from reviews.models import Citation, Clause, Review, SpecVersion, Trace, Verdict


class ClauseNeeded(Invalid):
    code = "clause-needed"

    def __init__(self) -> None:
        super().__init__("clauses", _("A reject names the clause that fails: give at least one."))


@dataclass(frozen=True)
class Span:
    """Where a clause shows: offsets are code points of the stored text, the quote is what stands there."""

    clause: str
    part: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True)
class StepMark:
    """What is said of one step: its number from 1, where it stands in the reasoning (code points), and the label."""

    step: int
    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Said:
    """What a reviewer says of one trace: the body of a decision, the same from every face.

    holds: the clauses that hold, where every one was judged. other: rejected for what no clause says, which the comment
    then must. stage: `answer-only` for a verdict given before the chain was shown. relative: picked, or not picked, from
    several samples side by side: then no clause is at fault.
    """

    verdict: str
    clauses: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    comment: str = ""
    seconds: float | None = None
    holds: tuple[str, ...] = ()
    other: bool = False
    steps: tuple[StepMark, ...] = ()
    stage: str = Review.Stage.FINAL
    relative: bool = False
    shown_share: float | None = None
    words_a_minute: float | None = None

    def digest(self, trace: Trace, kind: str) -> bytes:
        """Of all that was decided, not of how it was read: the same decision sent twice may have been held longer."""
        spans = [[span.clause, span.part, span.start, span.end, span.quote] for span in self.spans]
        body: list[Any] = [kind, trace.pk, self.verdict, sorted(self.clauses), sorted(self.remarks), spans]
        body.append(self.comment)
        more: dict[str, Any] = {
            "holds": sorted(self.holds),
            "other": self.other,
            "steps": [[mark.step, mark.start, mark.end, mark.label] for mark in self.steps],
            "relative": self.relative,
            "stage": "" if self.stage == Review.Stage.FINAL else self.stage,
        }
        if said := {name: value for name, value in more.items() if value}:
            body.append(said)
        return canonical.digest(body)


def clauses_of(spec: SpecVersion | None) -> dict[str, Clause]:
    """The clauses of a version by key, in its order."""
    return {
        clause.key: clause
        for clause in Clause.objects.filter(spec_version=spec).select_related("spec_version")
    }


def citations(said: Said, known: dict[str, Clause], trace: Trace) -> list[Citation]:
    """The citations that a decision makes, unsaved. Raises Invalid, which says what does not fit the spec."""
    _check_verdict(said)
    if not said.clauses and not said.remarks and not said.spans and not said.holds:
        return []
    _check_clauses(said, known)
    marked: dict[str, list[Span]] = {}
    for span in said.spans:
        if span.clause not in said.clauses and span.clause not in said.remarks:
            raise Invalid(
                "spans",
                _("A span shows clause %(clause)s, which the verdict does not cite.")
                % {"clause": span.clause},
            )
        _check_span(span, trace)
        marked.setdefault(span.clause, []).append(span)
    held = Citation.Held
    ways = ((said.clauses, held.FAILS), (said.holds, held.HOLDS), (said.remarks, held.REMARK))
    return [
        Citation(clause=known[key], held=how, **mark)
        for keys, how in ways
        for key in dict.fromkeys(keys)
        for mark in _marks(marked.get(key, []))
    ]


def _marks(spans: list[Span]) -> Iterator[dict[str, Any]]:
    """The columns of a citation for each span of a clause, or none where nothing was marked."""
    for span in spans:
        yield {"part": span.part, "start": span.start, "end": span.end, "quote": span.quote.encode()}
    if not spans:
        yield {}


def _check_verdict(said: Said) -> None:
    if said.verdict not in Verdict.values:
        raise Invalid(
            "verdict",
            _("A verdict is accept, reject, unsure or bad-prompt; got '%(verdict)s'.")
            % {"verdict": said.verdict},
        )
    if "\0" in said.comment or len(said.comment) > 20_000:
        raise Invalid("comment", _("A comment has at most 20,000 characters and no NUL."))
    if said.other and said.verdict != Verdict.REJECT:
        raise Invalid(
            "other",
            _("Only a reject can have another reason; the verdict is %(verdict)s.")
            % {"verdict": said.verdict},
        )
    if said.other and not said.comment.strip():
        raise Invalid(
            "comment", _("A reject for another reason than a clause says in the comment which: write it.")
        )
    final = said.stage == Review.Stage.FINAL
    unexplained = not said.clauses and not said.other and not said.relative
    if said.verdict == Verdict.REJECT and final and unexplained:
        raise ClauseNeeded
    if said.verdict in (Verdict.ACCEPT, Verdict.BAD_PROMPT) and said.clauses:
        raise Invalid(
            "clauses",
            _("The verdict %(verdict)s cites no clause; reject names the clause that fails.")
            % {"verdict": said.verdict},
        )


def _check_clauses(said: Said, known: dict[str, Clause]) -> None:
    for key in (*said.clauses, *said.holds, *said.remarks):
        if key not in known:
            raise Invalid(
                "clauses",
                _("'%(key)s' is no clause of this spec; it has %(known)s.")
                % {"key": key, "known": ", ".join(known) or "none"},
            )
    for key in said.clauses:
        if not known[key].selects:
            raise Invalid(
                "clauses", _("%(key)s is about form: a remark, never a reason to reject.") % {"key": key}
            )
    if both := set(said.clauses) & set(said.holds):
        raise Invalid("holds", _("%(key)s cannot both hold and fail.") % {"key": sorted(both)[0]})
    if said.holds:
        judged = {*said.clauses, *said.holds, *said.remarks}
        for key, clause in known.items():
            if clause.selects and key not in judged:
                raise Invalid(
                    "holds",
                    _("%(key)s was not judged. Say of each clause whether it holds or fails.") % {"key": key},
                )


def check_every_clause(said: Said) -> None:
    """For a reading drawn for it: each clause is judged before the whole is. Raises Invalid."""
    decides = said.verdict in (Verdict.ACCEPT, Verdict.REJECT) and said.stage == Review.Stage.FINAL
    if decides and not said.holds and not len(said.clauses) > 1 and not (said.clauses and said.other):
        raise Invalid(
            "holds", _("This trace was drawn for it: say of each clause whether it holds or fails.")
        )


def check_steps(said: Said, trace: Trace, mode: str) -> None:
    """Hold the labels of steps against the round's mode and the chain. Raises Invalid, which names the step."""
    if said.steps and mode not in ("steps", "first-wrong"):
        raise Invalid("steps", _("This round does not label steps."))
    end = 0
    for mark in said.steps:
        if mark.label not in ("good", "neutral", "bad"):
            raise Invalid(
                "steps",
                _("A step is good, neutral or bad; step %(step)s is '%(label)s'.")
                % {"step": mark.step, "label": mark.label},
            )
        if not end <= mark.start < mark.end <= trace.reasoning.chars:
            raise Invalid(
                "steps",
                _("Step %(step)s does not lie in the reasoning, behind the step before.")
                % {"step": mark.step},
            )
        end = mark.end
    numbers = [mark.step for mark in said.steps]
    if numbers != sorted(set(numbers)) or (numbers and numbers[0] < 1):
        raise Invalid("steps", _("Steps are numbered from 1, each once and in order."))
    if mode == "first-wrong" and any(mark.label == "bad" for mark in said.steps[:-1]):
        raise Invalid("steps", _("Judging stops at the first wrong step: only the last label can be bad."))
    decides = said.verdict in (Verdict.ACCEPT, Verdict.REJECT) and said.stage == Review.Stage.FINAL
    if mode == "steps" and decides and numbers != list(range(1, len(numbers) + 1)):
        missing = next(number for number, step in enumerate(numbers, start=1) if number != step)
        raise Invalid(
            "steps",
            _("Step %(missing)s has no label. Say of each step: good, neutral or bad.")
            % {"missing": missing},
        )
    if mode == "steps" and decides and not numbers and trace.reasoning.chars:
        raise Invalid("steps", _("No step has a label. Say of each step: good, neutral or bad."))


def _check_span(span: Span, trace: Trace) -> None:
    texts = {"reasoning": trace.reasoning, "answer": trace.answer}
    text = texts.get(span.part)
    if text is None:
        raise Invalid(
            "spans",
            _("A span lies in the reasoning or the answer of the trace; got '%(part)s'.")
            % {"part": span.part},
        )
    if not 0 <= span.start < span.end <= text.chars or text.as_text[span.start : span.end] != span.quote:
        raise Invalid(
            "spans",
            _(
                "The quote does not stand at %(start)s–%(end)s of the %(part)s. Offsets count code points, "
                "from 0."
            )
            % {"start": span.start, "end": span.end, "part": span.part},
        )

"""What a reviewer says of a trace: the body of a decision, the same from every face, held against the spec."""

from __future__ import annotations

from dataclasses import dataclass

from reviews.errors import Invalid
from reviews.formats import canonical
from reviews.models import Citation, Clause, SpecVersion, Trace, Verdict


class ClauseNeeded(Invalid):
    code = "clause-needed"

    def __init__(self) -> None:
        super().__init__("clauses", "A reject names the clause that fails: give at least one.")


@dataclass(frozen=True)
class Span:
    """Where a clause shows: offsets are code points of the stored text, the quote is what stands there."""

    clause: str
    part: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True)
class Said:
    """What a reviewer says of one trace: the body of a decision, the same from every face."""

    verdict: str
    clauses: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    comment: str = ""
    seconds: float | None = None

    def digest(self, trace: Trace, kind: str) -> bytes:
        """Of all but the seconds: the same decision sent twice may have been held longer the second time."""
        spans = [[span.clause, span.part, span.start, span.end, span.quote] for span in self.spans]
        return canonical.digest(
            [kind, trace.pk, self.verdict, sorted(self.clauses), sorted(self.remarks), spans, self.comment]
        )


def clauses_of(spec: SpecVersion | None) -> dict[str, Clause]:
    """The clauses of a version by key, in its order."""
    return {
        clause.key: clause
        for clause in Clause.objects.filter(spec_version=spec).select_related("spec_version")
    }


def citations(said: Said, known: dict[str, Clause], trace: Trace) -> list[Citation]:
    """The citations that a decision makes, unsaved. Raises Invalid, which says what does not fit the spec."""
    if said.verdict not in Verdict.values:
        raise Invalid("verdict", f"A verdict is accept, reject, unsure or bad-prompt; got '{said.verdict}'.")
    if "\0" in said.comment or len(said.comment) > 20_000:
        raise Invalid("comment", "A comment has at most 20,000 characters and no NUL.")
    if said.verdict == Verdict.REJECT and not said.clauses:
        raise ClauseNeeded
    if said.verdict in (Verdict.ACCEPT, Verdict.BAD_PROMPT) and said.clauses:
        raise Invalid(
            "clauses", f"The verdict {said.verdict} cites no clause; reject names the clause that fails."
        )
    if not said.clauses and not said.remarks and not said.spans:
        return []
    for key in (*said.clauses, *said.remarks):
        if key not in known:
            raise Invalid(
                "clauses", f"'{key}' is no clause of this spec; it has {', '.join(known) or 'none'}."
            )
    for key in said.clauses:
        if not known[key].selects:
            raise Invalid("clauses", f"{key} is about form: a remark, never a reason to reject.")
    marked: dict[str, list[Span]] = {}
    for span in said.spans:
        if span.clause not in said.clauses and span.clause not in said.remarks:
            raise Invalid("spans", f"A span shows clause {span.clause}, which the verdict does not cite.")
        _check_span(span, trace)
        marked.setdefault(span.clause, []).append(span)
    cited = []
    for keys, held in ((said.clauses, Citation.Held.FAILS), (said.remarks, Citation.Held.REMARK)):
        for key in dict.fromkeys(keys):
            marks = [
                {"part": span.part, "start": span.start, "end": span.end, "quote": span.quote.encode()}
                for span in marked.get(key, [])
            ]
            cited += [Citation(clause=known[key], held=held, **mark) for mark in marks or [{}]]
    return cited


def _check_span(span: Span, trace: Trace) -> None:
    texts = {"reasoning": trace.reasoning, "answer": trace.answer}
    text = texts.get(span.part)
    if text is None:
        raise Invalid("spans", f"A span lies in the reasoning or the answer of the trace; got '{span.part}'.")
    if not 0 <= span.start < span.end <= text.chars or text.as_text[span.start : span.end] != span.quote:
        raise Invalid(
            "spans",
            f"The quote does not stand at {span.start}–{span.end} of the {span.part}. Offsets count "
            "code points, from 0.",
        )

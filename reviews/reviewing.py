"""Recording what people decide: verdicts, undos, adjudications."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone

from reviews import assigning, deciding, permitting
from reviews.assigning import LeaseLost
from reviews.errors import Conflict, Invalid, WinnowError
from reviews.formats import canonical
from reviews.models import (
    Assignment, Citation, Clause, Decision, Event, Member, Review, Role, RoundPrompt, SpecVersion, Trace, User, Verdict,
)


class KeyReused(WinnowError):
    code = "key-reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another decision. Make a new key for each decision; "
                         "nothing was saved.")


class ClauseNeeded(Invalid):
    code = "clause-needed"

    def __init__(self) -> None:
        super().__init__("clauses", "A reject names the clause that fails: give at least one.")


class TraceDropped(Conflict):
    code = "trace-dropped"


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
        return canonical.digest([kind, trace.pk, self.verdict, sorted(self.clauses), sorted(self.remarks), spans,
                                 self.comment])


def record(assignment_id: int, said: Said, *, by: User, key: UUID, origin: str = Review.Origin.DESK) -> Review:
    """Write one review, close its lease and derive the trace's decision: all of it or nothing.

    Seen before with the same body, a key gives back the review it made, so a second click or a retry adds nothing;
    with another body it raises KeyReused. A lease that ran out but that nobody took is still good.
    Raises Http404, LeaseLost, TraceDropped, ClauseNeeded, Invalid.
    """
    try:
        with transaction.atomic():
            return _record(assignment_id, said, by, key, origin)
    except IntegrityError:
        # The same key for another assignment, perhaps at this very moment.
        if Review.objects.filter(reviewer=by, key=key).exists():
            raise KeyReused from None
        raise


def _record(assignment_id: int, said: Said, by: User, key: UUID, origin: str) -> Review:
    rows = Assignment.objects.visible_to(by).select_for_update(of=("self",)).select_related(
        "trace__decision", "round__spec_version")
    if said.spans:
        rows = rows.select_related("trace__decision", "trace__reasoning", "trace__answer", "round__spec_version")
    assignment = rows.filter(pk=assignment_id).first()
    if assignment is None:
        raise Http404
    if assignment.closed_by_id is not None or assignment.leased_by_id != by.pk:
        return _again(assignment, said, by, key)
    round, trace = assignment.round, assignment.trace
    if trace.decision.state == Decision.State.DROPPED:
        raise TraceDropped("This trace was taken out of the round while you read it: its import was withdrawn or its "
                           "prompt confirmed as bad. Nothing was saved, and nothing is lost. Take the next one.")
    heads = list(trace.reviews.heads())
    planned = assigning.planned_readings(round, bytes(trace.digest))
    before = deciding.of_reviews(round.rule, planned, _counting(heads))
    own = next((head for head in heads if head.reviewer_id == by.pk and head.kind == Review.Kind.REVIEW), None)
    review = write(trace, said, by, key, origin, spec=round.spec_version, slot=assignment.slot, supersedes=own)
    after = deciding.of_reviews(round.rule, planned, _counting([*(head for head in heads if head != own), review]))
    Assignment.objects.filter(pk=assignment.pk).update(closed_by=review)
    _decide(trace, after, readings=1 + sum(head.kind == Review.Kind.REVIEW for head in _counting(heads) if head != own))
    review.came_to = after.state
    if after.needed != before.needed:
        assigning.fit_slots(round, trace, after.needed)
    Event.objects.log(round.project_id, "review.recorded", by, review, verdict=said.verdict, body=review.body_digest.hex())
    return review


def withdraw(review: Review, *, by: User, key: UUID | None = None) -> Review:
    """Undo: a review `withdrawn` supersedes it, and its slot comes back to the same reviewer. Twice is once.

    Raises Conflict where something newer stands in its place, NotAllowed where it is someone else's.
    """
    try:
        with transaction.atomic():
            return _withdraw(review, by, key or uuid.uuid4())
    except IntegrityError:
        later = Review.objects.filter(supersedes=review).first()
        if later is not None and later.verdict == Verdict.WITHDRAWN:
            return _with_outcome(later)  # the same undo, a moment earlier
        raise Conflict("This verdict was changed meanwhile, so it was not undone. Look at the newest one.") from None


def _withdraw(review: Review, by: User, key: UUID) -> Review:
    if review.reviewer_id != by.pk:
        raise permitting.NotAllowed("Undoing this verdict", "reviewer who gave it; nobody else")
    if (later := Review.objects.filter(supersedes=review).first()) is not None:
        if later.verdict == Verdict.WITHDRAWN:
            return _with_outcome(later)
        raise Conflict("This verdict was changed meanwhile, so it was not undone. Look at the newest one.")
    if review.verdict == Verdict.WITHDRAWN:
        return _with_outcome(review)
    trace = Trace.objects.select_related("round__spec_version", "decision").get(pk=review.trace_id)
    slots = list(Assignment.objects.select_for_update(of=("self",)).filter(trace=trace))
    undone = write(trace, Said(Verdict.WITHDRAWN), by, key, review.origin, spec=review.spec_version, slot=review.slot,
                    supersedes=review, kind=review.kind)
    for slot in slots:
        if slot.closed_by_id == review.pk:
            assigning.lease_again(slot, by, trace.round.lease_minutes)
    rederive(trace)
    if review.kind == Review.Kind.ADJUDICATION and review.verdict == Verdict.BAD_PROMPT:
        _rederive_siblings(trace)
    Event.objects.log(trace.round.project_id, "review.withdrawn", by, undone, of=review.pk)
    return _with_outcome(undone)


@transaction.atomic
def adjudicate(trace: Trace, said: Said, *, by: User, key: UUID) -> Review:
    """Settle a disputed trace. The ruling replaces the decision, whatever the round's rule.

    `bad-prompt` confirms that the prompt is bad: all its traces in the round drop. Who reviewed a trace does not
    settle it unless no other lead can. Raises NotAllowed, Conflict, Invalid.
    """
    permitting.require(by, trace.round.project_id, Role.LEAD, doing="Settling a dispute")
    if (done := Review.objects.filter(reviewer=by, key=key).first()) is not None:
        return _same(done, said, trace)
    if said.verdict not in (Verdict.ACCEPT, Verdict.REJECT, Verdict.BAD_PROMPT):
        raise Invalid("verdict", "A dispute is settled by accept, reject or bad-prompt.")
    decision = Decision.objects.select_for_update().get(trace=trace)
    if decision.state != Decision.State.DISPUTED and decision.why not in (Decision.Why.ADJUDICATED, Decision.Why.BAD_PROMPT):
        raise Conflict(f"This trace is {decision.state}, so there is no dispute to settle. Someone may have been quicker.")
    heads = list(trace.reviews.heads())
    if any(head.reviewer_id == by.pk and head.kind == Review.Kind.REVIEW and head.verdict != Verdict.WITHDRAWN
           for head in heads) and _other_leads_can(trace, heads, by):
        raise Conflict("You reviewed this trace yourself; another lead of the project settles it.")
    own = next((head for head in heads if head.reviewer_id == by.pk and head.kind == Review.Kind.ADJUDICATION), None)
    ruling = write(trace, said, by, key, Review.Origin.DESK, spec=trace.round.spec_version, slot=None, supersedes=own,
                    kind=Review.Kind.ADJUDICATION)
    rederive(trace)
    if Verdict.BAD_PROMPT in (said.verdict, own.verdict if own else None):
        _rederive_siblings(trace)
    Event.objects.log(trace.round.project_id, "review.adjudicated", by, ruling, verdict=said.verdict)
    return ruling


def rederive(trace: Trace) -> None:
    """Derive a trace's decision and slots again from its reviews, in the caller's transaction."""
    round = trace.round
    heads = list(trace.reviews.counting())
    planned = assigning.planned_readings(round, bytes(trace.digest))
    outcome = deciding.of_reviews(round.rule, planned, heads)
    readings = sum(head.kind == Review.Kind.REVIEW for head in heads)
    ruled = any(head.kind == Review.Kind.ADJUDICATION for head in heads)
    if hasattr(trace.batch, "withdrawal"):
        outcome = deciding.Outcome(Decision.State.DROPPED, Decision.Why.BATCH_WITHDRAWN, 0)
    elif not ruled and prompt_is_bad(trace.round_prompt_id):
        outcome = deciding.Outcome(Decision.State.DROPPED, Decision.Why.BAD_PROMPT, 0)
    Decision.objects.filter(trace=trace).update(
        state=outcome.state, why=outcome.why, readings=readings, changed_at=timezone.now())
    assigning.fit_slots(round, trace, max(outcome.needed, readings) if outcome.needed else readings)


def prompt_is_bad(round_prompt_id: int) -> bool:
    """Whether a lead's standing ruling on any of its traces says that the prompt is bad."""
    rulings = Review.objects.counting().filter(kind=Review.Kind.ADJUDICATION, verdict=Verdict.BAD_PROMPT)
    return rulings.filter(trace__round_prompt=round_prompt_id).exists()


def _rederive_siblings(trace: Trace) -> None:
    for sibling in RoundPrompt.objects.get(pk=trace.round_prompt_id).traces.exclude(pk=trace.pk).select_related(
            "round", "batch__withdrawal"):
        rederive(sibling)


def _counting(heads: Sequence[Review]) -> list[Review]:
    """The same choice as Review.objects.counting(), on heads at hand."""
    return [head for head in heads if head.pass_number == 1 and head.reviewer_kind == User.Kind.HUMAN
            and head.verdict != Verdict.WITHDRAWN]


def _decide(trace: Trace, outcome: deciding.Outcome, readings: int) -> None:
    Decision.objects.filter(trace=trace).update(
        state=outcome.state, why=outcome.why, readings=readings, changed_at=timezone.now())


def _again(assignment: Assignment, said: Said, by: User, key: UUID) -> Review:
    """Answer a verdict on a slot that is closed or someone else's: the review that this key made, or what happened."""
    if (done := Review.objects.filter(reviewer=by, key=key).first()) is not None:
        return _same(done, said, assignment.trace)
    own = Review.objects.heads().filter(trace=assignment.trace, reviewer=by, kind=Review.Kind.REVIEW).exclude(
        verdict=Verdict.WITHDRAWN).first()
    if own is not None:
        raise LeaseLost(f"You judged this trace already ({own.verdict}, {own.at:%H:%M} UTC), perhaps in another tab. "
                        "Nothing was changed; undo that verdict first.")
    raise LeaseLost("This trace is no longer yours: its lease ran out and it went to someone else. Nothing was saved. "
                    "Take the next one.")


def _same(done: Review, said: Said, trace: Trace) -> Review:
    if bytes(done.body_digest) != said.digest(trace, done.kind):
        raise KeyReused
    return _with_outcome(done)


def _with_outcome(review: Review) -> Review:
    """With what the trace's reviews come to now."""
    review.came_to = Decision.objects.values_list("state", flat=True).get(trace=review.trace_id)
    return review


def _other_leads_can(trace: Trace, heads: Sequence[Review], by: User) -> bool:
    reviewed = {head.reviewer_id for head in heads if head.kind == Review.Kind.REVIEW}
    leads = Member.objects.filter(project=trace.round.project_id, role=Role.LEAD, user__is_active=True).exclude(user=by)
    return leads.exclude(user__in=reviewed).exists()


def write(
    trace: Trace, said: Said, by: User, key: UUID, origin: str, *, spec: SpecVersion | None, slot: int | None,
    supersedes: Review | None, kind: str = Review.Kind.REVIEW, at: Any = None,
) -> Review:
    """Insert a review and its citations. Raises Invalid, ClauseNeeded."""
    cited = citations(said, spec, trace)
    review = Review.objects.create(
        round_id=trace.round_id, trace=trace, slot=slot, reviewer=by, reviewer_kind=by.kind, kind=kind, origin=origin,
        verdict=said.verdict, spec_version=spec, comment=said.comment, seconds=said.seconds, key=key,
        body_digest=said.digest(trace, kind), supersedes=supersedes, at=at or timezone.now(),
    )
    for citation in cited:
        citation.review = review
    Citation.objects.bulk_create(cited)
    return review


def citations(said: Said, spec: SpecVersion | None, trace: Trace) -> list[Citation]:
    """The citations that a decision makes, unsaved. Raises Invalid, which says what does not fit the spec."""
    if said.verdict not in Verdict.values:
        raise Invalid("verdict", f"A verdict is accept, reject, unsure or bad-prompt; got '{said.verdict}'.")
    if "\0" in said.comment or len(said.comment) > 20_000:
        raise Invalid("comment", "A comment has at most 20,000 characters and no NUL.")
    if said.verdict == Verdict.REJECT and not said.clauses:
        raise ClauseNeeded
    if said.verdict in (Verdict.ACCEPT, Verdict.BAD_PROMPT) and said.clauses:
        raise Invalid("clauses", f"The verdict {said.verdict} cites no clause; reject names the clause that fails.")
    if not said.clauses and not said.remarks and not said.spans:
        return []
    known = {clause.key: clause for clause in Clause.objects.filter(spec_version=spec).select_related("spec_version")}
    for key in (*said.clauses, *said.remarks):
        if key not in known:
            raise Invalid("clauses", f"'{key}' is no clause of this spec; it has {', '.join(known) or 'none'}.")
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
            for mark in marked.get(key) or [None]:
                place = {"part": mark.part, "start": mark.start, "end": mark.end, "quote": mark.quote.encode()} if mark else {}
                cited.append(Citation(clause=known[key], held=held, **place))
    return cited


def _check_span(span: Span, trace: Trace) -> None:
    texts = {"reasoning": trace.reasoning, "answer": trace.answer}
    text = texts.get(span.part)
    if text is None:
        raise Invalid("spans", f"A span lies in the reasoning or the answer of the trace; got '{span.part}'.")
    if not 0 <= span.start < span.end <= text.chars or text.as_text[span.start:span.end] != span.quote:
        raise Invalid("spans", f"The quote does not stand at {span.start}–{span.end} of the {span.part}. Offsets count "
                               "code points, from 0.")

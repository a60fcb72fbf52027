"""What goes on record of a verdict: the review itself, and the readings that are on record and decide nothing."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from reviews.assigning import BESIDE
from reviews.errors import WinnowError
from reviews.models import (
    Assignment,
    Citation,
    Comparison,
    Decision,
    Event,
    Review,
    Round,
    SpecVersion,
    StepLabel,
    Trace,
    User,
)
from reviews.saying import Said, citations, clauses_of


class KeyReused(WinnowError):
    code = "key-reused"

    def __init__(self) -> None:
        super().__init__(
            _(
                "This Idempotency-Key was used for another decision. Make a new key for each decision; "
                "nothing was saved."
            )
        )


def write(
    trace: Trace,
    said: Said,
    by: User,
    key: UUID,
    origin: str,
    *,
    spec: SpecVersion | None,
    slot: int | None,
    supersedes: Review | None,
    kind: str = Review.Kind.REVIEW,
    served: str = Review.Served.NORMAL,
    pass_number: int = 1,
    comparison: Comparison | None = None,
) -> Review:
    """Insert a review with its citations and step labels. Raises Invalid, ClauseNeeded."""
    needs_clauses = said.clauses or said.remarks or said.spans or said.holds
    cited = citations(said, clauses_of(spec) if needs_clauses else {}, trace)
    review = Review.objects.create(
        round_id=trace.round_id,
        trace=trace,
        slot=slot,
        reviewer=by,
        reviewer_kind=by.kind,
        kind=kind,
        origin=origin,
        stage=said.stage,
        served=served,
        pass_number=pass_number,
        verdict=said.verdict,
        spec_version=spec,
        comment=said.comment,
        other=said.other,
        every_clause=bool(said.holds),
        comparison=comparison,
        seconds=said.seconds,
        shown_share=said.shown_share,
        words_a_minute=said.words_a_minute,
        key=key,
        body_digest=said.digest(trace, kind),
        supersedes=supersedes,
        at=timezone.now(),
    )
    for citation in cited:
        citation.review = review
    Citation.objects.bulk_create(cited)
    if said.steps:
        StepLabel.objects.bulk_create(
            StepLabel(review=review, step=mark.step, start=mark.start, end=mark.end, label=mark.label)
            for mark in said.steps
        )
    return review


def same(done: Review, said: Said, trace: Trace) -> Review:
    if bytes(done.body_digest) != said.digest(trace, done.kind):
        raise KeyReused
    return with_outcome(done)


def with_outcome(review: Review) -> Review:
    """With what the trace's reviews come to now."""
    review.came_to = Decision.objects.values_list("state", flat=True).get(trace=review.trace_id)
    return review


def log(round: Round, review: Review, said: Said) -> None:
    Event.objects.log(
        round.project_id,
        "review.recorded",
        review.reviewer,
        review,
        verdict=said.verdict,
        body=review.body_digest.hex(),
    )


def beside_the_plan(assignment: Assignment, said: Said, by: User, key: UUID, origin: str) -> Review:
    """Gold, training or a repeat: its slot is closed, and nothing is decided by it."""
    number = 2 if assignment.kind == Assignment.Kind.REPEAT else 1
    own = _own(assignment.trace, said, by, number).first()
    review = _deciding_nothing(assignment, said, by, key, origin, supersedes=own, pass_number=number)
    Assignment.objects.filter(pk=assignment.pk).update(closed_by=review)
    return review


def on_the_answer_alone(assignment: Assignment, said: Said, by: User, key: UUID, origin: str) -> Review:
    """A verdict before the chain is seen. The lease goes on: the chain is shown next, and judged too."""
    if (own := _own(assignment.trace, said, by, 1).first()) is not None:
        return same(own, said, assignment.trace)
    return _deciding_nothing(assignment, said, by, key, origin, supersedes=None, pass_number=1)


def _own(trace: Trace, said: Said, by: User, number: int) -> QuerySet[Review]:
    return trace.reviews.heads().filter(
        reviewer=by, kind=Review.Kind.REVIEW, stage=said.stage, pass_number=number
    )


def _deciding_nothing(
    assignment: Assignment,
    said: Said,
    by: User,
    key: UUID,
    origin: str,
    *,
    supersedes: Review | None,
    pass_number: int,
) -> Review:
    review = write(
        assignment.trace,
        said,
        by,
        key,
        origin,
        spec=assignment.round.spec_version,
        slot=assignment.slot,
        supersedes=supersedes,
        served=assignment.kind if assignment.kind in BESIDE else Review.Served.NORMAL,
        pass_number=pass_number,
    )
    review.came_to = assignment.trace.decision.state
    log(assignment.round, review, said)
    return review

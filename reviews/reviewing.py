"""Recording what people decide: a verdict and its undo."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from reviews import assigning, deciding, drawing, recording, saying, slotting, standing_in
from reviews.assigning import LeaseLost
from reviews.deriving import counting, decide, is_reading, rederive, rederive_siblings
from reviews.errors import Conflict, NotAllowed
from reviews.models import (
    Assignment,
    Comparison,
    Decision,
    Event,
    Review,
    Trace,
    User,
    Verdict,
)
from reviews.models.projects import as_values, who_acts
from reviews.models.remembered import Remembered
from reviews.saying import Said


class TraceDropped(Conflict):
    code = "trace-dropped"


class Extent(NamedTuple):
    """Of a trace under review: readings asked for beyond the plan, and exact repeats that mirror its decision."""

    more: int
    repeats: int


def record(
    assignment_id: int,
    said: Said,
    *,
    by: User,
    key: UUID,
    origin: str = Review.Origin.DESK,
    comparison: Comparison | None = None,
) -> Review:
    """Write one review, close its lease and derive the trace's decision: all of it or nothing.

    Seen before with the same body, a key gives back the review it made, so a second click or a retry adds nothing;
    with another body it raises KeyReused. A lease that ran out but that nobody took is still good.
    Raises Http404, LeaseLost, TraceDropped, ClauseNeeded, Invalid.
    """
    try:
        with transaction.atomic():
            return _record(assignment_id, said, by, key, origin, comparison)
    except TraceDropped:
        Assignment.objects.open().filter(pk=assignment_id, leased_by=by).delete()
        raise
    except IntegrityError:
        # The same key for another assignment, perhaps at this very moment.
        if Review.objects.filter(reviewer=by, key=key).exists():
            raise recording.KeyReused from None
        raise


def _to_record(texts: bool, *, assignment: int, **values: Any) -> QuerySet[Assignment]:
    """The slot, locked, with all that a verdict on it depends on."""
    held = ["trace__decision", "round__spec_version"]
    if texts:
        held += ["trace__reasoning", "trace__answer"]
    return (
        Assignment.objects.visible_to(who_acts(**values))
        .select_for_update(of=("self",))
        .select_related(*held)
        .annotate(more=slotting.more_readings("trace"), repeats=standing_in.repeats("trace"))
        .filter(pk=assignment)
    )


_TO_RECORD: Remembered[Assignment] = Remembered(_to_record)


def _record(
    assignment_id: int, said: Said, by: User, key: UUID, origin: str, comparison: Comparison | None
) -> Review:
    values = as_values(by)
    texts = bool(said.spans or said.steps)
    found = [] if values is None else _TO_RECORD.rows(texts, assignment=assignment_id, **values)
    if not found:
        raise Http404
    assignment = found[0]
    if assignment.closed_by_id is not None or assignment.leased_by_id != by.pk:
        return _again(assignment, said, by, key, origin)
    trace = assignment.trace
    if trace.decision.state == Decision.State.DROPPED:
        raise TraceDropped(
            _(
                "This trace was taken out of the round while you read it: its import was withdrawn or its "
                "prompt confirmed as bad. Nothing was saved, and nothing is lost. Take the next one."
            )
        )
    saying.check_steps(said, trace, assignment.round.mode)
    at_the_desk = origin == Review.Origin.DESK and not assignment.round.beside
    if at_the_desk and drawing.every_clause(assignment.round, trace, by):
        saying.check_every_clause(said)
    if said.stage == Review.Stage.ANSWER_ONLY:
        return recording.on_the_answer_alone(assignment, said, by, key, origin)
    if assignment.kind in assigning.BESIDE:
        return recording.beside_the_plan(assignment, said, by, key, origin)
    extent = Extent(**{name: getattr(assignment, name) for name in Extent._fields})
    return _record_planned(assignment, said, by, key, origin, comparison, extent)


def _record_planned(
    assignment: Assignment,
    said: Said,
    by: User,
    key: UUID,
    origin: str,
    comparison: Comparison | None,
    extent: Extent,
) -> Review:
    """A reading that the plan asked for: it closes its slot and may decide the trace."""
    round, trace = assignment.round, assignment.trace
    heads = list(trace.reviews.heads())
    planned = drawing.planned_readings(round, bytes(trace.digest)) + extent.more
    before = deciding.of_reviews(round.rule, planned, counting(heads))
    own = next((head for head in heads if head.reviewer_id == by.pk and is_reading(head)), None)
    review = recording.write(
        trace,
        said,
        by,
        key,
        origin,
        spec=round.spec_version,
        slot=assignment.slot,
        supersedes=own,
        comparison=comparison,
    )
    others = [head for head in counting(heads) if head != own]
    after = deciding.of_reviews(round.rule, planned, counting([*others, review]))
    Assignment.objects.filter(pk=assignment.pk).update(closed_by=review)
    readings = sum(head.kind == Review.Kind.REVIEW for head in counting([*others, review]))
    decide(trace, after, readings, repeats=extent.repeats)
    review.came_to = after.state
    if after.needed != before.needed:
        slotting.fit_slots(round, trace, after.needed)
    recording.log(round, review, said)
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
            return recording.with_outcome(later)  # the same undo, a moment earlier
        raise Conflict(
            _("This verdict was changed meanwhile, so it was not undone. Look at the newest one.")
        ) from None


def _withdraw(review: Review, by: User, key: UUID) -> Review:
    if review.reviewer_id != by.pk:
        raise NotAllowed(_("Undoing this verdict"), _("reviewer who gave it; nobody else"))
    if (later := Review.objects.filter(supersedes=review).first()) is not None:
        if later.verdict == Verdict.WITHDRAWN:
            return recording.with_outcome(later)
        raise Conflict(_("This verdict was changed meanwhile, so it was not undone. Look at the newest one."))
    if review.verdict == Verdict.WITHDRAWN:
        return recording.with_outcome(review)
    trace = Trace.objects.select_related("round__spec_version", "decision").get(pk=review.trace_id)
    slots = list(Assignment.objects.select_for_update(of=("self",)).filter(trace=trace))
    undone = recording.write(
        trace,
        Said(Verdict.WITHDRAWN),
        by,
        key,
        review.origin,
        spec=review.spec_version,
        slot=review.slot,
        supersedes=review,
        kind=review.kind,
        served=review.served,
        pass_number=review.pass_number,
    )
    for slot in slots:
        if slot.closed_by_id == review.pk:
            assigning.lease_again(slot, by, trace.round.lease_minutes)
    rederive(trace)
    if review.kind == Review.Kind.ADJUDICATION and review.verdict == Verdict.BAD_PROMPT:
        rederive_siblings(trace)
    Event.objects.log(trace.round.project_id, "review.withdrawn", by, undone, of=review.pk)
    return recording.with_outcome(undone)


def _again(assignment: Assignment, said: Said, by: User, key: UUID, origin: str) -> Review:
    """Answer a verdict on a slot that is closed or someone else's: the review that this key made, or what happened.

    At the desk the key is the lease's own, so another verdict with it comes from another tab.
    """
    done = Review.objects.filter(reviewer=by, key=key).first()
    equal = done is not None and bytes(done.body_digest) == said.digest(assignment.trace, done.kind)
    if done is not None and (equal or origin != Review.Origin.DESK):
        return recording.same(done, said, assignment.trace)
    own = (
        Review.objects.heads()
        .filter(trace=assignment.trace, reviewer=by, kind=Review.Kind.REVIEW, stage=Review.Stage.FINAL)
        .exclude(verdict=Verdict.WITHDRAWN)
        .first()
    )
    if own is not None:
        raise LeaseLost(
            _(
                "You judged this trace already (%(verdict)s, %(at)s UTC), perhaps in another tab. Nothing was"
                " changed; undo that verdict first."
            )
            % {"verdict": own.verdict, "at": f"{own.at:%H:%M}"}
        )
    raise LeaseLost(
        _(
            "This trace is no longer yours: its lease ran out and it went to someone else. Nothing was "
            "saved. Take the next one."
        )
    )

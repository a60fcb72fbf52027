"""What a reader is given next: the queue of the plan, with gold and their own earlier verdicts mixed in unmarked.

Whether the n-th trace of a reader is gold or a repeat is drawn by the round's seed from the reader and n, so that a
reload draws nothing anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from reviews import assigning, calibrating
from reviews.assigning import Leased
from reviews.drawing import draw
from reviews.errors import NotAllowed
from reviews.models import Assignment, Gold, Review, Role, Round, User, Verdict
from reviews.models.queue import BESIDE_THE_PLAN

Kind = Assignment.Kind


def next_for(reviewer: User, round: Round, *, ahead: bool = False) -> Leased:
    """Lease the next trace for a reviewer; with `ahead` a second one. Asking again gives the same ones.

    In a training round all of it is gold; a round that asks for a qualification gives nothing before it.
    Raises NotAllowed.
    """
    if not hasattr(round, "reads_here"):
        round = Round.objects.for_reader(reviewer).get(pk=round.pk)
    if not round.reads_here:
        raise NotAllowed(_("Judging traces"), Role.REVIEWER)
    if round.state == Round.State.OPEN and round.spec_version_id is not None:
        if round.qualify_in is not None and (why := _not_qualified(reviewer, round.qualify_in)):
            return Leased([], why)
        if round.training or round.gold_rate or round.repeat_rate:
            return _mixed(reviewer, round, 2 if ahead else 1)
    return assigning.next_for(reviewer, round, ahead=ahead)


def _not_qualified(reviewer: User, training: Round) -> str:
    standing = calibrating.standing_in_training(reviewer, training)
    if standing.qualified:
        return ""
    return _(
        "first qualify in %(name)s: %(right)s of %(judged)s right so far, and it takes %(wanted)s "
        "with %(qualify_share)s right"
    ) % {
        "name": training.name,
        "right": standing.right,
        "judged": standing.judged,
        "wanted": standing.wanted,
        "qualify_share": f"{calibrating.QUALIFY_SHARE:.0%}",
    }


def _mixed(reviewer: User, round: Round, wanted: int) -> Leased:
    found = Leased([])
    for need in range(min(round.held + 1, wanted), wanted + 1):
        if round.held < need:
            _maybe_beside(reviewer, round, round.served + round.held)
        found = assigning.next_for(reviewer, round, ahead=need == 2)
        round.held = max(round.held, len(found.assignments))
    if not found.assignments and round.training:
        standing = calibrating.standing_in_training(reviewer, round)
        return Leased(
            [],
            _("you have judged all %(judged)s training traces: %(right)s right")
            % {"judged": standing.judged, "right": standing.right},
        )
    return found


def _maybe_beside(reviewer: User, round: Round, position: int) -> None:
    """Lease gold or a repeat to the reader where their `position` in the round is drawn for one."""
    if round.training:
        return _lease(
            _choose(_gold(reviewer, round), round, reviewer, position), reviewer, round, Kind.TRAINING
        )
    drawn = draw(round.seed, f"beside {reviewer.pk} {position}", b"")
    if drawn < round.gold_rate:
        right = (
            Verdict.ACCEPT
            if draw(round.seed, f"side {reviewer.pk} {position}", b"") < 0.5
            else Verdict.REJECT
        )
        gold = _gold(reviewer, round)
        # Both kinds of gold equally often, or whoever always accepts would look right.
        chosen = _choose([row for row in gold if row[1] == right] or gold, round, reviewer, position)
        return _lease(chosen, reviewer, round, Kind.GOLD)
    if drawn < round.gold_rate + round.repeat_rate:
        return _lease(_to_repeat(reviewer, round), reviewer, round, Kind.REPEAT)


def _gold(reviewer: User, round: Round) -> list[tuple[int, str]]:
    """The gold that this reader has not met: trace and verdict."""
    met = Review.objects.filter(trace=OuterRef("trace"), reviewer=reviewer)
    held = Assignment.objects.open().filter(trace=OuterRef("trace"), leased_by=reviewer)
    rows = Gold.objects.standing().filter(~Exists(met), ~Exists(held), trace__round=round)
    return list(rows.order_by("trace").values_list("trace", "verdict"))


def _choose(gold: Sequence[tuple[int, str]], round: Round, reviewer: User, position: int) -> int | None:
    if not gold:
        return None
    place = draw(round.seed, f"which {reviewer.pk} {position}", b"")
    return gold[int(place * len(gold))][0]


def _to_repeat(reviewer: User, round: Round) -> int | None:
    """The trace that this reader judged longest ago, long enough, and has not judged again."""
    before = timezone.now() - timedelta(days=round.repeat_after_days)
    again = Review.objects.filter(trace=OuterRef("trace"), reviewer=reviewer, pass_number=2)
    held = Assignment.objects.open().filter(trace=OuterRef("trace"), leased_by=reviewer)
    mine = Review.objects.standing().filter(~Exists(again), ~Exists(held), round=round, reviewer=reviewer)
    return mine.filter(at__lte=before).order_by("at").values_list("trace", flat=True).first()


def _lease(trace_id: int | None, reviewer: User, round: Round, kind: str) -> None:
    if trace_id is None:
        return
    now = timezone.now()
    for _attempt in range(5):  # the same gold may go to two readers at this very moment
        slots = Assignment.objects.filter(trace=trace_id, slot__gte=BESIDE_THE_PLAN)
        last = slots.aggregate(last=Max("slot"))["last"]
        try:
            with transaction.atomic():
                Assignment.objects.create(
                    round=round,
                    trace_id=trace_id,
                    slot=BESIDE_THE_PLAN if last is None else last + 1,
                    kind=kind,
                    place=0,
                    leased_by=reviewer,
                    leased_at=now,
                    leased_until=now + timedelta(minutes=round.lease_minutes),
                    lease_key=uuid.uuid4(),
                )
                return
        except IntegrityError:
            continue

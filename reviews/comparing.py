"""Side by side: the samples of one prompt beside each other, each judged by itself, or the best of them picked."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from reviews import assigning, drawing, reviewing, serving, standing_in
from reviews.assigning import Leased, LeaseLost
from reviews.errors import Invalid
from reviews.models import (
    Assignment,
    Comparison,
    ComparisonTrace,
    Decision,
    Review,
    Round,
    Skip,
    User,
    Verdict,
)
from reviews.rendering import document
from reviews.saying import Said

SIDES = 4
MODES = (Round.Mode.SIDE_BY_SIDE, Round.Mode.PICK_BEST)


def next_for(reviewer: User, round: Round) -> Leased:
    """Lease the next samples of one prompt, up to four, in the order in which they are shown. Raises NotAllowed."""
    found = serving.next_for(reviewer, round)
    if not found.assignments:
        return found
    first = found.assignments[0]
    with transaction.atomic():
        return Leased(_in_order([first, *_siblings(first, reviewer, round)], reviewer, round))


def held(reviewer: User, round: Round) -> list[Assignment]:
    """The samples that the reader holds, as `next_for` shows them; nothing is taken or renewed."""
    rows = (
        Assignment.objects.open()
        .filter(round=round, leased_by=reviewer)
        .exclude(trace__decision__state=Decision.State.DROPPED)
        .with_reading(reviewer.pk, document.VERSION)
        .annotate(repeats=standing_in.repeats("trace"))
        .order_by("leased_at", "pk")
    )
    sides: dict[int, Assignment] = {}
    for row in rows:
        row.round = round
        first = next(iter(sides.values()), row)
        if row.trace.round_prompt_id == first.trace.round_prompt_id:
            sides.setdefault(row.trace_id, row)
    return _in_order(list(sides.values())[:SIDES], reviewer, round)


def _in_order(sides: list[Assignment], reviewer: User, round: Round) -> list[Assignment]:
    return sorted(
        sides, key=lambda side: drawing.draw(round.seed, f"side {reviewer.pk}", bytes(side.trace.digest))
    )


def _siblings(first: Assignment, reviewer: User, round: Round) -> list[Assignment]:
    """Leases on other samples of the same prompt: those that the reader holds already, then open ones."""
    now = timezone.now()
    trace = OuterRef("trace")
    judged = Review.objects.heads().filter(trace=trace, reviewer=reviewer).exclude(verdict=Verdict.WITHDRAWN)
    skipped = Skip.objects.filter(trace=trace, reviewer=reviewer)
    mine = Q(leased_by=reviewer)
    rows = (
        Assignment.objects.select_for_update(skip_locked=True, of=("self",))
        .planned()
        .open()
        .filter(mine | Q(leased_by=None) | Q(leased_until__lte=now), ~Exists(judged), ~Exists(skipped))
        .filter(trace__round_prompt=first.trace.round_prompt_id)
        .exclude(trace=first.trace_id)
        .exclude(trace__decision__state=Decision.State.DROPPED)
        .with_reading(reviewer.pk, document.VERSION)
        .annotate(repeats=standing_in.repeats("trace"))
        .order_by("trace", "slot")
    )
    free: dict[int, Assignment] = {}
    for row in rows:
        free.setdefault(row.trace_id, row)
        if row.leased_by_id == reviewer.pk:
            free[row.trace_id] = row
    held_first = sorted(free.values(), key=lambda row: row.leased_by_id != reviewer.pk)[: SIDES - 1]
    for row in held_first:
        if row.leased_by_id != reviewer.pk:
            row.lease_key, row.leased_at, row.leased_by = uuid.uuid4(), now, reviewer
        row.leased_until = now + timedelta(minutes=round.lease_minutes)
        row.searched_to = row.searched_epoch = None
        row.round = round
    Assignment.objects.bulk_update(
        held_first,
        ["lease_key", "leased_at", "leased_by", "leased_until", "searched_to", "searched_epoch"],
    )
    return held_first


@transaction.atomic
def record(
    round: Round, said: Sequence[tuple[int, Said, UUID]], *, by: User, origin: str = Review.Origin.DESK
) -> list[Review]:
    """Record the verdicts on all samples of one look: all of them or none.

    said: for each assignment, in the order shown, its verdict and the key of its lease. In a pick-best round at most one
    is accepted and no clause is named: the verdicts are relative and stay on record as that. Sent again, it gives the
    same reviews. Raises Invalid, LeaseLost and what `reviewing.record` raises.
    """
    if round.mode not in MODES:
        raise Invalid("mode", _("This round does not show samples side by side."))
    rows = Assignment.objects.visible_to(by).filter(round=round, leased_by=by)
    sides = {row.pk: row for row in rows.filter(pk__in=[row[0] for row in said]).select_related("trace")}
    if not said or len(sides) != len(said):
        lost = [letter(place) for place, (pk, _one, _key) in enumerate(said) if pk not in sides]
        raise LeaseLost(
            _(
                "Of these samples you no longer hold %(lost)s: the lease ran out and someone else reads it, or its "
                "import was withdrawn. Nothing was saved. Take the next ones; those still yours come again."
            )
            % {"lost": ", ".join(lost) or "—"}
        )
    prompts = {row.trace.round_prompt_id for row in sides.values()}
    if len(prompts) > 1:
        raise Invalid("assignments", _("Side by side stand samples of one prompt only."))
    picked = [one.verdict for _pk, one, _key in said].count(Verdict.ACCEPT)
    if round.mode == Round.Mode.PICK_BEST and picked > 1:
        raise Invalid("verdict", _("Pick one sample, or none."))
    if done := Review.objects.filter(reviewer=by, key__in=[key for _pk, _one, key in said]).first():
        comparison = done.comparison
    else:
        comparison = _write(round, prompts.pop(), [sides[pk].trace_id for pk, _one, _key in said], by)
    return [
        reviewing.record(pk, one, by=by, key=key, origin=origin, comparison=comparison)
        for pk, one, key in said
    ]


@transaction.atomic
def skip(round: Round, assignments: Sequence[int], *, by: User) -> None:
    """Give back the samples of a look that the reader still holds; none comes to them again. Raises LeaseLost."""
    for held_one in Assignment.objects.open().filter(round=round, leased_by=by, pk__in=assignments):
        assigning.skip(held_one, "", by=by)


def letter(place: int) -> str:
    """What a sample is called by its place from the left, counted from 0."""
    return chr(ord("A") + place)


def _write(round: Round, prompt_id: int, traces: list[int], by: User) -> Comparison:
    comparison = Comparison.objects.create(
        round=round, round_prompt_id=prompt_id, reviewer=by, mode=round.mode, at=timezone.now()
    )
    ComparisonTrace.objects.bulk_create(
        ComparisonTrace(comparison=comparison, trace_id=trace, side=side)
        for side, trace in enumerate(traces, start=1)
    )
    return comparison

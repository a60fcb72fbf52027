"""The queue: leasing the next trace, holding it, giving it back.

How `next` stays cheap for the reviewer who has judged the whole head of the queue: every lease notes how far its
reviewer had nothing to take (`searched_to`), and the next search starts there. Slots that come back stand behind
everything (`slotting.behind_all`); whatever else puts slots before such a place raises the round's epoch, and every
search starts from the front once.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.utils import timezone
from django.utils.translation import gettext as _

from reviews import slotting, standing_in
from reviews.errors import Conflict, NotAllowed
from reviews.models import (
    Assignment,
    Decision,
    Event,
    Question,
    Review,
    Role,
    Round,
    Skip,
    User,
)
from reviews.models.queue import BACK_OF_THE_QUEUE, FRONT_OF_THE_QUEUE, Waiting
from reviews.models.remembered import Remembered
from reviews.rendering import document

TRIED_AT_ONCE = 24
LOCKED_AT_ONCE = 6  # of those; where other readers were quicker with all of them, the search begins again
LEASE = ("lease_key", "leased_at", "leased_by", "leased_until", "searched_to", "searched_epoch")
BESIDE = (Assignment.Kind.GOLD, Assignment.Kind.REPEAT, Assignment.Kind.TRAINING)
# A slot that comes back is placed by the clock; one placed a little earlier may be committed a little later.
CLOCK_SLACK_SECONDS = 120


class LeaseLost(Conflict):
    """The lease is someone else's now, or nobody's."""

    code = "lease-lost"


@dataclass(frozen=True)
class Leased:
    """What `next_for` found: the leased assignments, best first, or why there is none."""

    assignments: list[Assignment]
    empty: str = ""


def next_for(reviewer: User, round: Round, *, ahead: bool = False) -> Leased:
    """Lease the next trace for a reviewer; with `ahead` a second one to prefetch. Asking again gives the same ones.

    At most two leases a reviewer. Costs one search and one lease, whatever the reviewer has judged before.
    Raises NotAllowed.
    """
    if not hasattr(round, "reads_here"):  # views load it with the round and spare a query
        round = Round.objects.for_reader(reviewer).get(pk=round.pk)
    if not round.reads_here:
        raise NotAllowed(_("Judging traces"), Role.REVIEWER)
    if round.state != Round.State.OPEN:
        return Leased([], _("the round is %(state)s") % {"state": _(str(round.state))})
    if round.spec_version_id is None:
        return Leased([], _("the project has no published spec to judge against"))
    wanted = 2 if ahead else 1
    for _attempt in range(50):  # each time round, another reviewer was quicker with everything that was found
        with transaction.atomic():
            now = timezone.now()
            place = FRONT_OF_THE_QUEUE if round.searched is None else round.searched
            found = Assignment.objects.waiting_for(reviewer, round, place, now, TRIED_AT_ONCE)
            if not found:
                _note_nothing_to_take(reviewer, round)
                return Leased([], _why_empty(reviewer, round, now))
            if leased := _lease(found, reviewer, round, wanted, now):
                return Leased(leased)
    return Leased([], _("everyone is taking traces at once; ask again"))


def renew(assignment: Assignment, *, by: User) -> Assignment:
    """Hold a long read: the lease runs its full time again from now. Raises LeaseLost."""
    now = timezone.now()
    until = now + timedelta(minutes=assignment.round.lease_minutes)
    held = Assignment.objects.open().filter(pk=assignment.pk, leased_by=by).update(leased_until=until)
    if not held:
        raise LeaseLost(
            _(
                "This trace is no longer yours: its lease ran out and someone else reads it, or it has been "
                "judged. Take the next one."
            )
        )
    assignment.leased_until = until
    return assignment


@transaction.atomic
def skip(assignment: Assignment, reason: str, *, by: User) -> None:
    """Give a trace back with a reason; it goes to the back of the queue and not to this reviewer again.

    Raises LeaseLost.
    """
    held = Assignment.objects.select_for_update().open().filter(pk=assignment.pk, leased_by=by).first()
    if held is None:
        raise LeaseLost(
            _("This trace is no longer yours, so there was nothing to give back. Take the next one.")
        )
    now = timezone.now()
    if Decision.objects.filter(trace=held.trace_id, state=Decision.State.DROPPED).exists():
        held.delete()
        return
    give_back(held)
    Skip.objects.create(
        trace_id=held.trace_id, slot=held.slot, reviewer=by, reason=reason.replace("\0", ""), at=now
    )
    Event.objects.log(assignment.round.project_id, "trace.skipped", by, held, trace=held.trace_id)


def give_back(assignment: Assignment) -> None:
    """End a lease: a planned slot goes back to the queue, one beside the plan is gone."""
    if assignment.kind in BESIDE:
        assignment.delete()
    else:
        release(assignment)


def release(assignment: Assignment) -> None:
    """Put a leased slot back, behind all others."""
    Assignment.objects.filter(pk=assignment.pk).update(
        leased_by=None,
        leased_at=None,
        leased_until=None,
        lease_key=None,
        searched_to=None,
        searched_epoch=None,
        place=slotting.behind_all(),
    )


def lease_again(slot: Assignment, reviewer: User, minutes: int) -> None:
    """Reopen a closed slot in the hands of the same reviewer, before what they hold since: what an undo does."""
    now = timezone.now()
    held = (
        Assignment.objects.open().filter(leased_by=reviewer, round=slot.round_id).order_by("leased_at", "pk")
    )
    judged_before = Review.objects.filter(reviewer=reviewer).values("trace")
    for prefetched in list(held.exclude(trace__in=judged_before))[1:]:
        give_back(prefetched)  # the one prefetched has not been seen; what else was undone stays theirs
    first = min((lease.leased_at for lease in held if lease.leased_at), default=now)
    Assignment.objects.filter(pk=slot.pk).update(
        closed_by=None,
        leased_by=reviewer,
        leased_at=first - timedelta(milliseconds=1),
        leased_until=now + timedelta(minutes=minutes),
        lease_key=uuid.uuid4(),
        searched_to=None,
        searched_epoch=None,
    )


def _lease(
    found: list[Waiting], reviewer: User, round: Round, wanted: int, now: datetime
) -> list[Assignment]:
    held = [row.id for row in found if row.rank == 0]
    free = _one_a_trace(
        [row for row in found if row.rank != 0], {row.trace_id for row in found if row.rank == 0}
    )
    before = next((row.prompt_id for row in reversed(found) if row.rank == 0), round.last_prompt)
    free = _siblings_apart(free, before, wanted - len(held))
    ids = held[:wanted] if len(held) >= wanted else (held + [row.id for row in free])[:LOCKED_AT_ONCE]
    padded = [*ids, *[0] * LOCKED_AT_ONCE][:LOCKED_AT_ONCE]
    taken = _CANDIDATES.rows(
        wanted, reader=reviewer.pk, now=now, **{f"slot_{n}": pk for n, pk in enumerate(padded)}
    )
    dropped = [row.pk for row in taken if row.trace.decision.state == Decision.State.DROPPED]
    if dropped:  # the trace left the round while its slot was leased: the slot goes too, and the search again
        Assignment.objects.filter(pk__in=dropped).delete()
        return []
    until = now + timedelta(minutes=round.lease_minutes)
    # Held and expired rows say nothing about what lies before them in the queue; only the first open one does.
    searched = min((row.place for row in found if row.rank == 2), default=None)
    if searched is not None:
        searched = min(searched, _settled())
    written = []
    for row in taken:
        holds = row.leased_by_id == reviewer.pk
        if holds and row.leased_until and row.leased_until > now + timedelta(minutes=1):
            continue  # held already, with time to spare: nothing to write
        if not holds:
            row.lease_key, row.leased_at, row.leased_by = uuid.uuid4(), now, reviewer
            row.searched_to, row.searched_epoch = searched, None if searched is None else round.epoch
        row.leased_until = until
        written.append(row)
    for row in written:  # one as a rule, and a plain update takes a third of what bulk_update does
        Assignment.objects.filter(pk=row.pk).update(**{name: getattr(row, name) for name in LEASE})
    for row in taken:
        row.round = round
    return taken


def _candidates(wanted: int, *, reader: int, now: datetime, **slots: int) -> QuerySet[Assignment]:
    """Of these slots the ones to lease, locked, in their order; what the reader holds already stands first."""
    mine = Case(When(leased_by=reader, then=Value(0)), default=Value(1))
    chosen = Case(
        *(When(pk=pk, then=Value(order)) for order, pk in enumerate(slots.values())), default=Value(0)
    )
    return (
        Assignment.objects.select_for_update(skip_locked=True, of=("self",))
        .open()
        .filter(
            Q(leased_by=reader) | Q(leased_by=None) | Q(leased_until__lte=now), pk__in=list(slots.values())
        )
        .with_reading(reader, document.VERSION)
        .annotate(repeats=standing_in.repeats("trace"))
        .order_by(mine, Case(When(leased_by=reader, then=F("leased_at"))), chosen, "pk")[:wanted]
    )


_CANDIDATES: Remembered[Assignment] = Remembered(_candidates)


def _one_a_trace(rows: Iterable[Waiting], held: set[int]) -> list[Waiting]:
    """The first slot of each trace, and none of a trace that the reviewer holds already."""
    first: dict[int, Waiting] = {}
    for row in rows:
        if row.trace_id not in held:
            first.setdefault(row.trace_id, row)
    return list(first.values())


def _siblings_apart(rows: list[Waiting], before: int | None, wanted: int) -> list[Waiting]:
    """The same slots with the best first, such that no sample follows one of its own prompt where another can."""
    left, first = list(rows), []
    for _place in range(max(wanted, 0)):
        row = next((row for row in left if row.prompt_id != before), left[0] if left else None)
        if row is None:
            break
        left.remove(row)
        first.append(row)
        before = row.prompt_id
    return first + left


def _note_nothing_to_take(reviewer: User, round: Round) -> None:
    """Remember that the search reached the end, so that asking again does not walk the whole queue again."""
    mine = (
        Assignment.objects.filter(leased_by=reviewer, round=round)
        .order_by("-searched_epoch", "-pk")
        .values("pk")[:1]
    )
    Assignment.objects.filter(pk__in=mine).update(searched_to=_settled(), searched_epoch=round.epoch)


def _settled() -> int:
    """The place up to which no transaction still under way can put a slot that came back."""
    return BACK_OF_THE_QUEUE + int((time.time() - CLOCK_SLACK_SECONDS) * 1000)


def _why_empty(reviewer: User, round: Round, now: datetime) -> str:
    """`3 leased to others, free in 7 min; 12 judged by you`: why there is nothing for this reviewer now."""

    def counted(rows: QuerySet[Any]) -> Subquery:
        return Subquery(rows.order_by().values("round").annotate(n=Count("pk")).values("n"))

    leases = (
        Assignment.objects.open()
        .filter(round=OuterRef("pk"), leased_until__gt=now)
        .exclude(leased_by=reviewer)
    )
    judged = Review.objects.standing().filter(round=OuterRef("pk"), reviewer=reviewer)
    asked = Question.objects.waiting().filter(round=OuterRef("pk"), by=reviewer)
    skips = Skip.objects.filter(reviewer=reviewer, trace__round=OuterRef("pk")).annotate(
        round=F("trace__round")
    )
    found = (
        Round.objects.filter(pk=round.pk)
        .values(
            others=counted(leases),
            soonest=Subquery(leases.order_by("leased_until").values("leased_until")[:1]),
            judged=counted(judged),
            asked=counted(asked),
            skipped=counted(skips),
            any_slot=Exists(Assignment.objects.filter(round=OuterRef("pk"))),
            any_trace=Exists(Decision.objects.filter(round=OuterRef("pk"))),
        )
        .get()
    )
    parts = []
    if found["others"]:
        minutes = max(1, math.ceil((found["soonest"] - now).total_seconds() / 60))
        parts.append(
            _("%(count)s leased to others, free in %(minutes)s min")
            % {"count": found["others"], "minutes": minutes}
        )
    if found["judged"]:
        parts.append(_("%(count)s judged by you") % {"count": found["judged"]})
    if found["asked"]:
        parts.append(_("%(count)s with a question of yours to the lead") % {"count": found["asked"]})
    if found["skipped"]:
        parts.append(_("%(count)s skipped by you") % {"count": found["skipped"]})
    if not parts:
        parts.append(
            _("everything is judged")
            if found["any_slot"]
            else _("the round's plan queues none of what was imported")
            if found["any_trace"]
            else _("no traces have been imported yet")
        )
    return "; ".join(parts)

"""The slots of the plan: how many a trace has, where they stand, and what comes back behind all of them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.db.models import F, IntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from reviews import drawing, prefiltering, standing_in
from reviews.models import Assignment, Requeue, Round, Trace
from reviews.models.queue import BACK_OF_THE_QUEUE


def requeued(trace: Trace) -> int:
    """How many readings a lead asked for beyond the plan."""
    return sum(Requeue.objects.filter(trace=trace).values_list("readings", flat=True))


def more_readings(trace: str) -> Coalesce:
    """The same for the trace that `trace` refers to, as a column."""
    rows = Requeue.objects.filter(trace=OuterRef(trace)).order_by().values("trace")
    return Coalesce(Subquery(rows.annotate(n=Sum("readings")).values("n"), output_field=IntegerField()), 0)


def open_slots(round: Round, traces: Sequence[Trace]) -> None:
    """Put new traces in the queue, each slot at a random place of its own, and start their decisions as pending.

    Exact repeats of a sample get no slots: the first of them is read for all. Nor does what the plan keeps out.
    """
    read = standing_in.place(round, traces)
    left = prefiltering.left_out(round, read)
    plan_slots(round, [trace for trace in read if trace.pk not in left])
    prefiltering.begin(round, read, left)


def plan_slots(round: Round, traces: Sequence[Trace]) -> None:
    """Open the slots that the plan asks for."""
    Assignment.objects.bulk_create(
        Assignment(round=round, trace=trace, slot=slot, place=drawing.place_of(round, trace.digest, slot))
        for trace in traces
        for slot in range(drawing.planned_readings(round, bytes(trace.digest)))
    )
    Round.objects.filter(pk=round.pk).update(epoch=F("epoch") + 1)


def fit_slots(round: Round, trace: Trace, needed: int) -> None:
    """Give a trace as many slots as it needs and take back open ones that it does not. Leased ones are left alone."""
    slots = list(Assignment.objects.planned().filter(trace=trace).order_by("slot"))
    surplus = len(slots) - needed
    if surplus > 0:
        free = [
            slot.pk for slot in reversed(slots) if slot.closed_by_id is None and slot.leased_by_id is None
        ]
        Assignment.objects.filter(pk__in=free[:surplus]).delete()
    elif surplus < 0:
        taken, planned = {slot.slot for slot in slots}, drawing.planned_readings(round, bytes(trace.digest))
        unused = [slot for slot in range(len(slots) + needed) if slot not in taken]
        Assignment.objects.bulk_create(
            Assignment(round=round, trace=trace, slot=slot, place=behind_all(), kind=slot_kind(slot, planned))
            for slot in unused[:-surplus]
        )


def slot_kind(slot: int, planned: int) -> str:
    return Assignment.Kind.NORMAL if slot < planned else Assignment.Kind.EXTRA


def behind_all() -> int:
    """A place behind every planned slot and, but for the clock's slack, behind all that came back before."""
    return BACK_OF_THE_QUEUE + int(time.time() * 1000)

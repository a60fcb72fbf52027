"""Deriving decisions and queue again from the frozen tables alone, or only comparing. Leases are left as they are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from django.db import transaction
from django.db.models import Sum

from reviews import deciding, drawing, prefiltering, slotting, standing_in
from reviews.models import (
    Assignment,
    Decision,
    ImportBatch,
    Requeue,
    Review,
    Round,
    StandIn,
    Trace,
    Verdict,
)

TRACES_AT_ONCE = 1000


class Derived(NamedTuple):
    """What a trace's frozen rows come to."""

    state: str
    why: str
    readings: int
    closed: dict[int, int]  # slot: the review that filled it
    slots: int
    stands_for: int | None = None  # the trace that is read in its place


def check() -> list[str]:
    """One sentence for each stored row that is not what the frozen tables say."""
    return [
        sentence
        for round in Round.objects.order_by("pk")
        for trace, derived, stored in _derived(round)
        for sentence in _differences(trace, derived, stored)
    ]


def rebuild() -> list[str]:
    """Put every difference right, and say what was put right. One transaction for each thousand traces."""
    mended: list[str] = []
    for round in Round.objects.order_by("pk"):
        for trace, derived, stored in _derived(round):
            if differences := _differences(trace, derived, stored):
                with transaction.atomic():
                    _mend_afresh(round, trace, derived)
                mended += differences
    return mended


class Stored(NamedTuple):
    """The derived rows that a trace has now."""

    decision: Decision | None
    slots: list[Assignment]
    stands_for: int | None


def _derived(round: Round) -> Iterator[tuple[Trace, Derived, Stored]]:
    bad = {
        review.trace.round_prompt_id
        for review in Review.objects.counting()
        .filter(round=round, kind=Review.Kind.ADJUDICATION, verdict=Verdict.BAD_PROMPT)
        .select_related("trace")
    }
    withdrawn = set(
        ImportBatch.objects.filter(round=round).exclude(withdrawal=None).values_list("pk", flat=True)
    )
    stand_ins = standing_in.all_of(round)
    read_for_others = set(stand_ins.values())
    mirrored: dict[int, Derived] = {}
    last = 0
    while traces := list(
        Trace.objects.filter(round=round, pk__gt=last).defer("meta").order_by("pk")[:TRACES_AT_ONCE]
    ):
        last = traces[-1].pk
        heads = Review.objects.counting().filter(trace__in=traces).order_by("trace_id", "at", "pk")
        of = {trace_id: list(rows) for trace_id, rows in groupby(heads, key=lambda head: head.trace_id)}
        decisions = Decision.objects.in_bulk([trace.pk for trace in traces])
        slots: dict[int, list[Assignment]] = {}
        for slot in Assignment.objects.planned().filter(trace__in=traces):
            slots.setdefault(slot.trace_id, []).append(slot)
        wishes = Requeue.objects.filter(trace__in=traces).values("trace").annotate(n=Sum("readings"))
        more = dict(wishes.order_by().values_list("trace", "n"))
        kept_out = prefiltering.left_out(round, traces)
        stored = dict(StandIn.objects.filter(trace__in=traces).values_list("trace", "stands_for"))
        for trace in traces:
            if (first := stand_ins.get(trace.pk)) is not None:
                derived = mirrored[first]._replace(closed={}, slots=0, stands_for=first)
            else:
                heads_of = of.get(trace.pk, [])
                bad_prompt = trace.round_prompt_id in bad
                why = _dropped(trace.batch_id in withdrawn, kept_out.get(trace.pk, ""), bad_prompt)
                derived = _derive(round, trace, heads_of, why, more.get(trace.pk, 0))
            if trace.pk in read_for_others:
                mirrored[trace.pk] = derived
            held = Stored(decisions.get(trace.pk), slots.get(trace.pk, []), stored.get(trace.pk))
            yield trace, derived, held


def _dropped(withdrawn: bool, kept_out: str, bad_prompt: bool) -> str:
    """Why a trace is dropped whatever its reviews say; a bad prompt gives way to a ruling on the trace itself."""
    if withdrawn:
        return Decision.Why.BATCH_WITHDRAWN
    return kept_out or (Decision.Why.BAD_PROMPT if bad_prompt else "")


def _derive(round: Round, trace: Trace, heads: list[Review], dropped: str, more: int) -> Derived:
    """dropped: why, or nothing. more: readings that a lead asked for beyond the plan."""
    planned = drawing.planned_readings(round, bytes(trace.digest)) + more
    outcome = deciding.of_reviews(round.rule, planned, heads)
    ruled = any(head.kind == Review.Kind.ADJUDICATION for head in heads)
    if dropped and not (dropped == Decision.Why.BAD_PROMPT and ruled):
        outcome = deciding.Outcome(Decision.State.DROPPED, dropped, 0)
    closed = {
        head.slot: head.pk for head in heads if head.kind == Review.Kind.REVIEW and head.slot is not None
    }
    readings = sum(head.kind == Review.Kind.REVIEW for head in heads)
    return Derived(outcome.state, outcome.why, readings, closed, max(outcome.needed, len(closed)))


def _differences(trace: Trace, derived: Derived, stored: Stored) -> list[str]:
    found = []
    decision, slots, stands_for = stored
    if stands_for != derived.stands_for:
        found.append(f"stand-in of trace {trace.pk}: stored {stands_for}, derived {derived.stands_for}")
    held = (decision.state, decision.why, decision.readings) if decision else None
    if held != (derived.state, derived.why, derived.readings):
        found.append(f"decision of trace {trace.pk}: stored {held}, derived {derived[:3]}")
    closed = {slot.slot: slot.closed_by_id for slot in slots if slot.closed_by_id is not None}
    if closed != derived.closed:
        found.append(f"closed slots of trace {trace.pk}: stored {closed}, derived {derived.closed}")
    leased = sum(slot.closed_by_id is None and slot.leased_by_id is not None for slot in slots)
    if not derived.slots <= len(slots) <= derived.slots + leased:
        found.append(f"slots of trace {trace.pk}: stored {len(slots)}, derived {derived.slots}")
    return found


def _mend_afresh(round: Round, trace: Trace, derived: Derived) -> None:
    """Derive once more with the decision's row held, because people may have judged since, and put it right."""
    Decision.objects.select_for_update().filter(trace=trace).first()
    if derived.stands_for is not None and not trace.reviews.exists():
        StandIn.objects.update_or_create(trace=trace, defaults={"stands_for_id": derived.stands_for})
        _mend(round, trace, derived)
        return
    standing_in.dissolve([trace.pk])
    heads = list(trace.reviews.counting().order_by("at", "pk"))
    dropped = derived.why if derived.state == Decision.State.DROPPED else ""
    _mend(round, trace, _derive(round, trace, heads, dropped, slotting.requeued(trace)))


def _mend(round: Round, trace: Trace, derived: Derived) -> None:
    values = {"round": round, "state": derived.state, "why": derived.why, "readings": derived.readings}
    Decision.objects.update_or_create(trace=trace, defaults=values)
    planned = drawing.planned_readings(round, bytes(trace.digest))
    wrong = Assignment.objects.planned().filter(trace=trace).exclude(closed_by=None)
    wrong.exclude(slot__in=derived.closed).update(
        closed_by=None,
        leased_by=None,
        leased_until=None,
        leased_at=None,
        lease_key=None,
        place=slotting.behind_all(),
    )
    for slot, review_id in derived.closed.items():
        Assignment.objects.update_or_create(
            trace=trace,
            slot=slot,
            defaults={"round": round, "closed_by_id": review_id},
            create_defaults={
                "round": round,
                "closed_by_id": review_id,
                "place": slotting.behind_all(),
                "kind": slotting.slot_kind(slot, planned),
            },
        )
    slotting.fit_slots(round, trace, derived.slots)

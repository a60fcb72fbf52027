"""What a round's plan keeps out of the queue: what no checker calls right, and what the round's seed did not draw.

The first is selection, and priced: such a trace was sampled and is not accepted. The second is none: such a trace leaves
both sides of every figure. Neither is read, and nobody can put it in the queue by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from reviews import drawing
from reviews.models import Decision, Outcome, Round, StandIn, Trace

KEPT_OUT = (Decision.Why.OUTSIDE_SUBSET, Decision.Why.FILTERED)


@dataclass(frozen=True)
class KeptOut:
    """How many traces of a round that stand are not queued, by reason."""

    outside_subset: int
    filtered: int


def left_out(round: Round, traces: Sequence[Trace]) -> dict[int, str]:
    """Those of the traces that the plan keeps out of the queue, and why. Fixed by what was imported.

    Exact repeats of a sample share the draw, as they share the reading. Of several checkers the first counts.
    """
    found: dict[int, str] = {}
    if round.subset_share < 1:
        for trace in traces:
            if drawing.draw(round.seed, "subset", bytes(trace.content_digest)) >= round.subset_share:
                found[trace.pk] = Decision.Why.OUTSIDE_SUBSET
    if round.prefilter == Round.Prefilter.CORRECT:
        said = Outcome.objects.filter(trace__in=traces).order_by("-pk").values_list("trace", "value")
        outcomes = dict(said)
        for trace in traces:
            if outcomes.get(trace.pk) != Outcome.Value.CORRECT:
                found.setdefault(trace.pk, Decision.Why.FILTERED)
    return found


def begin(round: Round, traces: Sequence[Trace], left: dict[int, str]) -> None:
    """Start the decisions of new traces that are read for themselves: pending, or dropped where the plan says so."""
    Decision.objects.bulk_create(
        Decision(trace=trace, round=round, state=Decision.State.DROPPED, why=why)
        if (why := left.get(trace.pk))
        else Decision(trace=trace, round=round)
        for trace in traces
    )
    for why in set(
        left.values()
    ):  # repeats in the same batch were placed before there was a decision to mirror
        of = [trace for trace, named in left.items() if named == why]
        mirrors = StandIn.objects.filter(stands_for__in=of).values("trace")
        Decision.objects.filter(trace__in=mirrors).update(state=Decision.State.DROPPED, why=why)


def counted(round: Round) -> KeptOut:
    """Why traces of a round are not waiting to be read."""
    return KeptOut(
        **Decision.objects.filter(round=round, state=Decision.State.DROPPED).aggregate(
            outside_subset=Count("pk", filter=Q(why=Decision.Why.OUTSIDE_SUBSET)),
            filtered=Count("pk", filter=Q(why=Decision.Why.FILTERED)),
        )
    )

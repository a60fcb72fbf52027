"""Disputes: how they were settled, and whose side the ruling took. Who settles one is not told who said what."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from reviews.audit import rows
from reviews.measures import rates
from reviews.measures.intervals import Estimate
from reviews.models import Decision, Review, Round, Verdict


@dataclass(frozen=True)
class Rulings:
    """waiting: disputes without a ruling. settled: by what was ruled. accepts: the share ruled accept, of accept and reject.

    with_reader: for each reader of a split trace, how often the ruling took their side.
    """

    waiting: int
    settled: dict[str, int]
    accepts: Estimate
    with_reader: list[tuple[str, Estimate]]


def of(round: Round) -> Rulings:
    """The rulings of a round that stand, beside what its readers had said."""
    ruled = {
        review.trace_id: review.verdict
        for review in Review.objects.heads()
        .filter(round=round, kind=Review.Kind.ADJUDICATION, trace__batch__withdrawal=None)
        .order_by("at", "pk")  # of several the last one stands
        if review.verdict != Verdict.WITHDRAWN
    }
    settled = Counter(ruled.values())
    said = (
        rows.judged(round).filter(trace__in=list(ruled)).values_list("trace", "reviewer__username", "verdict")
    )
    by_trace: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for trace, reader, verdict in said:
        by_trace[trace].append((reader, verdict))
    sided: dict[str, list[bool]] = defaultdict(list)
    for trace, verdicts in by_trace.items():
        if ruled[trace] != Verdict.BAD_PROMPT and len({verdict for _, verdict in verdicts}) > 1:
            for reader, verdict in verdicts:
                sided[reader].append(verdict == ruled[trace])
    decided = settled[Verdict.ACCEPT] + settled[Verdict.REJECT]
    return Rulings(
        Decision.objects.filter(round=round, state=Decision.State.DISPUTED).count(),
        dict(settled),
        rates.rate(settled[Verdict.ACCEPT], decided),
        [(name, rates.rate(sum(sides), len(sides))) for name, sides in sorted(sided.items())],
    )

"""Figures that were worked out once, kept until anything that they are of has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.db.models import Count, Max

from reviews.audit import agreement, rows
from reviews.audit.clauses import ClauseFigures, Confusion, by_clause, confusion
from reviews.audit.figures import Table
from reviews.models import BatchWithdrawal, Gold, Review, Round

SECONDS = 24 * 3600
Figures = TypeVar("Figures")


def once(round: Round, what: str, work_out: Callable[[Table], Figures]) -> Figures:
    """The figures named `what`, worked out from the round's readings unless they are kept from the same rows."""
    key = f"audit:{what}:{round.pk}:{_mark(round)}"
    found: Any = cache.get(key)
    if found is None:
        found = work_out(Table.of(rows.readings(round)))
        cache.set(key, found, SECONDS)
    return found  # type: ignore[no-any-return]


def _mark(round: Round) -> str:
    """Another one whenever a verdict, gold, an import taken back or the spec changes what the figures are of.

    All of them are append-only, so how many there are and the last number tell. The last alone would not: a lower
    number may be committed later.
    """
    appended: list[Any] = [
        Review.objects.filter(round=round),
        Gold.objects.filter(trace__round=round),
        BatchWithdrawal.objects.filter(batch__round=round),
    ]
    marks = [some.aggregate(n=Count("pk"), last=Max("pk")) for some in appended]
    return "-".join(f"{mark['n']}.{mark['last']}" for mark in marks) + f"-{round.spec_version_id}"


def clauses(round: Round) -> tuple[list[ClauseFigures], Confusion]:
    """The figures of the clauses, and which are taken for one another."""
    return once(round, "clauses", lambda table: (by_clause(round, table), confusion(round, table)))


def coefficients(round: Round) -> dict[str, Any]:
    """Every coefficient of agreement, for the overview and the API."""
    return once(round, "coefficients", lambda table: agreement.of_codes(table.codes))


def headlines(round: Round) -> dict[str, Any]:
    """Observed agreement and alpha alone, for the round's page, which is asked for often."""
    return once(round, "headlines", lambda table: agreement.of_codes(table.codes, whole=False))

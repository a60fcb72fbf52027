"""Figures that were worked out once, kept until anything that they are of has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.db.models import Max

from reviews.audit import rows
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

    All of them are append-only, so the last number tells.
    """
    review = Review.objects.filter(round=round).aggregate(last=Max("pk"))["last"]
    gold = Gold.objects.filter(trace__round=round).aggregate(last=Max("pk"))["last"]
    withdrawn = BatchWithdrawal.objects.filter(batch__round=round).aggregate(last=Max("pk"))["last"]
    return f"{review}-{gold}-{withdrawn}-{round.spec_version_id}"

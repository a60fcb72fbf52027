"""What lists can be narrowed by; an unknown value is an error, not an empty list."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from reviews.errors import Invalid
from reviews.models import Decision, Verdict

DECISION_PARAMETERS = [OpenApiParameter("state", str, enum=Decision.State.values)]
REVIEW_PARAMETERS = [
    OpenApiParameter("verdict", str, enum=Verdict.values),
    OpenApiParameter("reviewer", str),
    OpenApiParameter("live", bool, description="only those that no later review supersedes"),
]


def decisions(rows: Any, asked: Any) -> Any:
    if state := asked.get("state"):
        rows = rows.filter(state=_one_of("state", state, Decision.State.values))
    return rows


def reviews(rows: Any, asked: Any) -> Any:
    if verdict := asked.get("verdict"):
        rows = rows.filter(verdict=_one_of("verdict", verdict, Verdict.values))
    if reviewer := asked.get("reviewer"):
        rows = rows.filter(reviewer__username=reviewer.replace("\0", ""))
    return rows.heads() if asked.get("live") in ("1", "true") else rows


def _one_of(field: str, value: str, known: list[str]) -> str:
    if value not in known:
        raise Invalid(field, f"{field} is one of {', '.join(known)}; got '{value}'.")
    return value

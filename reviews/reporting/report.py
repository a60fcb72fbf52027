"""The audit at a moment, as one page that needs nothing else: it goes with a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import timezone

from reviews.audit import tables
from reviews.models import Round
from reviews.reporting import shown

STYLES = ("tokens.css", "base.css", "audit.css")


def report_of(
    round: Round, *, at: datetime | None = None, overrides: Sequence[Mapping[str, Any]] = ()
) -> str:
    """The page as text. Its style stands in it, and nothing else that a browser would fetch or run.

    overrides: the gates that were overridden for the data set that it goes with, each with gate, by and reason.
    at: the moment that it names, now where none is given; the figures are always those of now. A verdict given
    meanwhile would make figures and digest those of different rows: then all is read again.
    """
    for _attempt in range(3):
        before = tables.digest(round)
        written = _written(round, at or timezone.now(), before, overrides)
        if tables.digest(round) == before:
            break
    return written


def _written(round: Round, at: datetime, digest: str, overrides: Sequence[Mapping[str, Any]]) -> str:
    return render_to_string(
        "reviews/audit/report.html",
        {
            "round": round,
            "project": round.project,
            "at": at,
            "digest": digest,
            "overrides": overrides,
            "styles": "\n".join(_style(name) for name in STYLES),
            **shown.overview_of(round),
            **shown.clauses_of(round),
            **shown.readers_of(round, hidden=True),
        },
    )


def _style(name: str) -> str:
    found = finders.find(f"reviews/{name}")
    if found is None:
        raise FileNotFoundError(name)
    return Path(found).read_text(encoding="utf-8")

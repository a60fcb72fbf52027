"""What a lead wants to know of a round, and a reader of their own work: how much is left, what came back."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from reviews.models import Assignment, Override, Project, Question, Review, Round, User, Verdict

LATEST = 200


@dataclass(frozen=True)
class Left:
    """Readings still to do, the traces that wait for them, and at the pace of late how many seconds of reading."""

    readings: int
    traces: int
    seconds: float | None
    paced_by: int  # how many readings the pace is taken from


def left(round: Round) -> Left:
    """What a round still asks for. The pace is the median of the latest readings at the desk; under ten there is none."""
    waiting = Assignment.objects.planned().open().filter(round=round)
    counted = waiting.aggregate(readings=Count("pk"), traces=Count("trace", distinct=True))
    timed = Review.objects.standing().filter(round=round, seconds__gt=0).order_by("-at")
    paces = [seconds for (seconds,) in timed.values_list("seconds")[:LATEST] if seconds is not None]
    seconds = median(paces) * counted["readings"] if len(paces) >= 10 else None
    return Left(counted["readings"], counted["traces"], seconds, len(paces))


def own_figures(round: Round, reader: User) -> dict[str, Any]:
    """A reader's own verdicts in a round: counts, and the medians of seconds and of words a minute."""
    mine = Review.objects.standing().filter(round=round, reviewer=reader)
    counted = mine.aggregate(
        judged=Count("pk"),
        accepts=Count("pk", filter=Q(verdict=Verdict.ACCEPT)),
        rejects=Count("pk", filter=Q(verdict=Verdict.REJECT)),
    )
    seconds = [value for (value,) in mine.values_list("seconds") if value is not None]
    paces = [value for (value,) in mine.values_list("words_a_minute") if value is not None]
    return {
        **counted,
        "decided": counted["accepts"] + counted["rejects"],
        "seconds": median(seconds) if seconds else None,
        "words_a_minute": median(paces) if paces else None,
    }


def came_back(reader: User) -> QuerySet[Question]:
    """The questions of a reader that were answered and whose trace they have not judged since."""
    judged = Review.objects.standing().filter(trace=OuterRef("trace"), reviewer=reader)
    asked = Question.objects.visible_to(reader).asked().filter(by=reader).exclude(answered_by=None)
    return asked.filter(~Exists(judged)).select_related("answered_by", "round__project").order_by("-pk")


@dataclass(frozen=True)
class Overriding:
    """How often a lead has overridden a gate, over how many data sets. name is empty for the command line."""

    name: str
    gates: int
    datasets: int


def overrides_by_lead(project: Project) -> list[Overriding]:
    """Who has overridden how many gates in a project, most first."""
    rows = (
        Override.objects.filter(dataset__project=project)
        .values_list("by__username")
        .annotate(gates=Count("pk"), datasets=Count("dataset", distinct=True))
        .order_by("-gates", "by__username")
    )
    return [Overriding(name or "", gates, datasets) for name, gates, datasets in rows]

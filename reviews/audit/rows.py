"""The raw rows that every figure of the audit is computed from, and nothing else is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Avg, Count, Min, Q, QuerySet

from reviews import drawing
from reviews.models import Citation, Gold, Review, Round, User, Verdict


@dataclass(frozen=True)
class Reading:
    """One blind accept or reject of a person, as the plan or a lead asked for it.

    item_id, cluster: the trace's and its prompt's digest. fails: the clauses it cites. planned: whether the plan gave
    it, so that who reads a trace twice was drawn at random; a reading that came later was asked for with a reason.
    minute: minutes since this reader began the sitting, where one ends after half an hour without a verdict; NaN for a
    verdict from elsewhere, whose moment nobody knows.
    """

    item_id: str
    rater_id: str
    label: str
    cluster: str
    trace: int
    domain: str
    checkpoint: str
    at: datetime
    fails: tuple[str, ...]
    planned: bool
    seconds: float | None
    chars: int
    minute: float


@dataclass(frozen=True)
class GoldReading:
    """One verdict on gold, served unmarked: what is right, and what was said. depth: where the fault lies, 0 to 1."""

    rater_id: str
    reviewer_kind: str
    trace: int
    item_id: str
    right: str
    said: str
    at: datetime
    depth: float | None


@dataclass(frozen=True)
class Repeat:
    """A trace that came back to its reader unmarked, and what they said either time."""

    rater_id: str
    item_id: str
    first: str
    again: str
    days: float


SITTING_ENDS_AFTER = 30 * 60.0  # seconds without a verdict


@dataclass(frozen=True)
class Basis:
    """What the figures are of, and what they leave out.

    imported: verdicts from elsewhere that are in, because nobody said that they were not blind. unblinded: those of
    which somebody did, which are out. other_spec: verdicts against another version of the spec, which are out too.
    """

    imported: int
    unblinded: int
    other_spec: int


def _judged(round: Round) -> QuerySet[Review]:
    """People's accepts and rejects, first pass, not taken back. Unsure and bad-prompt are no judgement of the trace."""
    return Review.objects.counting().filter(
        round=round,
        kind=Review.Kind.REVIEW,
        verdict__in=[Verdict.ACCEPT, Verdict.REJECT],
        trace__batch__withdrawal=None,
    )


def basis(round: Round) -> Basis:
    """How many verdicts there are of each sort."""
    own = Q(spec_version=round.spec_version_id)
    found = _judged(round).aggregate(
        imported=Count("pk", filter=own & Q(origin=Review.Origin.IMPORTED, blind=True)),
        unblinded=Count("pk", filter=own & Q(blind=False)),
        other_spec=Count("pk", filter=~own),
    )
    return Basis(**found)


def _counted(round: Round) -> Q:
    """What every figure is of: blind, against the round's own spec version, of imports that stand."""
    return Q(round=round, spec_version=round.spec_version_id, blind=True, trace__batch__withdrawal=None)


def judged(round: Round) -> QuerySet[Review]:
    """The verdicts that the figures are of: blind, and against the round's own spec version."""
    return _judged(round).filter(_counted(round))


def readings(round: Round) -> list[Reading]:
    """Every reading, in the order of its trace's digest and its reader's name."""
    fails: dict[int, set[str]] = {}
    cited = Citation.objects.filter(review__round=round, held=Citation.Held.FAILS)
    for review, key in cited.values_list("review", "clause__key"):
        fails.setdefault(review, set()).add(key)
    values = list(
        judged(round)
        .order_by("trace__digest", "reviewer__username")
        .values_list(
            "pk",
            "trace__digest",
            "reviewer__username",
            "verdict",
            "trace__round_prompt__prompt__digest",
            "trace",
            "trace__round_prompt__domain",
            "trace__sampler__model",
            "at",
            "slot",
            "seconds",
            "trace__reasoning__chars",
        )
    )
    minutes = _minutes(round)
    planned: dict[bytes, int] = {}
    found = []
    for pk, digest, reader, verdict, prompt, trace, domain, model, at, slot, seconds, chars in values:
        digest = bytes(digest)
        if digest not in planned:
            planned[digest] = drawing.planned_readings(round, digest)
        found.append(
            Reading(
                digest.hex(),
                reader,
                verdict,
                bytes(prompt).hex(),
                trace,
                str(domain),
                str(model),
                at,
                tuple(sorted(fails.get(pk, ()))),
                slot is not None and slot < planned[digest],
                seconds,
                chars,
                minutes.get(pk, math.nan),
            )
        )
    return found


def _minutes(round: Round) -> dict[int, float]:
    """For each verdict made here the minutes since its reader's sitting began; of gold, repeats and doubts as well."""
    made_here = Review.objects.filter(round=round).exclude(origin=Review.Origin.IMPORTED)
    rows = made_here.order_by("reviewer", "at", "pk").values_list("pk", "reviewer", "at")
    found: dict[int, float] = {}
    began: dict[int, datetime] = {}
    last: dict[int, datetime] = {}
    for pk, reader, at in rows.iterator():
        if reader not in last or (at - last[reader]).total_seconds() > SITTING_ENDS_AFTER:
            began[reader] = at
        last[reader] = at
        found[pk] = (at - began[reader]).total_seconds() / 60
    return found


def gold(round: Round) -> list[GoldReading]:
    """What was first said of gold mixed in unmarked, in the order in which it was said; never of a training round.

    The first verdict counts, also where it was taken back: who comes to know it was gold could say it anew.
    """
    standing = {gold.trace_id: gold.verdict for gold in Gold.objects.standing().filter(trace__round=round)}
    said = (
        Review.objects.filter(_counted(round), supersedes=None)
        .filter(served=Review.Served.GOLD, stage=Review.Stage.FINAL, trace__in=list(standing))
        .filter(verdict__in=[Verdict.ACCEPT, Verdict.REJECT])
        .order_by("at", "pk")
    )
    depths = _depths(list(standing))
    return [
        GoldReading(
            review.reviewer.username,
            review.reviewer_kind,
            review.trace_id,
            review.trace.digest_hex,
            standing[review.trace_id],
            review.verdict,
            review.at,
            depths.get(review.trace_id),
        )
        for review in said.select_related("reviewer", "trace")
    ]


def _depths(traces: list[int]) -> dict[int, float]:
    """How far into the reasoning the fault stands: the first passage marked by those who rejected it for the round."""
    marked = (
        Citation.objects.filter(
            review__trace__in=traces,
            review__served=Review.Served.NORMAL,
            review__superseded_by=None,
            review__verdict=Verdict.REJECT,
            held=Citation.Held.FAILS,
            part=Citation.Part.REASONING,
            start__isnull=False,
        )
        .order_by()
        .values("review__trace", "review__trace__reasoning__chars")
        .annotate(first=Min("start"))
    )
    return {
        row["review__trace"]: row["first"] / row["review__trace__reasoning__chars"]
        for row in marked
        if row["review__trace__reasoning__chars"]
    }


def repeats(round: Round) -> list[Repeat]:
    """Traces that came back to the same reader unmarked: their first verdict beside the first one on the return."""
    heads: Any = (
        Review.objects.filter(_counted(round), supersedes=None)
        .filter(
            kind=Review.Kind.REVIEW,
            stage=Review.Stage.FINAL,
            reviewer_kind=User.Kind.HUMAN,
            pass_number__in=(1, 2),
            served__in=(Review.Served.NORMAL, Review.Served.REPEAT),
            verdict__in=[Verdict.ACCEPT, Verdict.REJECT],
        )
        .order_by("trace__digest", "reviewer__username", "pass_number")
        .values_list("trace__digest", "reviewer__username", "pass_number", "verdict", "at")
    )
    found = []
    before: tuple[Any, ...] | None = None
    for digest, reader, number, verdict, at in heads:
        if number == 2 and before is not None and before[:2] == (bytes(digest), reader):
            days = (at - before[3]).total_seconds() / 86_400
            found.append(Repeat(reader, bytes(digest).hex(), before[2], verdict, days))
        before = (bytes(digest), reader, verdict, at) if number == 1 else None
    return found


def reviewers(round: Round) -> list[dict[str, Any]]:
    """Each reviewer's verdicts, accept rate among accepts and rejects, and mean seconds, by name."""
    heads = (
        Review.objects.heads().filter(round=round, kind=Review.Kind.REVIEW).exclude(verdict=Verdict.WITHDRAWN)
    )
    found: Any = (
        heads.values("reviewer__username", "reviewer_kind")
        .annotate(
            judged=Count("pk"),
            accepts=Count("pk", filter=Q(verdict=Verdict.ACCEPT)),
            rejects=Count("pk", filter=Q(verdict=Verdict.REJECT)),
            unsure=Count("pk", filter=Q(verdict=Verdict.UNSURE)),
            bad_prompts=Count("pk", filter=Q(verdict=Verdict.BAD_PROMPT)),
            seconds=Avg("seconds"),
        )
        .order_by("reviewer__username")
    )
    return list(found)

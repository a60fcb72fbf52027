"""The audit: agreement between readers, each reviewer's pace, from the raw rows and recomputable from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Avg, Count, Q
from django.utils.translation import gettext as _

from reviews.errors import Invalid, Unreadable
from reviews.formats import ratings_csv
from reviews.measures import agreement
from reviews.measures.errors import InsufficientData, UnfitData
from reviews.measures.ratings import Ratings
from reviews.models import Review, Round, Verdict

SCALES = ("nominal", "ordinal", "interval", "ratio")
SEED = 20_261_124  # fixed, so that the page, the command and a recomputation give the same digits


@dataclass(frozen=True)
class RawRow:
    """One verdict as a rating: which trace, who, what, and the prompt that traces cluster in."""

    item_id: str
    rater_id: str
    label: str
    cluster: str


def rows(round: Round) -> Iterator[RawRow]:
    """The verdicts that agreement is computed from: people's accepts and rejects, first pass, not taken back.

    Only verdicts against the round's own spec version: two versions cannot be compared. Unsure and bad-prompt are
    no judgement of the trace and stay out.
    """
    counting = Review.objects.counting().filter(
        round=round,
        kind=Review.Kind.REVIEW,
        verdict__in=[Verdict.ACCEPT, Verdict.REJECT],
        spec_version=round.spec_version_id,
        trace__batch__withdrawal=None,
    )
    values = counting.order_by("trace__digest", "reviewer__username").values_list(
        "trace__digest", "reviewer__username", "verdict", "trace__round_prompt__prompt__digest"
    )
    for trace, reviewer, verdict, prompt in values.iterator():
        yield RawRow(bytes(trace).hex(), reviewer, verdict, bytes(prompt).hex())


def agreement_of(raw: Iterable[Any], *, scale: str = "nominal", seed: int = SEED) -> dict[str, Any]:
    """Observed agreement and Krippendorff's alpha of raw rows, each with value, interval, method and state.

    raw: rows with item_id, rater_id, label (None is missing), cluster (None: items stand alone), and maybe occasion.
    Intervals are bootstraps over clusters, or over items where no row names one; under 30 items there is none.
    Raises Invalid for a scale that does not fit the labels.
    """
    if scale not in SCALES:
        raise Invalid(
            "scale",
            _("A scale is one of %(known)s; got '%(scale)s'.") % {"known": ", ".join(SCALES), "scale": scale},
        )
    table = list(raw)
    nothing = {"value": None, "low": None, "high": None, "method": "none", "n": 0, "state": "no-pairs"}
    found: dict[str, Any] = {
        "items": 0,
        "raters": 0,
        "ratings": 0,
        "observed_agreement": nothing,
        "krippendorff_alpha": nothing,
    }
    if not table:
        return found
    clusters = [row.cluster for row in table]
    occasions = [getattr(row, "occasion", None) for row in table]
    try:
        ratings = Ratings.from_rows(
            [row.item_id for row in table],
            [row.rater_id for row in table],
            [row.label for row in table],
            cluster_ids=clusters if any(cluster is not None for cluster in clusters) else None,
            occasions=[occasion or 0 for occasion in occasions]
            if any(o is not None for o in occasions)
            else None,
        )
        observed = agreement.observed_agreement(ratings, seed=seed)
        alpha = agreement.krippendorff_alpha(ratings, scale=scale, seed=seed)  # type: ignore[arg-type]
    except InsufficientData:
        return found
    except UnfitData as unfit:
        raise Invalid("label", f"{unfit}") from None
    return {
        "items": len(ratings.counts),
        "raters": ratings.raters,
        "ratings": ratings.ratings,
        "observed_agreement": asdict(observed),
        "krippendorff_alpha": asdict(alpha),
    }


def of_file(path: Any, *, scale: str, columns: dict[str, str], seed: int = SEED) -> dict[str, Any]:
    """The same from a CSV of raw rows, without the database. Raises Unreadable, Invalid."""
    try:
        with open(path, "rb") as file:
            table = list(ratings_csv.read(file, path.name, columns))
    except OSError as problem:
        raise Unreadable(f"{path} cannot be read: {problem.strerror}.") from None
    except ratings_csv.UnreadableRatings as problem:
        raise Unreadable(f"{problem}") from None
    return agreement_of(table, scale=scale, seed=seed)


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


def read_twice(raw: Sequence[RawRow]) -> int:
    """How many traces were judged by two or more."""
    seen: dict[str, int] = {}
    for row in raw:
        seen[row.item_id] = seen.get(row.item_id, 0) + 1
    return sum(count > 1 for count in seen.values())

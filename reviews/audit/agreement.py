"""Every coefficient of agreement, from raw rows: what the page, the API and the `agreement` command all give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from reviews.audit.figures import SEED as SEED
from reviews.errors import Invalid, Unreadable
from reviews.formats import ratings_csv
from reviews.measures import agreement, cohen, dawid_skene, kappas
from reviews.measures.errors import UnfitData
from reviews.measures.ratings import Codes, Ratings

SCALES = ("nominal", "ordinal", "interval", "ratio")


def agreement_of(
    raw: Iterable[Any], *, scale: str = "nominal", seed: int = SEED, whole: bool = True
) -> dict[str, Any]:
    """Every coefficient of raw rows, each with value, interval, method, the items it is of, and state.

    raw: rows with item_id, rater_id, label (None is missing), cluster (None: items stand alone), and maybe occasion.
    Alpha and AC2 are of the scale, all others take labels as names. Intervals are over clusters, or over items where
    no row names one; under 30 items there is none. A rater's first occasion counts, for Dawid-Skene all.
    whole=False gives observed agreement and alpha only: for pages that show no more, and are asked for often.
    Raises Invalid for a scale that does not fit the labels.
    """
    table = list(raw)
    clusters = [row.cluster for row in table]
    occasions = [getattr(row, "occasion", None) for row in table]
    try:
        codes = Codes.from_rows(
            [row.item_id for row in table],
            [row.rater_id for row in table],
            [row.label for row in table],
            cluster_ids=clusters if any(cluster is not None for cluster in clusters) else None,
            occasions=[occasion or 0 for occasion in occasions]
            if any(occasion is not None for occasion in occasions)
            else None,
        )
    except UnfitData as unfit:
        raise Invalid("label", f"{unfit}") from None
    return of_codes(codes, scale=scale, seed=seed, whole=whole)


def of_codes(codes: Codes, *, scale: str = "nominal", seed: int = SEED, whole: bool = True) -> dict[str, Any]:
    """The same of ratings that are numbered already. Raises Invalid as `agreement_of` does."""
    if scale not in SCALES:
        raise Invalid(
            "scale",
            _("A scale is one of %(known)s; got '%(scale)s'.") % {"known": ", ".join(SCALES), "scale": scale},
        )
    try:
        ratings = codes.counted()
        found: dict[str, Any] = {
            "items": len(ratings.counts),
            "raters": ratings.raters,
            "ratings": ratings.ratings,
            "observed_agreement": asdict(agreement.observed_agreement(ratings, seed=seed)),
            "krippendorff_alpha": asdict(
                agreement.krippendorff_alpha(ratings, scale=scale, seed=seed)  # type: ignore[arg-type]
            ),
        }
        return found | _others(codes, ratings, scale, seed) if whole else found
    except UnfitData as unfit:
        raise Invalid("label", f"{unfit}") from None


def _others(codes: Codes, ratings: Ratings, scale: str, seed: int) -> dict[str, Any]:
    """The coefficients that stand behind "more"."""
    ordered = scale != "nominal"
    pairs = cohen.cohen_kappas(codes)
    return {
        "fleiss_kappa": asdict(kappas.fleiss_kappa(ratings, seed=seed)),
        "gwet_ac1": asdict(kappas.gwet_ac(ratings, seed=seed)),
        "gwet_ac2": asdict(kappas.gwet_ac(ratings, scale=scale, seed=seed)) if ordered else None,  # type: ignore[arg-type]
        "brennan_prediger": asdict(kappas.brennan_prediger(ratings, seed=seed)),
        "cohen_kappa": None
        if pairs is None
        else [{"raters": list(pair.raters), **asdict(pair.kappa)} for pair in pairs],
        "specific_agreement": [
            {"label": label, **asdict(found)} for label, found in kappas.specific_agreement(ratings).items()
        ],
        "dawid_skene": _dawid_skene(codes, seed),
    }


def _dawid_skene(codes: Codes, seed: int) -> dict[str, Any] | None:
    """The model in words that JSON has: by the raters' names, rows and columns in the order of `labels`."""
    model = dawid_skene.fit(codes)
    if model is None:
        return None
    fitted = model.state != "needs-three-raters"
    errors = dawid_skene.errors_against_others(codes, seed=seed) if fitted else []
    return {
        "state": model.state,
        "items": int(model.used.sum()),
        "labels": list(codes.categories),
        "shares": model.shares.tolist() if fitted else None,
        "log_likelihood": model.log_likelihood if fitted else None,
        "steps": len(model.history),
        "likeliest": np.bincount(model.posterior.argmax(axis=1), minlength=len(codes.categories)).tolist()
        if fitted
        else None,
        "raters": [
            {
                "rater": rater,
                "confusion": _known(model.confusion[place]),
                "error": _known(model.errors[place]),
                "error_against_others": asdict(error),
            }
            for place, (rater, error) in enumerate(zip(codes.rater_names, errors, strict=True))
        ]
        if fitted
        else [],
    }


def _known(numbers: Any) -> Any:
    """Numbers as lists, with None where there is none: JSON has no NaN."""
    if np.ndim(numbers):
        return [_known(number) for number in numbers]
    return None if np.isnan(numbers) else float(numbers)


def of_file(
    path: Any, *, scale: str, columns: dict[str, str], raters: list[str] | None = None, seed: int = SEED
) -> dict[str, Any]:
    """The same from a CSV of raw rows, without the database. Raises Unreadable, Invalid.

    raters: the table is wide, with these columns of labels; of an empty list, all that are no other column.
    """
    try:
        with open(path, "rb") as file:
            table = list(ratings_csv.read(file, path.name, columns, raters=raters))
    except OSError as problem:
        raise Unreadable(f"{path} cannot be read: {problem.strerror}.") from None
    except ratings_csv.UnreadableRatings as problem:
        raise Unreadable(f"{problem}") from None
    return agreement_of(table, scale=scale, seed=seed)

"""From readings to arrays, and from arrays to the figures that every page of the audit shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reviews.audit.rows import Reading
from reviews.measures import agreement, kappas, rates
from reviews.measures.intervals import Estimate
from reviews.measures.ratings import Codes

SEED = 20_261_124  # fixed, so that the page, the command and a recomputation give the same digits
ACCEPT, REJECT = "accept", "reject"
NOTHING = Estimate(None, None, None, "nothing to compare", 0, "no-pairs")
NEVER_GIVEN = Estimate(None, None, None, "nothing to compare", 0, "never-given")


@dataclass(frozen=True)
class Group:
    """The figures of some of the readings. readings, twice: how many there are, and traces that two or more read."""

    name: str
    readings: int
    twice: int
    rejects: float | None
    observed: Estimate
    rejects_agreed: Estimate
    alpha: Estimate
    second: Estimate


def coded(readings: Iterable[Reading], label: Callable[[Reading], str] = lambda one: one.label) -> Codes:
    """Readings as the measures take them; clusters are prompts."""
    table = list(readings)
    return Codes.from_rows(
        [one.item_id for one in table],
        [one.rater_id for one in table],
        [label(one) for one in table],
        cluster_ids=[one.cluster for one in table],
    )


def group(name: str, readings: Sequence[Reading]) -> Group:
    """All figures of these readings; what cannot be measured has no value and says why."""
    if not readings:
        return Group(name, 0, 0, None, NOTHING, NOTHING, NOTHING, NOTHING)
    codes = coded(readings)
    ratings = codes.counted()
    specific = kappas.specific_agreement(ratings)
    return Group(
        name,
        len(readings),
        int(np.count_nonzero(ratings.counts.sum(axis=1) >= 2)),
        sum(one.label == REJECT for one in readings) / len(readings),
        agreement.observed_agreement(ratings, seed=SEED),
        specific.get(REJECT, NEVER_GIVEN),
        agreement.krippendorff_alpha(ratings, seed=SEED),
        second_reader(readings),
    )


def second_reader(readings: Sequence[Reading]) -> Estimate:
    """Of traces that one reader accepts, the share that another would have rejected; of planned readings alone.

    A reading that somebody asked for is of a trace that was in doubt, and would speak for all others.
    """
    planned = [one for one in readings if one.planned]
    if not planned:
        return NOTHING
    codes = coded(planned)
    items = len(codes.item_names)
    accepts, rejects = (_counts(codes, label, items) for label in (ACCEPT, REJECT))
    return rates.second_reader_rejects(accepts, rejects, clusters=codes.clusters)


def _counts(codes: Codes, label: str, items: int) -> NDArray[np.int64]:
    if label not in codes.categories:
        return np.zeros(items, dtype=np.int64)
    return np.bincount(codes.items[codes.labels == codes.categories.index(label)], minlength=items)


def groups(readings: Sequence[Reading], key: Callable[[Reading], str]) -> list[Group]:
    """The figures of each group that `key` makes, by name."""
    parts: dict[str, list[Reading]] = {}
    for one in readings:
        parts.setdefault(key(one), []).append(one)
    return [group(name, part) for name, part in sorted(parts.items())]


def by_reader(readings: Sequence[Reading]) -> list[Group]:
    """The figures of the traces that each reader read, by name: their own readings and those of others beside them."""
    met: dict[str, set[str]] = {}
    for one in readings:
        met.setdefault(one.rater_id, set()).add(one.item_id)
    return [
        group(name, [one for one in readings if one.item_id in items]) for name, items in sorted(met.items())
    ]

"""Ratings of items by several raters, as the agreement measures take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from reviews.measures.errors import UnfitData


@dataclass(frozen=True)
class Ratings:
    """Ratings collapsed to counts: who gave a label matters no more, only how many did.

    counts: shape (items, categories), how many raters gave the item that label.
    clusters: shape (items,), the number of the item's cluster (its prompt), or of the item without one.
    categories: the labels, by number where all are numbers, else by name.
    ratings: the sum of counts. later: ratings left out because the same rater had rated the item before.
    """

    counts: NDArray[np.int64]
    clusters: NDArray[np.int64]
    clustered: bool
    categories: tuple[str, ...]
    raters: int
    ratings: int
    later: int

    @classmethod
    def from_rows(
        cls,
        item_ids: Sequence[str],
        rater_ids: Sequence[str],
        labels: Sequence[str | None],
        *,
        cluster_ids: Sequence[str | None] | None = None,
        occasions: Sequence[int] | None = None,
    ) -> Ratings:
        """Count parallel rows of item, rater and label; a label of None is a rating that is missing.

        A rater's first rating of an item counts, by occasion where given and then by position; later ones are
        only counted in `later`. An item whose cluster is None is a cluster of its own.
        The order of the rows changes nothing else, to the last bit.
        Raises UnfitData for rows of different lengths and for an item in two clusters.
        """
        columns = (item_ids, rater_ids, labels, cluster_ids, occasions)
        if len({len(column) for column in columns if column is not None}) > 1:
            raise UnfitData("Agreement", "the columns have different lengths.")
        order: Sequence[int] = range(len(item_ids))
        if occasions is not None:
            order = sorted(order, key=occasions.__getitem__)

        first: dict[tuple[str, str], str] = {}
        later = 0
        for row in order:
            if (label := labels[row]) is not None:
                key = item_ids[row], rater_ids[row]
                later += key in first
                first.setdefault(key, label)

        items = {item: number for number, item in enumerate(sorted({item for item, _ in first}))}
        categories = _sorted_labels(set(first.values()))
        column_of = {label: number for number, label in enumerate(categories)}
        counts = np.zeros((len(items), len(categories)), dtype=np.int64)
        for (item, _), label in first.items():
            counts[items[item], column_of[label]] += 1
        return cls(
            counts=counts,
            clusters=_cluster_numbers(item_ids, cluster_ids, items),
            clustered=cluster_ids is not None,
            categories=categories,
            raters=len({rater for _, rater in first}),
            ratings=len(first),
            later=later,
        )


def numbers_of(labels: Sequence[str]) -> list[float] | None:
    """The labels as numbers, or None when one of them is not a finite number ("nan" is a word here)."""
    try:
        numbers = [float(label) for label in labels]
    except ValueError:
        return None
    return numbers if all(map(isfinite, numbers)) else None


def _sorted_labels(labels: set[str]) -> tuple[str, ...]:
    names = sorted(labels)
    numbers = numbers_of(names)
    if numbers is None:
        return tuple(names)
    return tuple(name for _, name in sorted(zip(numbers, names, strict=True)))


def _cluster_numbers(
    item_ids: Sequence[str], cluster_ids: Sequence[str | None] | None, items: dict[str, int]
) -> NDArray[np.int64]:
    """The number of each item's cluster, in the order of the items."""
    if cluster_ids is None:
        return np.arange(len(items))
    named: dict[str, str | None] = {}
    for item, cluster in zip(item_ids, cluster_ids, strict=True):
        if named.setdefault(item, cluster) != cluster:
            raise UnfitData(
                "Agreement", f"item {item!r} is in two clusters, {named[item]!r} and {cluster!r}."
            )
    # An item without a cluster must not fall together with a cluster that has the item's name.
    keys = [("item", item) if named[item] is None else ("cluster", str(named[item])) for item in items]
    numbers = {key: number for number, key in enumerate(sorted(set(keys)))}
    return np.array([numbers[key] for key in keys], dtype=np.int64)

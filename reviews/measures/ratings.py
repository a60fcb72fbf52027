"""Ratings of items by several raters, as the agreement measures take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from reviews.measures.errors import UnfitData

CELLS_UP_TO = 50_000_000  # items times labels: 400 MB of counts


@dataclass(frozen=True)
class Codes:
    """Ratings as numbers, one row for each, ordered by item, then rater, then occasion.

    items, raters, labels: shape (ratings,), places in item_names, rater_names and categories.
    first: shape (ratings,), whether it is the rater's first rating of the item.
    clusters: shape (items,), the number of the item's cluster (its prompt), or of the item without one.
    categories: the labels, by number where all are numbers, else by name.
    """

    items: NDArray[np.int64]
    raters: NDArray[np.int64]
    labels: NDArray[np.int64]
    first: NDArray[np.bool_]
    clusters: NDArray[np.int64]
    clustered: bool
    item_names: tuple[str, ...]
    rater_names: tuple[str, ...]
    categories: tuple[str, ...]

    @classmethod
    def from_rows(
        cls,
        item_ids: Sequence[str],
        rater_ids: Sequence[str],
        labels: Sequence[str | None],
        *,
        cluster_ids: Sequence[str | None] | None = None,
        occasions: Sequence[int] | None = None,
    ) -> Codes:
        """Number parallel rows of item, rater and label; a label of None is a rating that is missing.

        Within an item and a rater the rows stand by occasion where given, and then by position. An item whose
        cluster is None is a cluster of its own. The order of the rows changes nothing else, to the last bit.
        Raises UnfitData for rows of different lengths and for an item in two clusters.
        """
        columns = (item_ids, rater_ids, labels, cluster_ids, occasions)
        if len({len(column) for column in columns if column is not None}) > 1:
            raise UnfitData("Agreement", "the columns have different lengths.")
        kept = np.fromiter((label is not None for label in labels), np.bool_, len(labels))
        all_items, names = _numbered(item_ids)
        present, items = np.unique(all_items[kept], return_inverse=True)
        raters, rater_names = _numbered(list(compress(rater_ids, kept)))
        given = [label for label in labels if label is not None]
        categories = _sorted_labels(set(given))
        column_of = {label: number for number, label in enumerate(categories)}
        label_of = np.fromiter(map(column_of.__getitem__, given), np.int64, len(given))

        if occasions is None:
            order = np.lexsort((raters, items))
        else:
            order = np.lexsort((np.asarray(occasions, dtype=np.int64)[kept], raters, items))
        items, raters = items[order], raters[order]
        first = np.ones(len(items), dtype=np.bool_)
        first[1:] = (items[1:] != items[:-1]) | (raters[1:] != raters[:-1])
        return cls(
            items=items,
            raters=raters,
            labels=label_of[order],
            first=first,
            clusters=_cluster_numbers(all_items, names, cluster_ids, present),
            clustered=cluster_ids is not None,
            item_names=tuple(map(names.__getitem__, present.tolist())),
            rater_names=rater_names,
            categories=categories,
        )

    def counted(self) -> Ratings:
        """How many raters gave each item each label, by their first ratings."""
        items, labels = self.items[self.first], self.labels[self.first]
        used, column = np.unique(labels, return_inverse=True)  # a label of later occasions only has no column
        rows, width = len(self.item_names), len(used)
        if rows * width > CELLS_UP_TO:
            raise UnfitData(
                "Agreement", f"{width} different labels on {rows} items are too many to count at once."
            )
        counts = np.bincount(items * width + column, minlength=rows * width).reshape(rows, width)
        return Ratings(
            counts=counts,
            clusters=self.clusters,
            clustered=self.clustered,
            categories=tuple(self.categories[place] for place in used),
            raters=len(self.rater_names),
            ratings=len(items),
            later=len(self.items) - len(items),
        )

    def firsts(self) -> Codes:
        """Only the first rating that each rater gave an item."""
        return self.only(self.first)

    def only(self, rows: NDArray[np.bool_]) -> Codes:
        """Some of the ratings; items, raters and labels keep their numbers."""
        return Codes(
            self.items[rows],
            self.raters[rows],
            self.labels[rows],
            self.first[rows],
            self.clusters,
            self.clustered,
            self.item_names,
            self.rater_names,
            self.categories,
        )


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
        """Count parallel rows as Codes.from_rows numbers them.

        A rater's first rating of an item counts; later ones are only counted in `later`.
        Raises UnfitData as Codes.from_rows does, and for too many labels on too many items.
        """
        return Codes.from_rows(
            item_ids, rater_ids, labels, cluster_ids=cluster_ids, occasions=occasions
        ).counted()


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


def _numbered(names: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Each name's place among the distinct ones, which are sorted.

    By a dictionary and not by numpy's own strings: those of 64 characters would take 256 bytes a row.
    """
    distinct = sorted(set(names))
    number = {name: place for place, name in enumerate(distinct)}
    return np.fromiter(map(number.__getitem__, names), np.int64, len(names)), tuple(distinct)


def _cluster_numbers(
    items: NDArray[np.int64],
    item_names: Sequence[str],
    cluster_ids: Sequence[str | None] | None,
    present: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The number of each present item's cluster. An item without one comes after all clusters, by its name."""
    if cluster_ids is None:
        return np.arange(len(present))
    names = sorted({cluster for cluster in cluster_ids if cluster is not None})
    number: dict[str | None, int] = {name: place for place, name in enumerate(names)}
    number[None] = -1
    clusters = np.fromiter(map(number.__getitem__, cluster_ids), np.int64, len(cluster_ids))
    of_item = np.zeros(len(item_names), dtype=np.int64)
    of_item[items[::-1]] = clusters[::-1]  # backwards, so that the first row of an item stays
    if len(wrong := np.flatnonzero(clusters != of_item[items])):
        item, cluster = items[wrong[0]], cluster_ids[wrong[0]]
        before = None if of_item[item] < 0 else names[of_item[item]]
        raise UnfitData(
            "Agreement", f"item {item_names[item]!r} is in two clusters, {before!r} and {cluster!r}."
        )
    keys = np.where(of_item < 0, len(names) + np.arange(len(item_names)), of_item)
    numbers: NDArray[np.int64] = np.unique(keys[present], return_inverse=True)[1]
    return numbers

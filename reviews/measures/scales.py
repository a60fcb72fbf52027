"""Scales of labels: the values of ordered labels, how far apart they are, and how much of an agreement a near
miss is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reviews.measures.errors import UnfitData
from reviews.measures.ratings import numbers_of

Scale = Literal["nominal", "ordinal", "interval", "ratio"]


def steps(
    categories: Sequence[str], scale: Scale, order: Sequence[str] | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The values of an ordered scale from low to high, and for each category the number of its value.

    order: the labels from lowest to highest. Ordinal takes the numbers where all labels are numbers and no
    order is given; interval always takes the numbers, and equal steps along the order for words.
    Raises UnfitData for words without an order, a label that the order lacks, and a ratio scale without
    numbers from 0 on.
    """
    numbers = numbers_of(categories)
    if numbers is not None and not (scale == "ordinal" and order):
        if scale == "ratio" and min(numbers) < 0:
            raise UnfitData("Agreement", "a ratio scale has no numbers below 0.")
        values, column = np.unique(numbers, return_inverse=True)  # "1" and "1.0" are one value
        return values, column
    if scale == "ratio":
        raise UnfitData("Agreement", "a ratio scale needs labels that are numbers.")
    if not order:
        raise UnfitData(
            "Agreement", f"the labels are words; a {scale} scale needs their order, lowest first."
        )
    if missing := sorted(set(categories) - set(order)):
        raise UnfitData("Agreement", f"the order lacks the label {missing[0]!r}.")
    if len(set(order)) < len(order):
        raise UnfitData("Agreement", "the order names a label twice.")
    return np.arange(1.0, len(order) + 1), np.array([list(order).index(label) for label in categories])


def regrouped(counts: NDArray[np.int64], column: NDArray[np.int64], columns: int) -> NDArray[np.int64]:
    """Counts by value: the columns of labels that mean one value are added."""
    grouped = np.zeros((columns, len(counts)), dtype=np.int64)
    np.add.at(grouped, column, counts.T)
    return grouped.T


def distance(values: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Squared distances of interval or ratio values, shape (values, values)."""
    difference = values[:, None] - values[None, :]
    if scale == "interval":
        return difference**2
    total = values[:, None] + values[None, :]
    same = np.zeros_like(difference)  # 0 and 0 have no distance
    return np.divide(difference, total, out=same, where=total > 0) ** 2


def weights(values: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """How much of an agreement two values are, from 0 for the farthest to 1 for the same; shape (values, values).

    nominal: 1 where equal. ordinal: 1 - C(|k-l|+1, 2) / C(V, 2), by places and not by values. interval: the
    squared distance by the largest, which others call quadratic. ratio: the same with the ratio's distance.
    Source: Gwet 2014, Handbook of Inter-Rater Reliability, ed. 4, section 3.5. Krippendorff's ordinal distance
    is another one: it counts the ratings between two labels.
    """
    if scale == "nominal":
        return np.eye(len(values))
    if scale == "ordinal":
        places = np.arange(len(values))
        apart = np.abs(places[:, None] - places[None, :]) + 1
        far = apart * (apart - 1) / 2
    else:
        far = distance(values, scale)
    return 1 - far / far.max() if far.max() > 0 else np.ones_like(far, dtype=np.float64)

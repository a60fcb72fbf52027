"""How far several raters agree on the same items: raw agreement and Krippendorff's alpha, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reviews.measures.errors import UnfitData
from reviews.measures.intervals import BOUND_FROM, ESTIMATE_FROM, Estimate, percentile_bootstrap, wilson
from reviews.measures.ratings import Ratings, numbers_of

Scale = Literal["nominal", "ordinal", "interval", "ratio"]

REPLICATES = 2000
ITEMS_FROM = 30  # Below it raw counts only: every interval under-covers there (Gwet 2016, PMC5965565).
UNDEFINED_UP_TO = 0.01  # of the replicates; leaving out more would bend the percentiles
CATEGORIES_UP_TO = {"nominal": 1000, "ordinal": 40, "interval": 1000, "ratio": 1000}


def observed_agreement(ratings: Ratings, *, seed: int) -> Estimate:
    """How often two raters of the same item agree, every item with two or more ratings weighing the same.

    p_a = mean over items with m >= 2 of sum_k n_k (n_k - 1) / (m (m - 1)); a share from 0 to 1.
    The interval is the 95 % percentile bootstrap over clusters. Where resampling shows no spread, as when all
    agree, it is Wilson's with the clusters as trials, because a zero width would pass for certainty.
    State "no-pairs" (value None) when no item has two ratings.
    Source: Fleiss 1971, Psychological Bulletin 76:378-382, the P_i and their mean; Gwet 2014, Handbook of
    Inter-Rater Reliability, ed. 4, for items with different numbers of ratings.
    """
    counts, clusters = _pairable(ratings)
    if not len(counts):
        return _nothing("no-pairs")
    raters = counts.sum(axis=1)
    agreed = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))
    sums = _by_cluster(np.column_stack([agreed, np.ones(len(agreed))]), clusters)
    estimate = _estimate(_mean, sums, len(counts), ratings.clustered, seed)
    if estimate.state == "no-spread" and estimate.value is not None:
        low, high = wilson(estimate.value * len(sums), len(sums))
        method = f"Wilson 95 % with {len(sums)} {_unit(ratings.clustered)} as trials (no spread to resample)"
        return Estimate(estimate.value, low, high, method, estimate.n, _state(len(sums)))
    return estimate


def krippendorff_alpha(
    ratings: Ratings, *, scale: Scale = "nominal", order: Sequence[str] | None = None, seed: int
) -> Estimate:
    """Agreement beyond chance, 1 for perfect and 0 for what shuffled ratings give; gaps are allowed.

    alpha = 1 - D_o / D_e over the N pairable ratings, those of items with m >= 2:
        D_o = sum over items of sum_ck n_c n_k d(c,k)^2 / (m - 1),    D_e = sum_ck N_c N_k d(c,k)^2 / (N - 1),
    d^2 = [c != k] nominal; (R_c - R_k)^2 ordinal, with midranks R_c = sum_{g<=c} N_g - N_c / 2;
    (c - k)^2 interval; ((c - k) / (c + k))^2 ratio.
    order: the labels from lowest to highest. Ordinal takes the numbers where all labels are numbers and no
    order is given; interval always takes the numbers, and equal steps along the order for words.
    The interval is the 95 % percentile bootstrap over clusters, ordinal ranks drawn anew in each replicate.
    States with value None: "no-pairs"; "one-category", when every pairable rating is the same, where alpha is
    not 1 but undefined.
    Raises UnfitData for words without an order, a label that the order lacks, a ratio scale without numbers
    from 0 on, and more labels than the scale can have.
    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, sections C and D; Hayes &
    Krippendorff 2007, Communication Methods and Measures 1:77-89.
    """
    if len(ratings.categories) > (most := CATEGORIES_UP_TO[scale]):
        raise UnfitData(
            "Alpha", f"{len(ratings.categories)} different labels; a {scale} scale has at most {most}."
        )
    counts, clusters = _pairable(ratings)
    if not len(counts):
        return _nothing("no-pairs")
    if scale != "nominal":
        values, column = _steps(ratings.categories, scale, order)
        counts = _regrouped(counts, column, len(values))
    if np.count_nonzero(counts.sum(axis=0)) < 2:
        return _nothing("one-category", len(counts))

    others = (counts.sum(axis=1) - 1.0)[:, None]
    categories = counts.shape[1]
    if scale == "ordinal":
        # The ranks follow the replicate's own marginals, so each item brings its pairs, not its disagreement.
        pairs = (counts[:, :, None] * counts[:, None, :]).reshape(len(counts), -1)
        sums = _by_cluster(np.hstack([counts, pairs / others]), clusters)
        return _estimate(_ordinal_alpha(categories), sums, len(counts), ratings.clustered, seed)
    distance = 1.0 - np.eye(categories) if scale == "nominal" else _distance(values, scale)
    observed = ((counts @ distance) * counts).sum(axis=1, keepdims=True) / others
    sums = _by_cluster(np.hstack([counts, observed]), clusters)
    return _estimate(_alpha(distance), sums, len(counts), ratings.clustered, seed)


def _alpha(distance: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Alpha from totals of shape (replicates, categories + 1): the marginals N_k, then D_o."""

    def statistic(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        marginals, observed = totals[:, :-1], totals[:, -1]
        expected = ((marginals @ distance) * marginals).sum(axis=1) / (marginals.sum(axis=1) - 1)
        return _one_minus(observed, expected)

    return statistic


def _ordinal_alpha(categories: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Alpha from totals of shape (replicates, categories + categories^2): marginals, then coincidences."""

    def statistic(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        marginals = totals[:, :categories]
        pairs = totals[:, categories:].reshape(-1, categories, categories)
        ranks = marginals.cumsum(axis=1) - marginals / 2
        distance = (ranks[:, :, None] - ranks[:, None, :]) ** 2
        chance = marginals[:, :, None] * marginals[:, None, :]
        expected = (chance * distance).sum(axis=(1, 2)) / (marginals.sum(axis=1) - 1)
        return _one_minus((pairs * distance).sum(axis=(1, 2)), expected)

    return statistic


def _one_minus(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    unknown = np.full_like(expected, np.nan)
    return 1 - np.divide(observed, expected, out=unknown, where=expected > 0)


def _mean(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    quotient: NDArray[np.float64] = totals[:, 0] / totals[:, 1]
    return quotient


def _estimate(
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    sums: NDArray[np.float64],
    items: int,
    clustered: bool,
    seed: int,
) -> Estimate:
    """The statistic of all clusters with its bootstrap interval, or the reason why it has none."""
    value = float(statistic(sums.sum(axis=0, keepdims=True))[0])
    clusters, unit = len(sums), _unit(clustered)
    if items < ITEMS_FROM or clusters < ESTIMATE_FROM:
        method = (
            f"no interval: {items} items in {clusters} {unit}, {ITEMS_FROM} and {ESTIMATE_FROM} are needed"
        )
        return Estimate(value, None, None, method, items, "too-few")
    found = percentile_bootstrap(statistic, sums, seed=seed, replicates=REPLICATES)
    method = f"95 % percentile bootstrap over {clusters} {unit}, {REPLICATES} replicates, seed {seed}"
    if found.undefined > UNDEFINED_UP_TO:
        method = f"no interval: {method}, too many without a value"
        return Estimate(value, None, None, method, items, "unstable")
    if found.high - found.low < 1e-12:
        return Estimate(value, None, None, f"no interval: {method}, no spread", items, "no-spread")
    return Estimate(value, found.low, found.high, method, items, _state(clusters))


def _nothing(state: str, items: int = 0) -> Estimate:
    return Estimate(None, None, None, "nothing to compare", items, state)


def _state(clusters: int) -> str:
    return "ok" if clusters >= BOUND_FROM else "few-clusters"


def _unit(clustered: bool) -> str:
    return "clusters" if clustered else "items"


def _pairable(ratings: Ratings) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The counts and clusters of the items that two or more raters rated: only they hold pairs."""
    twice = ratings.counts.sum(axis=1) >= 2
    return ratings.counts[twice], ratings.clusters[twice]


def _by_cluster(columns: NDArray[np.float64], clusters: NDArray[np.int64]) -> NDArray[np.float64]:
    """Column sums of each cluster, shape (clusters, columns)."""
    present, cluster = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(present), columns.shape[1]))
    np.add.at(sums, cluster, columns)
    return sums


def _steps(
    categories: Sequence[str], scale: Scale, order: Sequence[str] | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The values of an ordered scale from low to high, and for each category the number of its value."""
    numbers = numbers_of(categories)
    if numbers is not None and not (scale == "ordinal" and order):
        if scale == "ratio" and min(numbers) < 0:
            raise UnfitData("Alpha", "a ratio scale has no numbers below 0.")
        values, column = np.unique(numbers, return_inverse=True)  # "1" and "1.0" are one value
        return values, column
    if scale == "ratio":
        raise UnfitData("Alpha", "a ratio scale needs labels that are numbers.")
    if not order:
        raise UnfitData("Alpha", f"the labels are words; a {scale} scale needs their order, lowest first.")
    if missing := sorted(set(categories) - set(order)):
        raise UnfitData("Alpha", f"the order lacks the label {missing[0]!r}.")
    if len(set(order)) < len(order):
        raise UnfitData("Alpha", "the order names a label twice.")
    return np.arange(1.0, len(order) + 1), np.array([list(order).index(label) for label in categories])


def _regrouped(counts: NDArray[np.int64], column: NDArray[np.int64], columns: int) -> NDArray[np.int64]:
    regrouped = np.zeros((columns, len(counts)), dtype=np.int64)
    np.add.at(regrouped, column, counts.T)
    return regrouped.T


def _distance(values: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Squared distances of interval or ratio values, shape (values, values)."""
    difference = values[:, None] - values[None, :]
    if scale == "interval":
        return difference**2
    total = values[:, None] + values[None, :]
    same = np.zeros_like(difference)  # 0 and 0 have no distance
    return np.divide(difference, total, out=same, where=total > 0) ** 2

"""From ratings to a figure with its interval: equal items stand together, clusters are drawn whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reviews.measures.intervals import (
    BOUND_FROM,
    ESTIMATE_FROM,
    ClusteredRate,
    Estimate,
    percentile_bootstrap,
)
from reviews.measures.ratings import Ratings

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]

REPLICATES = 2000
ITEMS_FROM = 30  # Below it raw counts only: every interval under-covers there (Gwet 2016, PMC5965565).
UNDEFINED_UP_TO = 0.01  # of the replicates; leaving out more would bend the percentiles


@dataclass(frozen=True)
class Patterns:
    """Items with the same counts stand together: a million items of three raters have a few dozen patterns.

    counts: shape (patterns, categories). of_item: shape (items,), each item's pattern. clusters: shape (items,).
    """

    counts: NDArray[np.int64]
    of_item: NDArray[np.int64]
    clusters: NDArray[np.int64]
    clustered: bool

    @classmethod
    def of(cls, ratings: Ratings, least: int) -> Patterns:
        """The patterns of the items that `least` or more raters rated."""
        enough = ratings.counts.sum(axis=1) >= least
        some = enough.all()
        counts = ratings.counts if some else ratings.counts[enough]
        places, of_item = distinct_rows(counts)
        clusters = ratings.clusters if some else ratings.clusters[enough]
        return cls(counts[places], of_item, clusters, ratings.clustered)

    @property
    def pairs(self) -> int:
        """How many items two or more raters rated."""
        return int(np.count_nonzero((self.counts.sum(axis=1) >= 2)[self.of_item]))

    @property
    def unit(self) -> str:
        return "clusters" if self.clustered else "items"

    def sums(self, columns: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Column sums of each cluster, and how many clusters have them.

        columns: shape (patterns, columns), what an item of each pattern brings.
        """
        if not self.clustered:
            return columns, np.bincount(self.of_item, minlength=len(columns))
        present, cluster = np.unique(self.clusters, return_inverse=True)
        sums = by_cluster(columns, self.of_item, cluster, len(present))
        return sums, np.ones(len(present), dtype=np.int64)


def by_cluster(
    columns: NDArray[np.float64], of_item: NDArray[np.int64], cluster: NDArray[np.int64], clusters: int
) -> NDArray[np.float64]:
    """Column sums of each cluster, shape (clusters, columns), one column in memory at a time."""
    sums = np.empty((clusters, columns.shape[1]))
    for number, column in enumerate(columns.T):
        sums[:, number] = np.bincount(cluster, weights=column[of_item], minlength=clusters)
    return sums


def distinct_rows(table: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each distinct row of a table of whole numbers first stands, and for each row which one it is.

    Rows are told apart by a random sum and then compared in full: sorting one column is a tenth of the work.
    """
    factors = np.random.default_rng(0).integers(1, 2**63 - 1, size=table.shape[1], dtype=np.int64)
    keys = (table * factors).sum(axis=1) if table.shape[1] > 8 else table @ factors
    _, places, inverse = np.unique(keys, return_index=True, return_inverse=True)
    if not np.array_equal(table[places][inverse], table):  # two rows with one sum: never seen
        _, places, inverse = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return places, inverse.reshape(-1)


def estimate(
    statistic: Statistic,
    sums: NDArray[np.float64],
    times: NDArray[np.int64],
    items: int,
    unit: str,
    seed: int,
) -> Estimate:
    """The statistic of all clusters with its bootstrap interval, or the reason why it has none.

    sums: shape (rows, columns) and times: shape (rows,), as Patterns.sums gives them.
    """
    value = float(statistic((times @ sums)[None])[0])
    clusters = int(times.sum())
    if items < ITEMS_FROM or clusters < ESTIMATE_FROM:
        return Estimate(value, None, None, _too_few(items, clusters, unit), items, "too-few")
    found = percentile_bootstrap(statistic, sums, seed=seed, replicates=REPLICATES, times=times)
    method = f"95 % percentile bootstrap over {clusters} {unit}, {REPLICATES} replicates, seed {seed}"
    if found.undefined > UNDEFINED_UP_TO:
        method = f"no interval: {method}, too many without a value"
        return Estimate(value, None, None, method, items, "unstable")
    if found.high - found.low < 1e-12:
        return Estimate(value, None, None, f"no interval: {method}, no spread", items, "no-spread")
    return Estimate(value, found.low, found.high, method, items, state_of(clusters))


def rated(found: ClusteredRate, clusters: int, items: int, unit: str) -> Estimate:
    """A clustered Wilson rate as an estimate, with the same floors."""
    if items < ITEMS_FROM or clusters < ESTIMATE_FROM or found.low is None:
        return Estimate(found.rate, None, None, _too_few(items, clusters, unit), items, "too-few")
    method = f"95 % Wilson over {clusters} {unit}, worth {found.effective_n:.1f} independent trials"
    return Estimate(found.rate, found.low, found.high, method, items, state_of(clusters))


def nothing(state: str, items: int = 0) -> Estimate:
    return Estimate(None, None, None, "nothing to compare", items, state)


def state_of(clusters: int) -> str:
    return "ok" if clusters >= BOUND_FROM else "few-clusters"


def _too_few(items: int, clusters: int, unit: str) -> str:
    return f"no interval: {items} items in {clusters} {unit}, {ITEMS_FROM} and {ESTIMATE_FROM} are needed"

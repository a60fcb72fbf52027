"""Cohen's kappa of each pair of raters, with the analytic interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reviews.measures.intervals import ESTIMATE_FROM, Estimate
from reviews.measures.ratings import Codes
from reviews.measures.resampling import ITEMS_FROM, nothing, state_of

RATERS_UP_TO = 200  # 19,900 pairs
CELLS_UP_TO = 20_000_000  # pairs times labels times labels


@dataclass(frozen=True)
class Pair:
    """Two raters by name, and their kappa."""

    raters: tuple[str, str]
    kappa: Estimate


def cohen_kappas(codes: Codes, *, weight: NDArray[np.float64] | None = None) -> list[Pair] | None:
    """Cohen's kappa of every two raters over the items that both rated, by their first ratings.

    weight: shape (categories, categories), as scales.weights gives it; without one, only equal labels agree.
    kappa = (p_o - p_e) / (1 - p_e), p_o = sum w_kl p_kl, p_e = sum w_kl p_k. p_.l.
    The interval is kappa -/+ q * SE. Items: the large-sample standard error, q normal. Clusters: the same terms
    summed by cluster, times G/(G-1), q of Student's t with G-1 degrees. An end may lie outside -1 to 1.
    States with value None: "no-pairs"; "one-category", when both gave one label only. "no-spread" where the
    standard error is 0, as for two who always agree.
    Returns None for more than 200 raters, or labels and raters too many to hold.
    Source: Cohen 1960, Educational and Psychological Measurement 20:37-46; 1968 for weights; Fleiss, Cohen &
    Everitt 1969, Psychological Bulletin 72:323-327, for the standard error.
    """
    raters, labels = len(codes.rater_names), len(codes.categories)
    if raters > RATERS_UP_TO or (raters * labels) ** 2 > CELLS_UP_TO:
        return None
    weight = np.eye(labels) if weight is None else weight
    codes = codes.firsts()
    tables = np.zeros(raters * raters * labels * labels, dtype=np.int64)
    for at, one, other in _paired(codes):
        place = _pair(codes, at, one) * labels * labels + codes.labels[at] * labels + codes.labels[other]
        tables += np.bincount(place, minlength=len(tables))
    shaped = tables.reshape(raters, raters, labels, labels)
    spread = _spread_by_cluster(codes, shaped, weight) if codes.clustered else {}
    return [
        Pair(
            (codes.rater_names[one], codes.rater_names[other]),
            kappa_of(shaped[one, other], weight, spread.get(one * raters + other)),
        )
        for one in range(raters)
        for other in range(one + 1, raters)
    ]


def kappa_of(
    table: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
    spread: tuple[int, float] | None = None,
) -> Estimate:
    """Cohen's kappa of one table, shape (categories, categories): how often one said k and the other l.

    spread: the number of clusters and the sum over them of the squared sums of `terms`, where items cluster.
    States and sources as for cohen_kappas.
    """
    items = int(table.sum())
    if not items:
        return nothing("no-pairs")
    if np.count_nonzero(table.sum(axis=0) + table.sum(axis=1)) < 2:
        return nothing("one-category", items)
    value, term = _terms(table, np.eye(len(table)) if weight is None else weight)
    clusters, squares = spread or (items, float((table * term**2).sum()))
    unit = "clusters" if spread else "items"
    if items < ITEMS_FROM or clusters < ESTIMATE_FROM:
        method = (
            f"no interval: {items} items in {clusters} {unit}, {ITEMS_FROM} and {ESTIMATE_FROM} are needed"
        )
        return Estimate(value, None, None, method, items, "too-few")
    error = sqrt(squares) / items
    if error < 1e-12:
        return Estimate(value, None, None, "no interval: the standard error is 0", items, "no-spread")
    if spread is None:
        half, method = 1.959963984540054 * error, f"95 % analytic over {items} items, SE {error:.4f}"
    else:
        error *= sqrt(clusters / (clusters - 1))
        half = float(special.stdtrit(clusters - 1, 0.975)) * error
        method = f"95 % analytic over {clusters} clusters of {items} items, SE {error:.4f}"
    return Estimate(value, value - half, value + half, method, items, state_of(clusters))


def _terms(table: NDArray[np.int64], weight: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Kappa, and what an item of each cell adds to it beyond the mean; over the items the terms sum to 0."""
    shares = table / table.sum()
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, expected = float((weight * shares).sum()), float(rows @ weight @ columns)
    room = 1 - expected  # above 0: two labels occur, and only one product of marginals could fill all of it
    by_chance = (weight @ columns)[:, None] + (rows @ weight)[None, :]
    beyond = weight * room - by_chance * (1 - observed) - (observed * expected - 2 * expected + observed)
    return 1 - float(((1 - weight) * shares).sum()) / room, beyond / room**2


def _paired(codes: Codes) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Every two ratings of one item, as the rows of the first, the raters of the second, and its rows."""
    rows = np.arange(len(codes.items))
    for apart in range(1, len(codes.rater_names)):
        at = rows[:-apart][codes.items[apart:] == codes.items[:-apart]]
        if not len(at):
            return
        yield at, codes.raters[at + apart], at + apart


def _pair(codes: Codes, at: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    return codes.raters[at] * len(codes.rater_names) + other


def _spread_by_cluster(
    codes: Codes, tables: NDArray[np.int64], weight: NDArray[np.float64]
) -> dict[int, tuple[int, float]]:
    """For each pair that shares items: its clusters, and the sum of their squared sums of terms."""
    raters, labels = len(codes.rater_names), len(codes.categories)
    terms = np.zeros((raters * raters, labels, labels))
    flat = tables.reshape(raters * raters, labels, labels)
    for known in np.flatnonzero(flat.sum(axis=(1, 2))):
        if np.count_nonzero(flat[known].sum(axis=0) + flat[known].sum(axis=1)) >= 2:
            terms[known] = _terms(flat[known], weight)[1]
    clusters = int(codes.clusters.max(initial=-1)) + 1
    keys, added = [], []
    for at, one, other in _paired(codes):
        pair = _pair(codes, at, one)
        keys.append(pair * clusters + codes.clusters[codes.items[at]])
        added.append(terms[pair, codes.labels[at], codes.labels[other]])
    if not keys:
        return {}
    key, place = np.unique(np.concatenate(keys), return_inverse=True)
    sums = np.bincount(place, weights=np.concatenate(added))
    numbers, of_pair, counts = np.unique(key // clusters, return_inverse=True, return_counts=True)
    squares = np.bincount(of_pair, weights=sums**2)
    return {
        number: (count, square)
        for number, count, square in zip(numbers.tolist(), counts.tolist(), squares.tolist(), strict=True)
    }

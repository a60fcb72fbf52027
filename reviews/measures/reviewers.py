"""Each reader beside the others: what alpha is without them, and whether they accept more or less than peers."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reviews.measures.agreement import alpha_of, krippendorff_alpha
from reviews.measures.intervals import ESTIMATE_FROM, Estimate
from reviews.measures.ratings import Codes
from reviews.measures.resampling import (
    ITEMS_FROM,
    Patterns,
    Statistic,
    by_cluster,
    distinct_rows,
    estimate,
    nothing,
    state_of,
)


@dataclass(frozen=True)
class Gap:
    """How much more often a reader gives a label than the others who read the same items.

    own, peers: the two rates on those items. p: of the two-sided test that the gap is 0; None without an interval.
    """

    rater: str
    own: float | None
    peers: float | None
    gap: Estimate
    p: float | None


@dataclass(frozen=True)
class Window:
    """Alpha of the items of one stretch of time."""

    window: int
    alpha: Estimate


def leave_one_out(codes: Codes, *, seed: int) -> list[Estimate]:
    """For each rater, how much nominal alpha rises when their ratings are left out; above 0 they lower it.

    The interval is the 95 % percentile bootstrap over clusters of the difference, both alphas from the same
    replicate. n counts the rater's items that others rated too; under 30 of them there is no interval.
    States with value None: "no-pairs" where the rater shares no item, or nobody else shares one; "one-category"
    where either alpha is undefined.
    Source: Krippendorff 2018, Content Analysis, ed. 4, chapter 12, for alpha without a coder; agreement.alpha_of.
    """
    codes = codes.firsts()
    items, labels = len(codes.item_names), len(codes.categories)
    counts = np.bincount(codes.items * labels + codes.labels, minlength=items * labels).reshape(items, labels)
    return [_without(codes, counts, rater, seed) for rater in range(len(codes.rater_names))]


def gaps_to_peers(codes: Codes, label: str) -> list[Gap]:
    """For each rater, their rate of a label less the others' on the same items, which must be shared at random.

    gap = mean over the items that the rater and others rated of [rater says it] - (share of the others who do).
    The interval and p are Student's t with the clusters' sums, G-1 degrees: SE^2 = G/(G-1) sum_g r_g^2 / n^2,
    r_g the residuals of a cluster. Several readers are several tests: adjust their p by benjamini_hochberg.
    States: "no-pairs" (value None), "too-few" (under 30 items or 20 clusters), "no-spread".
    Source: Liang & Zeger 1986, Biometrika 73:13-22, for the variance; Cochran 1977, chapter 9, for clusters.
    """
    codes = codes.firsts()
    says = (codes.labels == codes.categories.index(label)) if label in codes.categories else codes.labels < 0
    items = len(codes.item_names)
    raters = np.bincount(codes.items, minlength=items)
    saying = np.bincount(codes.items, weights=says, minlength=items)
    found = []
    for rater, name in enumerate(codes.rater_names):
        rows = (codes.raters == rater) & (raters[codes.items] >= 2)
        if not rows.any():
            found.append(Gap(name, None, None, nothing("no-pairs"), None))
            continue
        at, own = codes.items[rows], says[rows].astype(np.float64)
        peers = (saying[at] - own) / (raters[at] - 1)
        estimated, p = _mean_of_clusters(own - peers, codes.clusters[at], codes.clustered)
        found.append(Gap(name, float(own.mean()), float(peers.mean()), estimated, p))
    return found


def benjamini_hochberg(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjusted p values: those at most q name readers among whom at most a share q is named wrongly, on average.

    p: shape (tests,), from 0 to 1. Holds for independent tests and those that depend positively.
    Source: Benjamini & Hochberg 1995, Journal of the Royal Statistical Society B 57:289-300.
    """
    order = np.argsort(p)[::-1]
    ranks = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.minimum.accumulate(p[order] * len(p) / ranks))
    return adjusted


def windows_of_alpha(codes: Codes, window: NDArray[np.int64], *, seed: int) -> list[Window]:
    """Nominal alpha in each stretch of time, as agreement.krippendorff_alpha gives it.

    window: shape (items,), the number of the stretch in which the item was read; below 0 it is in none.
    """
    found = []
    for number in np.unique(window[window >= 0]):
        ratings = codes.only(window[codes.items] == number).counted()
        found.append(Window(int(number), krippendorff_alpha(ratings, seed=seed)))
    return found


def _without(codes: Codes, counts: NDArray[np.int64], rater: int, seed: int) -> Estimate:
    items, labels = counts.shape
    own = np.full(items, labels, dtype=np.int64)
    mine = codes.raters == rater
    own[codes.items[mine]] = codes.labels[mine]
    table = np.column_stack([counts, own])
    places, of_item = distinct_rows(table)
    patterns = Patterns(table[places], of_item, codes.clusters, codes.clustered)
    whole, rest = (
        table[places, :-1],
        table[places, :-1] - np.eye(labels + 1, dtype=np.int64)[own[places], :-1],
    )
    shared = int(np.count_nonzero((own < labels) & (counts.sum(axis=1) >= 2)))
    both = np.hstack([_of_alpha(whole), _of_alpha(rest)])
    sums, times = patterns.sums(both)
    totals = times @ sums
    marginals = totals[:labels], totals[labels + 1 : -1]
    if not shared or not all(some.any() for some in marginals):
        return nothing("no-pairs")
    if min(np.count_nonzero(some) for some in marginals) < 2:
        return nothing("one-category", shared)
    return estimate(_rise(labels), sums, times, shared, patterns.unit, seed)


def _of_alpha(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """What an item brings to alpha: its labels, where it has two ratings, and its disagreement."""
    raters = counts.sum(axis=1, keepdims=True)
    pairable = np.where(raters >= 2, counts, 0).astype(np.float64)
    observed = (
        pairable.sum(axis=1, keepdims=True) ** 2 - (pairable**2).sum(axis=1, keepdims=True)
    ) / np.maximum(raters - 1, 1)
    return np.hstack([pairable, observed])


def _rise(labels: int) -> Statistic:
    alpha = alpha_of(1.0 - np.eye(labels))

    def statistic(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return alpha(totals[:, labels + 1 :]) - alpha(totals[:, : labels + 1])

    return statistic


def _mean_of_clusters(
    values: NDArray[np.float64], clusters: NDArray[np.int64], clustered: bool
) -> tuple[Estimate, float | None]:
    present, cluster = np.unique(clusters, return_inverse=True)
    items, count, unit = len(values), len(present), "clusters" if clustered else "items"
    mean = float(values.mean())
    if items < ITEMS_FROM or count < ESTIMATE_FROM:
        method = f"no interval: {items} items in {count} {unit}, {ITEMS_FROM} and {ESTIMATE_FROM} are needed"
        return Estimate(mean, None, None, method, items, "too-few"), None
    residuals = by_cluster((values - mean)[:, None], np.arange(items), cluster, count)[:, 0]
    error = sqrt(count / (count - 1) * float(residuals @ residuals)) / items
    if error < 1e-12:
        return Estimate(mean, None, None, "no interval: the items all differ alike", items, "no-spread"), None
    half = float(special.stdtrit(count - 1, 0.975)) * error
    p = 2 * float(special.stdtr(count - 1, -abs(mean) / error))
    method = f"95 % t over {count} {unit}, SE {error:.4f}"
    return Estimate(mean, mean - half, mean + half, method, items, state_of(count)), p

"""Intervals for rates and for sums over clusters. Every function names its level and its sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reviews.measures.errors import InsufficientData, UnfitData

Sides = Literal[1, 2]
Sizes = NDArray[np.int64] | NDArray[np.float64]
Standing = Literal["bound", "estimate", "insufficient", "undefined"]

BOUND_FROM = 30  # clusters; below it the coverage is not what the level says
ESTIMATE_FROM = 20
EVEN_FROM = 0.75  # of the clusters that they would be worth if all were as large

WEIGHTS_AT_ONCE = 4_000_000  # 32 MB of bootstrap weights, however many clusters there are


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval. What is unknown is None, and `state` names why.

    n counts the items that carry the figure. `state` is "ok", or
    "no-pairs", "one-category": no value, because there is nothing to compare;
    "not-two-raters": no value, because the measure is one of two raters;
    "never-given": no value, because nobody gave that label to an item with two ratings;
    "no-trials": no value, because a rate has nothing to be a rate of;
    "two-others": a value but no interval, because two others alone are no consensus;
    "too-few": a value but no interval, under 30 items or under 20 clusters;
    "no-spread", "unstable": a value but no interval, because resampling shows no spread, or because more than
    1 % of the replicates have no value;
    "few-clusters": an interval from 20 to 29 clusters, to be called an estimate and not a bound.
    """

    value: float | None
    low: float | None
    high: float | None
    method: str
    n: int
    state: str


@dataclass(frozen=True)
class ClusteredRate:
    """A pooled rate with its clustered Wilson bounds; without bounds where there is only one cluster."""

    rate: float
    low: float | None
    high: float | None
    effective_n: float | None
    standing: Standing


@dataclass(frozen=True)
class Percentiles:
    """What a percentile bootstrap found; `undefined` is the share of replicates that have no value.

    drawn: the values of the replicates in order, for bounds at other levels from the same draws.
    """

    low: float
    high: float
    undefined: float
    drawn: NDArray[np.float64] = field(compare=False, repr=False)


def wilson(k: float, n: float, level: float = 0.95, sided: Sides = 2) -> tuple[float, float]:
    """Lower and upper Wilson score bound of a rate: k successes among n independent trials.

    sided=2: together they hold the rate with probability `level`. sided=1: each alone does.
    Raises InsufficientData when n is 0, UnfitData when k is outside 0..n.
    Source: Wilson 1927, JASA 22:209-212; Brown, Cai & DasGupta 2001, Statistical Science 16:101-133, eq. (4).
    """
    if n <= 0:
        raise InsufficientData("A rate", "there is no trial.")
    if not 0 <= k <= n:
        raise UnfitData("A rate", f"{k:g} successes among {n:g} trials.")
    return _score_bounds(k / n, n, NormalDist().inv_cdf(_probability(level, sided)))


def clustered_wilson(
    accepted: NDArray[np.int64], sampled: NDArray[np.int64], level: float = 0.95, sided: Sides = 1
) -> ClusteredRate:
    """Wilson bounds of the pooled rate Z = sum k / sum K when the samples come in clusters (prompts).

    accepted, sampled: shape (clusters,), 0 <= k <= K and K >= 1, whole numbers.
    The variance of a ratio of cluster totals gives the number of independent trials that Z is worth,
        Var = N/(N-1) * sum (k - Z K)^2 / (sum K)^2,   n_eff = Z (1-Z) / Var,
    and the normal quantile is replaced by Student's t with M-1 degrees, M = (sum K)^2 / sum K^2 clusters of equal
    size, N where they are. At the edges: n_eff is at most sum K; it is M where Z is 0 or 1 or the variance is 0, and
    at most M where Z > .9, since a few clusters that are all accepted would else look certain. With one cluster the
    spread is unknown: low and high are None.
    `standing` is "bound" from M = 30 on, "estimate" from 20, below that "insufficient"; one-sided it is an estimate
    also where M < .75 N, and where `low` leaves no room for clusters of a kind that was not met (`_leaves_room`).
    Raises InsufficientData without a cluster, UnfitData when a count is out of range.
    Source: Cochran 1977, Sampling Techniques, chapter 6, for the ratio; Korn & Graubard 1998, Survey
    Methodology 24:193-201, for n_eff and t; Kish 1965, Survey Sampling, 8.2, for M; Wilson 1927 for the bounds.
    """
    check_counts(accepted, sampled)
    clusters, hits, trials = len(sampled), int(accepted.sum()), int(sampled.sum())
    if clusters == 1:
        return ClusteredRate(hits / trials, None, None, None, "undefined")
    # Whole numbers, so that equal rates give a variance of exactly 0; 1 - 49 * (1/49) would not.
    residuals = (accepted.astype(np.int64) * trials - hits * sampled.astype(np.int64)).astype(np.float64)
    variance = clusters / (clusters - 1) * float((residuals / trials) @ (residuals / trials)) / trials**2
    return _clustered(hits, trials, variance, sampled, level, sided)


def clustered_ratio(
    hits: NDArray[np.float64], trials: NDArray[np.float64], level: float = 0.95, sided: Sides = 2
) -> ClusteredRate:
    """The same for shares of trials: a trace that three people read brings halves of a pair.

    hits, trials: shape (clusters,), 0 <= hits <= trials; clusters without a trial must be left out.
    The trials of one cluster need not be independent. Edges, standing and sources as in clustered_wilson.
    Raises InsufficientData without a cluster, UnfitData when hits are out of range.
    """
    if not len(trials):
        raise InsufficientData("A clustered rate", "nothing was sampled.")
    if (trials <= 0).any() or (hits < -1e-9).any() or (hits > trials + 1e-9).any():
        raise UnfitData("A clustered rate", "a cluster has more hits than trials, or no trial.")
    clusters, total = len(trials), float(trials.sum())
    rate = min(1.0, max(0.0, float(hits.sum()) / total))
    if clusters == 1:
        return ClusteredRate(rate, None, None, None, "undefined")
    residuals = hits - rate * trials
    variance = clusters / (clusters - 1) * float(residuals @ residuals) / total**2
    found = 0.0 if variance < 1e-20 else variance  # what rounding leaves of equal rates
    return _clustered(rate * total, total, found, trials, level, sided)


def alike(sizes: Sizes) -> float:
    """How many clusters of equal size these are worth: (sum K)^2 / sum K^2, at least 1. Source: Kish 1965, 8.2."""
    if (sizes == sizes[0]).all():
        return float(len(sizes))
    real = sizes.astype(np.float64)
    return max(1.0, float(real.sum() ** 2 / (real @ real)))


def _clustered(
    hits: float, trials: float, variance: float, sizes: Sizes, level: float, sided: Sides
) -> ClusteredRate:
    rate, clusters = hits / trials, alike(sizes)
    if variance == 0 or rate in (0, 1):
        effective_n = clusters
    else:
        effective_n = min(rate * (1 - rate) / variance, float(trials))
    if 10 * hits > 9 * trials:
        effective_n = min(effective_n, clusters)
    # At least one degree: two clusters of which one is nearly all are still a spread of two.
    quantile = float(special.stdtrit(max(1.0, clusters - 1), _probability(level, sided)))
    low, high = _score_bounds(rate, effective_n, quantile)
    called = standing(clusters)
    uneven = clusters < EVEN_FROM * len(sizes)
    if called == "bound" and sided == 1 and (uneven or not _leaves_room(rate, low, clusters, quantile)):
        called = "estimate"
    return ClusteredRate(rate, low, high, effective_n, called)


def _leaves_room(rate: float, low: float, clusters: float, quantile: float) -> bool:
    """Whether a lower bound would hold if clusters without a success had been missed by chance.

    So many clusters may, at this level, all be alike although a share t^2 / (N + t^2) is not: the Wilson bound of N
    successes in N. Large clusters that agree give a bound above Z (1 - that share), which no sample of N can vouch for.
    """
    return rate == 0 or low <= rate / (1 + quantile**2 / clusters) + 1e-12


def check_counts(accepted: NDArray[np.int64], sampled: NDArray[np.int64]) -> None:
    """Refuse counts that no sampling can give, naming the first that is wrong."""
    if accepted.ndim != 1 or accepted.shape != sampled.shape:
        raise UnfitData(
            "A clustered rate", f"shapes {accepted.shape} and {sampled.shape}, expected one row each."
        )
    if not len(sampled):
        raise InsufficientData("A clustered rate", "nothing was sampled.")
    if not (np.issubdtype(accepted.dtype, np.integer) and np.issubdtype(sampled.dtype, np.integer)):
        raise UnfitData("A clustered rate", "the counts must be whole numbers.")
    if len(wrong := np.flatnonzero((accepted < 0) | (accepted > sampled) | (sampled < 1))):
        at = int(wrong[0])
        raise UnfitData(
            "A clustered rate", f"cluster {at} has {accepted[at]} accepted of {sampled[at]} sampled."
        )


def standing(clusters: float) -> Standing:
    """What a figure from so many clusters may be called."""
    if clusters >= BOUND_FROM:
        return "bound"
    return "estimate" if clusters >= ESTIMATE_FROM else "insufficient"


def percentile_bootstrap(
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    sums: NDArray[np.float64],
    *,
    seed: int,
    level: float = 0.95,
    replicates: int = 2000,
    times: NDArray[np.int64] | None = None,
) -> Percentiles:
    """Two-sided percentile interval of a statistic of column totals, the rows drawn with replacement.

    sums: shape (clusters, columns), the sufficient sums of each cluster. times: shape (clusters,), how many
    clusters have that row, where equal ones stand together already.
    statistic: column totals of shape (replicates, columns) to values of shape (replicates,), NaN where there
    is none; those replicates are left out and their share is returned.
    Equal rows are drawn together by one multinomial, so the cost grows with the distinct rows.
    Raises InsufficientData when no replicate has a value.
    Source: Efron & Tibshirani 1993, chapter 13; Davison & Hinkley 1997, section 3.8, for clusters.
    """
    rows, times = _distinct(sums, np.ones(len(sums), dtype=np.int64) if times is None else times)
    clusters = int(times.sum())
    generator = np.random.default_rng(seed)
    values = []
    at_once = max(1, WEIGHTS_AT_ONCE // len(rows))
    for start in range(0, replicates, at_once):
        size = min(at_once, replicates - start)
        weights = generator.multinomial(clusters, times / clusters, size=size)
        values.append(statistic(weights @ rows))
    drawn = np.concatenate(values)
    defined = drawn[~np.isnan(drawn)]
    if not len(defined):
        raise InsufficientData("A bootstrap interval", "no replicate has a value.")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Percentiles(float(low), float(high), 1 - len(defined) / len(drawn), np.sort(defined))


def _distinct(
    sums: NDArray[np.float64], times: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The distinct rows, in an order that depends on nothing else, and how often each occurs."""
    if not len(sums):
        raise InsufficientData("A bootstrap interval", "there is no cluster.")
    order = np.lexsort(sums.T)  # a tenth of the time of np.unique(axis=0)
    ordered = sums[order]
    starts = np.flatnonzero(np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)])
    return ordered[starts], np.add.reduceat(times[order], starts)


def _probability(level: float, sided: Sides) -> float:
    return level if sided == 1 else (1 + level) / 2


def _score_bounds(rate: float, n: float, quantile: float) -> tuple[float, float]:
    square = quantile**2 / n
    middle = rate + square / 2
    half = sqrt(square * (rate * (1 - rate) + square / 4))
    # (middle - half) / (1 + square), but written so that no digits cancel near 0; the upper bound mirrors it.
    low = rate**2 / (middle + half)
    high = 1 - (1 - rate) ** 2 / (1 - rate + square / 2 + half)
    return low, high

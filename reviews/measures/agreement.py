"""How far several raters agree on the same items: raw agreement and Krippendorff's alpha, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reviews.measures.errors import UnfitData
from reviews.measures.intervals import Estimate, wilson
from reviews.measures.ratings import Ratings
from reviews.measures.resampling import Patterns, Statistic, estimate, nothing, state_of
from reviews.measures.scales import Scale, distance, regrouped, steps

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
    patterns = Patterns.of(ratings, least=2)
    if not len(patterns.counts):
        return nothing("no-pairs")
    raters = patterns.counts.sum(axis=1)
    agreed = (patterns.counts * (patterns.counts - 1)).sum(axis=1) / (raters * (raters - 1))
    sums, times = patterns.sums(np.column_stack([agreed, np.ones(len(agreed))]))
    found = estimate(_mean, sums, times, patterns.pairs, patterns.unit, seed)
    if found.state == "no-spread" and found.value is not None:
        clusters = int(times.sum())
        low, high = wilson(found.value * clusters, clusters)
        method = f"Wilson 95 % with {clusters} {patterns.unit} as trials (no spread to resample)"
        return Estimate(found.value, low, high, method, found.n, state_of(clusters))
    return found


def krippendorff_alpha(
    ratings: Ratings, *, scale: Scale = "nominal", order: Sequence[str] | None = None, seed: int
) -> Estimate:
    """Agreement beyond chance, 1 for perfect and 0 for what shuffled ratings give; gaps are allowed.

    alpha = 1 - D_o / D_e over the N pairable ratings, those of items with m >= 2:
        D_o = sum over items of sum_ck n_c n_k d(c,k)^2 / (m - 1),    D_e = sum_ck N_c N_k d(c,k)^2 / (N - 1),
    d^2 = [c != k] nominal; (R_c - R_k)^2 ordinal, with midranks R_c = sum_{g<=c} N_g - N_c / 2;
    (c - k)^2 interval; ((c - k) / (c + k))^2 ratio.
    order: the labels from lowest to highest, as scales.steps takes them.
    The interval is the 95 % percentile bootstrap over clusters, ordinal ranks drawn anew in each replicate.
    States with value None: "no-pairs"; "one-category", when every pairable rating is the same, where alpha is
    not 1 but undefined.
    Raises UnfitData as scales.steps does, and for more labels than the scale can have.
    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, sections C and D; Hayes &
    Krippendorff 2007, Communication Methods and Measures 1:77-89.
    """
    if len(ratings.categories) > (most := CATEGORIES_UP_TO[scale]):
        raise UnfitData(
            "Alpha", f"{len(ratings.categories)} different labels; a {scale} scale has at most {most}."
        )
    patterns = Patterns.of(ratings, least=2)
    counts = patterns.counts
    if not len(counts):
        return nothing("no-pairs")
    if scale != "nominal":
        values, column = steps(ratings.categories, scale, order)
        counts = regrouped(counts, column, len(values))
    if np.count_nonzero(counts.sum(axis=0)) < 2:
        return nothing("one-category", patterns.pairs)

    others = (counts.sum(axis=1) - 1.0)[:, None]
    if scale == "ordinal":
        # The ranks follow the replicate's own marginals, so each item brings its pairs, not its disagreement.
        pairs = (counts[:, :, None] * counts[:, None, :]).reshape(len(counts), -1)
        columns, statistic = np.hstack([counts, pairs / others]), _ordinal_alpha(counts.shape[1])
    else:
        apart = 1.0 - np.eye(counts.shape[1]) if scale == "nominal" else distance(values, scale)
        observed = ((counts @ apart) * counts).sum(axis=1, keepdims=True) / others
        columns, statistic = np.hstack([counts, observed]), alpha_of(apart)
    sums, times = patterns.sums(columns)
    return estimate(statistic, sums, times, patterns.pairs, patterns.unit, seed)


def alpha_of(apart: NDArray[np.float64]) -> Statistic:
    """Alpha from totals of shape (replicates, categories + 1): the marginals N_k, then D_o."""

    def statistic(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        marginals, observed = totals[:, :-1], totals[:, -1]
        expected = ((marginals @ apart) * marginals).sum(axis=1) / (marginals.sum(axis=1) - 1)
        return _one_minus(observed, expected)

    return statistic


def _ordinal_alpha(categories: int) -> Statistic:
    """Alpha from totals of shape (replicates, categories + categories^2): marginals, then coincidences."""

    def statistic(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        marginals = totals[:, :categories]
        pairs = totals[:, categories:].reshape(-1, categories, categories)
        ranks = marginals.cumsum(axis=1) - marginals / 2
        apart = (ranks[:, :, None] - ranks[:, None, :]) ** 2
        chance = marginals[:, :, None] * marginals[:, None, :]
        expected = (chance * apart).sum(axis=(1, 2)) / (marginals.sum(axis=1) - 1)
        return _one_minus((pairs * apart).sum(axis=(1, 2)), expected)

    return statistic


def _one_minus(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    unknown = np.full_like(expected, np.nan)
    return 1 - np.divide(observed, expected, out=unknown, where=expected > 0)


def _mean(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    quotient: NDArray[np.float64] = totals[:, 0] / totals[:, 1]
    return quotient

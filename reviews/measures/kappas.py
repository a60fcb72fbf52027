"""Coefficients that set agreement against chance by other notions of chance than alpha's, with intervals.

All take p_a, the mean over items with two or more ratings, and return (p_a - p_e) / (1 - p_e). They differ in p_e,
the agreement that chance gives, and so in what rare labels do to them: docs/agreement.md has an example.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from reviews.measures.errors import UnfitData
from reviews.measures.intervals import Estimate, clustered_ratio
from reviews.measures.ratings import Ratings
from reviews.measures.resampling import Patterns, Statistic, estimate, nothing, rated
from reviews.measures.scales import Scale, regrouped, steps, weights

CATEGORIES_UP_TO = 1000

Chance = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def fleiss_kappa(
    ratings: Ratings, *, scale: Scale = "nominal", order: Sequence[str] | None = None, seed: int
) -> Estimate:
    """Chance is two raters drawing from the shares of labels that all raters used together.

    p_e = sum_kl w_kl pi_k pi_l, with pi_k the mean over rated items of n_k / m; w is scales.weights of the scale.
    Gaps are allowed; an item with one rating counts in pi and not in p_a.
    States with value None: "no-pairs"; "one-category", when every pairable rating is the same.
    Raises UnfitData as scales.steps does, and for more than a thousand labels.
    Source: Fleiss 1971, Psychological Bulletin 76:378-382; Gwet 2014, Handbook of Inter-Rater Reliability,
    ed. 4, for gaps and weights.
    """
    return _coefficient(ratings, _fleiss, scale, order, seed)


def scott_pi(ratings: Ratings, *, seed: int) -> Estimate:
    """Fleiss' kappa where there are two raters, which is what Scott had.

    State "not-two-raters" (value None) for fewer or more. Source: Scott 1955, Public Opinion Quarterly 19:321-325.
    """
    if ratings.raters != 2:
        return nothing("not-two-raters")
    return fleiss_kappa(ratings, seed=seed)


def gwet_ac(
    ratings: Ratings, *, scale: Scale = "nominal", order: Sequence[str] | None = None, seed: int
) -> Estimate:
    """AC1, and with an ordered scale AC2: chance is only where raters guess, which rare labels make unlikely.

    p_e = T / (V (V - 1)) sum_k pi_k (1 - pi_k), with T the sum of the weights and V the number of labels that
    occur. On labels as skewed as .95 to .05 it stays high even if nobody ever agrees on the rare one, so specific
    agreement belongs beside it. States and errors as for fleiss_kappa.
    Source: Gwet 2008, British Journal of Mathematical and Statistical Psychology 61:29-48; 2014 for AC2.
    """
    return _coefficient(ratings, _gwet, scale, order, seed)


def brennan_prediger(
    ratings: Ratings, *, scale: Scale = "nominal", order: Sequence[str] | None = None, seed: int
) -> Estimate:
    """Chance is a draw among the V labels that occur, all alike: p_e = T / V^2, and 1 / V without weights.

    With two labels this is PABAK, 2 p_a - 1. States and errors as for fleiss_kappa.
    Source: Brennan & Prediger 1981, Educational and Psychological Measurement 41:687-699.
    """
    return _coefficient(ratings, _brennan_prediger, scale, order, seed)


def specific_agreement(ratings: Ratings) -> dict[str, Estimate]:
    """For each label: when one rater gives it, how often another one of the same item gives it too.

    p_k = sum_i n_k (n_k - 1) / (m - 1) over sum_i n_k, items with m >= 2; two raters: 2a / (2a + b + c).
    The interval is Wilson's with clusters, by intervals.clustered_ratio: a rare label has few, and its share may
    be 0 or 1, where resampling shows no spread. n counts the items that have the label.
    States with value None: "no-pairs", "never-given".
    Source: Cicchetti & Feinstein 1990, Journal of Clinical Epidemiology 43:551-558; Uebersax 1982 for many raters.
    """
    patterns = Patterns.of(ratings, least=2)
    if not len(patterns.counts):
        return {label: nothing("no-pairs") for label in ratings.categories}
    counts = patterns.counts.astype(np.float64)
    both = counts * (counts - 1) / (counts.sum(axis=1, keepdims=True) - 1)
    found = {}
    for number, label in enumerate(ratings.categories):
        has = np.count_nonzero((counts[:, number] > 0)[patterns.of_item])
        sums, times = patterns.sums(np.column_stack([both[:, number], counts[:, number]]))
        given = sums[:, 1] > 0
        hits, trials = (np.repeat(column[given], times[given]) for column in sums.T)
        if not len(trials):
            found[label] = nothing("never-given")
            continue
        found[label] = rated(clustered_ratio(hits, trials), len(trials), int(has), patterns.unit)
    return found


def _fleiss(shares: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    expected: NDArray[np.float64] = ((shares @ weight) * shares).sum(axis=1)
    return expected


def _gwet(shares: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    labels = len(weight)
    expected: NDArray[np.float64] = (
        weight.sum() / (labels * (labels - 1)) * (shares * (1 - shares)).sum(axis=1)
    )
    return expected


def _brennan_prediger(shares: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.full(len(shares), weight.sum() / len(weight) ** 2)


def _coefficient(
    ratings: Ratings, chance: Chance, scale: Scale, order: Sequence[str] | None, seed: int
) -> Estimate:
    if len(ratings.categories) > CATEGORIES_UP_TO:
        raise UnfitData(
            "A coefficient",
            f"{len(ratings.categories)} different labels; there may be at most {CATEGORIES_UP_TO}.",
        )
    patterns = Patterns.of(ratings, least=1)
    if scale == "nominal" or not ratings.categories:
        counts, weight = patterns.counts, np.eye(len(ratings.categories))
    else:
        values, column = steps(ratings.categories, scale, order)
        counts, weight = regrouped(patterns.counts, column, len(values)), weights(values, scale)
    raters = counts.sum(axis=1)
    twice = raters >= 2
    if not twice.any():
        return nothing("no-pairs")
    if np.count_nonzero(counts[twice].sum(axis=0)) < 2:
        return nothing("one-category", patterns.pairs)

    near = counts @ weight
    agreed = (counts * (near - 1)).sum(axis=1) / np.maximum(raters * (raters - 1), 1)
    columns = [np.where(twice, agreed, 0.0), twice, np.ones(len(counts)), *(counts / raters[:, None]).T]
    sums, times = patterns.sums(np.column_stack(columns))
    return estimate(_beyond(chance, weight), sums, times, patterns.pairs, patterns.unit, seed)


def _beyond(chance: Chance, weight: NDArray[np.float64]) -> Statistic:
    """The coefficient from totals: sum of p_a, items with pairs, rated items, and the labels' shares."""

    def statistic(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        none = np.full(len(totals), np.nan)
        observed = np.divide(totals[:, 0], totals[:, 1], out=none.copy(), where=totals[:, 1] > 0)
        expected = chance(totals[:, 3:] / totals[:, 2:3], weight)
        room = 1 - expected
        beyond: NDArray[np.float64] = 1 - np.divide(1 - observed, room, out=none, where=room > 1e-12)
        return beyond

    return statistic

"""Does style decide, rather than the clauses? Always within prompt (C9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from reviews.measures.errors import UnfitData
from reviews.measures.intervals import ESTIMATE_FROM, percentile_bootstrap

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]

DOUBLES_FROM = 50
FOLDS = 5
RIDGE = 1e-3  # of the standardised slopes: separated pairs would send them to infinity
SEED = 20_250_806


@dataclass(frozen=True)
class Beaten:
    """A share of pairs, or a difference of two; `lower` is one-sided 95 % over prompts, not a proven bound.

    pairs: of an accept and a reject of one prompt. prompts: that have one. state: "ok", "no-pairs", "too-few"
    under 20 such prompts, "too-few-doubles" under 50 doubles; then lower is None.
    """

    value: float | None
    lower: float | None
    pairs: int
    prompts: int
    state: Literal["ok", "no-pairs", "too-few", "too-few-doubles"]
    drawn: Floats | None = field(default=None, compare=False, repr=False)

    def lower_at(self, level: float) -> float | None:
        """The lower figure at another one-sided level, from the same replicates."""
        return None if self.drawn is None else float(np.quantile(self.drawn, 1 - level))


def within_auc(
    score: Floats, positive: Flags, prompts: Counts, *, level: float = 0.95, seed: int = SEED
) -> Beaten:
    """The share of pairs of one prompt in which the positive trace scores higher, ties half: sum wins / sum pairs.

    All of shape (traces,). Rank-biserial is 2 AUC - 1. Pooled over prompts the answer may be the reverse.
    Source: Mann & Whitney 1947; stratified as van Elteren 1960; science.md 5.
    """
    wins, pairs = _wins(score, positive, prompts)
    return _beaten(np.stack([wins, pairs], axis=1), lambda sums: sums[:, 0] / sums[:, 1], level, seed)


def predicted_auc(
    style: Floats, cited: Flags, prompts: Counts, *, level: float = 0.95, seed: int = SEED
) -> Beaten:
    """How well style alone tells within a prompt which traces a clause was cited on: (b) of C9.

    style: shape (traces, features). Scores come from prompts that the weights were not fitted on.
    """
    return within_auc(_crossed(style, cited, prompts, seed), cited, prompts, level=level, seed=seed)


def style_beyond_clauses(
    style: Floats,
    others_clauses: Floats,
    accepted: Flags,
    prompts: Counts,
    *,
    level: float = 0.95,
    seed: int = SEED,
) -> Beaten:
    """(a) of C9, on double reviews: AUC for A's verdict of style with B's clauses, less that of B's clauses alone.

    style: shape (doubles, features); others_clauses: shape (doubles, clauses), what the *other* rater cited; A's own
    would separate A's verdict perfectly. accepted: A's verdict. The plain ΔR² of one rater is no test.
    """
    if len(accepted) < DOUBLES_FROM:
        return Beaten(None, None, 0, len(np.unique(prompts)), "too-few-doubles")
    both = np.hstack([others_clauses, style])
    with_style, pairs = _wins(_crossed(both, accepted, prompts, seed), accepted, prompts)
    without, _ = _wins(_crossed(others_clauses, accepted, prompts, seed), accepted, prompts)
    sums = np.stack([with_style, without, pairs], axis=1)
    return _beaten(sums, lambda at: (at[:, 0] - at[:, 1]) / at[:, 2], level, seed)


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p of calibration pairs that were judged differently with and without the change: (c) of C9.

    Source: McNemar 1947, Psychometrika 12:153-157, with the binomial law.
    """
    if only_first < 0 or only_second < 0:
        raise UnfitData("Calibration pairs", "a count is below 0.")
    n, least = only_first + only_second, min(only_first, only_second)
    return min(1.0, float(2 * sum(comb(n, k) for k in range(least + 1)) / 2.0**n))


def slopes(features: Floats, positive: Flags, prompts: Counts) -> Floats:
    """Weights that make positive traces score higher than the others of their prompt: a logit of differences.

    features: shape (traces, features). The conditional logit of all pairs, with a small ridge.
    Source: Breslow & Day 1980, chapter 7, for one pair a stratum; here a composite likelihood of all of them.
    """
    differences = _differences(features, positive, prompts)
    if not len(differences):
        return np.zeros(features.shape[1])

    def loss(at: Floats) -> tuple[float, Floats]:
        margin = differences @ at
        value = -float(special.log_expit(margin).mean()) + RIDGE * float(at @ at)
        return value, -(differences.T @ special.expit(-margin)) / len(margin) + 2 * RIDGE * at

    found = optimize.minimize(loss, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(found.x)


def _crossed(features: Floats, positive: Flags, prompts: Counts, seed: int) -> Floats:
    """Scores of each trace by slopes that were fitted without its prompt."""
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    names, place = np.unique(prompts, return_inverse=True)
    fold = np.random.default_rng(seed).permutation(len(names))[place] % FOLDS
    scores = np.zeros(len(positive))
    for at in range(FOLDS):
        if (fold == at).any():
            rest = fold != at
            scores[~rest] = scaled[~rest] @ slopes(scaled[rest], positive[rest], prompts[rest])
    return scores


def _wins(score: Floats, positive: Flags, prompts: Counts) -> tuple[Floats, Floats]:
    """Pairs won and pairs, of each prompt that has one; in order of prompt."""
    wins, pairs = [], []
    for rows in _groups(prompts):
        up, down = score[rows][positive[rows]], score[rows][~positive[rows]]
        if len(up) and len(down):
            ahead = up[:, None] - down[None]
            wins.append(float((ahead > 0).sum() + (ahead == 0).sum() / 2))
            pairs.append(float(ahead.size))
    return np.array(wins), np.array(pairs)


def _differences(features: Floats, positive: Flags, prompts: Counts) -> Floats:
    found = [np.zeros((0, features.shape[1]))]
    for rows in _groups(prompts):
        up, down = features[rows][positive[rows]], features[rows][~positive[rows]]
        found.append((up[:, None] - down[None]).reshape(-1, features.shape[1]))
    return np.concatenate(found)


def _groups(prompts: Counts) -> list[NDArray[np.intp]]:
    order = np.argsort(prompts, kind="stable")
    if not len(order):
        return []
    return np.split(order, np.flatnonzero(np.diff(prompts[order])) + 1)


def _beaten(sums: Floats, statistic: Callable[[Floats], Floats], level: float, seed: int) -> Beaten:
    if not len(sums):
        return Beaten(None, None, 0, 0, "no-pairs")
    value, pairs = float(statistic(sums.sum(axis=0)[None])[0]), int(sums[:, -1].sum())
    if len(sums) < ESTIMATE_FROM:
        return Beaten(value, None, pairs, len(sums), "too-few")
    found = percentile_bootstrap(statistic, sums, seed=seed, level=2 * level - 1)
    return Beaten(value, found.low, pairs, len(sums), "ok", found.drawn)

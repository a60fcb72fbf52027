"""The pressure of what really goes out: caps, dedup and admission change the accepted law (C1, C4). Nats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reviews.measures.errors import InsufficientData, UnfitData
from reviews.measures.finite import LARGEST, BetaBinomial, fit
from reviews.measures.intervals import Standing
from reviews.measures.selection import capped_split

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

ADMITTED_FROM = 0.10
HARD_BELOW = 0.22
SEED = 20_250_806
REPLICATES = 400
STEPS, HALVINGS, TOLERANCE, DAMPING = 40, 4, 1e-5, 0.05


@dataclass(frozen=True)
class AsExported:
    """total = prompt_shift + within, by the plug-in, exactly. `estimate` has the Beta-binomial within instead.

    upper: one-sided percentile of a prompt bootstrap of `estimate`; **not a bound** (docs/pressure.md), so the
    standing is "estimate" at best. state: "ok" or "nothing-exported", then all figures are None.
    """

    prompts: int
    traces: int
    total: float | None
    prompt_shift: float | None
    within: float | None
    estimate: float | None
    upper: float | None
    standing: Standing
    state: Literal["ok", "nothing-exported"]


def as_exported(
    exported: Counts,
    accepted: Counts,
    sampled: Counts,
    *,
    level: float = 0.95,
    seed: int = SEED,
    replicates: int = REPLICATES,
) -> AsExported:
    """The pressure where e <= k traces of each prompt go out, drawn at random from its accepted ones.

    exported, accepted, sampled: shape (prompts,), e, k, K. With e the larger side: KL(e share || K share) plus the
    e-weighted posterior mean of -ln Z of each prompt under the Beta-binomial that was fitted to all of them.
    Raises UnfitData when e <= k <= K does not hold. Source: science.md C4 and 1.5.
    """
    going = int((exported > 0).sum())
    if not going:
        return AsExported(0, 0, None, None, None, None, None, "undefined", "nothing-exported")
    plug = capped_split(exported.astype(np.float64), accepted.astype(np.float64), sampled.astype(np.float64))
    rows, times = np.unique(np.stack([exported, accepted, sampled], axis=1), axis=0, return_counts=True)
    model = fit(accepted, sampled)
    if model is None:
        raise InsufficientData("Pressure as exported", "nothing was accepted.")
    value = _estimate(rows, times.astype(np.float64), model)
    upper = _upper(rows, times, model, level, seed, replicates) if len(sampled) > 1 else None
    return AsExported(
        prompts=going,
        traces=int(exported.sum()),
        total=plug.total,
        prompt_shift=plug.first,
        within=plug.second,
        estimate=value,
        upper=None if upper is None else max(upper, value, plug.total),
        standing="undefined" if upper is None else "estimate" if going >= 20 else "insufficient",
        state="ok",
    )


def admitted(accepted: Counts, sampled: Counts, rate: float = ADMITTED_FROM) -> NDArray[np.bool_]:
    """Which prompts may go out: k / K >= rate and k >= 1. A rate, since k >= 2 falls apart as K grows (C1)."""
    return np.asarray((accepted >= rate * sampled - 1e-9) & (accepted > 0))


def hard_share(tokens: Floats, accepted: Counts, sampled: Counts, below: float = HARD_BELOW) -> float | None:
    """The share of exported tokens from prompts with k / K < below (C1); None where nothing goes out.

    tokens: shape (prompts,), exported of each prompt.
    """
    if tokens.sum() <= 0:
        return None
    return float(tokens[accepted < below * sampled - 1e-9].sum() / tokens.sum())


def hard_percentile(
    exported: Counts, accepted: Counts, sampled: Counts, percentile: float = 0.95
) -> float | None:
    """The 95th percentile over exported prompts of -ln(k / K), for the ledger (C10); None without one.

    It does not see fewer than 5 % of the prompts: those are for admission.
    """
    out = exported > 0
    if not out.any():
        return None
    if (exported > accepted).any() or (accepted > sampled).any():
        raise UnfitData("Pressure on hard prompts", "exported <= accepted <= sampled does not hold.")
    values = -np.log(accepted[out] / sampled[out])
    return float(abs(np.quantile(values, percentile, method="inverted_cdf")))


def _estimate(rows: Counts, times: Floats, model: BetaBinomial) -> float:
    """KL(w || mu) + sum w (posterior mean of -ln Z); rows: shape (distinct, 3), e, k, K."""
    exported, accepted, sampled = rows.T
    w = times * exported
    out = w > 0
    w = w[out] / w.sum()
    shift = np.log(exported[out] / (times @ exported)) - np.log(sampled[out] / (times @ sampled))
    return float(w @ (shift + model.of_prompts(accepted, sampled)[out]))


def _upper(
    rows: Counts, times: Counts, model: BetaBinomial, level: float, seed: int, replicates: int
) -> float:
    generator = np.random.default_rng(seed)
    clusters = int(times.sum())
    weights = generator.multinomial(clusters, times / clusters, size=replicates).astype(np.float64)
    weights = weights[weights @ rows[:, 0] > 0]
    models = _refitted(rows, weights, model)
    values = [_estimate(rows, times, model) for times, model in zip(weights, models, strict=True)]
    return float(np.quantile(values, level))


def _refitted(rows: Counts, weights: Floats, start: BetaBinomial) -> list[BetaBinomial]:
    """The Beta-binomial of each replicate, all at once, by damped Newton steps in log alpha and log beta.

    weights: shape (replicates, rows). Begun at the whole sample's, which one replicate is never far from.
    """
    pairs, place = np.unique(rows[:, 1:], axis=0, return_inverse=True)
    onto = np.zeros((len(rows), len(pairs)))
    onto[np.arange(len(rows)), place.reshape(-1)] = 1
    counted = weights @ onto
    counted /= counted.sum(axis=1, keepdims=True)
    k, n = pairs.T.astype(np.float64)
    bounds = np.log(1e-6), np.log(LARGEST)
    at = np.tile(np.clip(np.log([start.alpha, start.beta]), *bounds), (len(weights), 1))
    moving = np.arange(len(weights))
    for _ in range(STEPS):
        step = _newton(at[moving], counted[moving], k, n)
        before = _likelihood(at[moving], counted[moving], k, n)
        scale = np.ones(len(moving))
        for _ in range(HALVINGS):
            there = np.clip(at[moving] + scale[:, None] * step, *bounds)
            worse = _likelihood(there, counted[moving], k, n) < before
            if not worse.any():
                break
            scale[worse] /= 4
        there[worse] = at[moving][worse]
        moved = np.abs(there - at[moving]).max(axis=1)
        at[moving] = there
        moving = moving[moved > TOLERANCE]
        if not len(moving):
            break
    return [BetaBinomial(float(alpha), float(beta)) for alpha, beta in np.exp(at)]


def _likelihood(at: Floats, counted: Floats, k: Floats, n: Floats) -> Floats:
    alpha, beta = np.exp(at.T)[:, :, None]
    found = special.betaln(k + alpha, n - k + beta) - special.betaln(alpha, beta)
    return np.asarray((counted * found).sum(axis=1))


def _newton(at: Floats, counted: Floats, k: Floats, n: Floats) -> Floats:
    """The step of each replicate; where the likelihood is not concave, one up its gradient."""
    alpha, beta = np.exp(at.T)[:, :, None]
    size = alpha + beta

    def mean(values: Floats) -> Floats:
        return np.asarray((counted * values).sum(axis=1))

    def first(x: Floats, added: Floats) -> Floats:
        return np.asarray(special.digamma(x + added) - special.digamma(x))

    def second(x: Floats, added: Floats) -> Floats:
        return np.asarray(special.polygamma(1, x + added) - special.polygamma(1, x))

    shared, curved = mean(first(size, n)), mean(second(size, n))
    a, b = alpha[:, 0], beta[:, 0]
    slopes = np.stack([a * (mean(first(alpha, k)) - shared), b * (mean(first(beta, n - k)) - shared)])
    aa = a**2 * (mean(second(alpha, k)) - curved) + slopes[0]
    bb = b**2 * (mean(second(beta, n - k)) - curved) + slopes[1]
    ab = -a * b * curved
    middle, half = (aa + bb) / 2, np.hypot((aa - bb) / 2, ab)
    damping = np.maximum(0.0, middle + half + DAMPING * np.maximum(half, TOLERANCE))
    aa, bb = aa - damping, bb - damping
    determinant = aa * bb - ab**2
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.stack(
            [(ab * slopes[1] - bb * slopes[0]) / determinant, (ab * slopes[0] - aa * slopes[1]) / determinant]
        )
    return np.asarray(np.clip(np.nan_to_num(step), -1, 1).T)

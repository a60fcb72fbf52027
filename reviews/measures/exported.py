"""The pressure of what really goes out: caps, dedup and admission change the accepted law (C1, C4). Nats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

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
    values = []
    for weights in generator.multinomial(clusters, times / clusters, size=replicates).astype(np.float64):
        if weights @ rows[:, 0] > 0:
            values.append(_estimate(rows, weights, _refit(rows, weights, model)))
    return float(np.quantile(values, level))


def _refit(rows: Counts, times: Floats, start: BetaBinomial) -> BetaBinomial:
    """The Beta-binomial of a replicate, searched from the whole sample's: a tenth of a fit from nothing."""
    some = times > 0
    k, n, counted = rows[some, 1].astype(np.float64), rows[some, 2].astype(np.float64), times[some]

    def loss(at: Floats) -> float:
        alpha, beta = np.exp(at)
        likelihood = special.betaln(k + alpha, n - k + beta) - special.betaln(alpha, beta)
        return -float(counted @ likelihood) / float(counted.sum())

    least, most = np.log(1e-6), np.log(LARGEST)
    at = np.clip(np.log([start.alpha, start.beta]), least, most)
    found = optimize.minimize(
        loss, at, method="L-BFGS-B", bounds=[(least, most)] * 2, options={"maxiter": 30}
    ).x
    return BetaBinomial(float(np.exp(found[0])), float(np.exp(found[1])))

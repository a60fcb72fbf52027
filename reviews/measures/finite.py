"""Within-prompt pressure from K samples a prompt: the plug-in is too low, these are less so. Nats."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from reviews.measures.errors import InsufficientData, UnfitData
from reviews.measures.intervals import check_counts

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
State = Literal["ok", "nothing-accepted", "no-resolution"]

EULER = float(-special.digamma(1.0))
LARGEST = 1e6  # alpha + beta beyond which prompts do not differ in difficulty


@dataclass(frozen=True)
class Within:
    """Pressure within prompts. `value` is the larger of the two estimates; both stand beside it.

    resolution: the accept-weighted mean of H_{K-1}, the most that the harmonic estimate can read.
    state: "nothing-accepted": None throughout; "no-resolution": every accepted trace was its prompt's only
    sample, so the harmonic estimate can only read 0. None of these is a bound.
    """

    value: float | None
    harmonic: float | None
    beta_binomial: float | None
    resolution: float | None
    state: State


@dataclass(frozen=True)
class BetaBinomial:
    """Fitted difficulty of prompts, Z ~ Beta(alpha, beta)."""

    alpha: float
    beta: float

    @property
    def pressure(self) -> float:
        """S = psi(alpha + beta + 1) - psi(alpha + 1): E[Z (-ln Z)] / E[Z]. Source: science.md 1.3."""
        return float(special.digamma(self.alpha + self.beta + 1) - special.digamma(self.alpha + 1))

    def of_prompts(self, accepted: Counts, sampled: Counts) -> Floats:
        """Posterior mean of -ln Z of each prompt: psi(K + alpha + beta) - psi(k + alpha)."""
        return np.asarray(
            special.digamma(sampled + self.alpha + self.beta) - special.digamma(accepted + self.alpha)
        )


def harmonic(n: Counts | Floats | float) -> Floats:
    """H_n = 1 + 1/2 + ... + 1/n, H_0 = 0; any shape."""
    return np.asarray(special.digamma(np.asarray(n, dtype=np.float64) + 1) + EULER)


def plug_in(accepted: int, sampled: int) -> float:
    """-ln(k / K) of one prompt: never above ln K, infinite at k = 0, too low on average."""
    return inf if accepted == 0 else abs(log(accepted / sampled))


def harmonic_estimate(accepted: int, sampled: int) -> float:
    """h = H_K - H_k of one prompt, whose mean is sum_{j<=K} (1-Z)^j / j exactly. Source: science.md 1.3."""
    return float(harmonic(sampled) - harmonic(accepted))


def size_biased(accepted: int, sampled: int) -> float:
    """H_{K-1} - H_{k-1} of one accepted trace of a prompt with k >= 1. Source: science.md 1.3."""
    if accepted < 1:
        raise InsufficientData("A size-biased estimate", "nothing was accepted.")
    return float(harmonic(sampled - 1) - harmonic(accepted - 1))


def posterior(accepted: int, sampled: int, prior: float = 0.5) -> float:
    """E[-ln Z | k, K] under a Beta(prior, prior) prior: .5 is Jeffreys', 1 the uniform one."""
    return float(special.digamma(sampled + 2 * prior) - special.digamma(accepted + prior))


def exact_lower(accepted: int, sampled: int, level: float = 0.95) -> float:
    """One-sided lower bound of Z from one prompt; 0 at k = 0.

    Source: Clopper & Pearson 1934, Biometrika 26:404-413.
    """
    if accepted == 0:
        return 0.0
    return float(special.betaincinv(accepted, sampled - accepted + 1, 1 - level))


def exact_upper(accepted: int, sampled: int, level: float = 0.95) -> float:
    """One-sided upper bound of Z from one prompt, 1 at k = K; at k = 0 it is 1 - (1-level)^(1/K)."""
    return 1 - exact_lower(sampled - accepted, sampled, level)


def size_biased_sum(accepted: Counts, sampled: Counts) -> tuple[float, float] | None:
    """S = sum k (H_{K-1} - H_{k-1}) / sum k over prompts, and its resolution, the same mean of H_{K-1}.

    accepted, sampled: shape (prompts,). The only bias is the tail beyond K - 1 of the series of -ln Z.
    None when nothing was accepted. Source: science.md 1.3.
    """
    if not accepted.any():
        return None
    some = accepted > 0
    k, n = accepted[some].astype(np.float64), sampled[some].astype(np.float64)
    most = harmonic(n - 1)
    return float(k @ (most - harmonic(k - 1)) / k.sum()), float(k @ most / k.sum())


def fit(accepted: Counts, sampled: Counts, times: Floats | None = None) -> BetaBinomial | None:
    """The Beta-binomial of greatest likelihood over prompts. None when nothing was accepted.

    accepted, sampled: shape (prompts,); times: shape (prompts,), how often each counts.
    Searched in mean and size, alpha + beta up to 1e6, where all prompts are equally hard.
    Source: Skellam 1948, Journal of the Royal Statistical Society B 10:257-261, for the law; science.md 1.3.
    """
    weights = np.ones(len(accepted)) if times is None else times
    hits, trials = float(weights @ accepted), float(weights @ sampled)
    if hits <= 0:
        return None
    if hits >= trials:
        return BetaBinomial(LARGEST, LARGEST * 1e-9)
    pairs, inverse = np.unique(np.stack([accepted, sampled], axis=1), axis=0, return_inverse=True)
    counted = np.bincount(inverse.reshape(-1), weights=weights)
    k, n = pairs[:, 0].astype(np.float64), pairs[:, 1].astype(np.float64)

    def loss(at: Floats) -> float:
        mean, size = float(special.expit(at[0])), float(np.exp(at[1]))
        alpha, beta = mean * size, (1 - mean) * size
        likelihood = special.betaln(k + alpha, n - k + beta) - special.betaln(alpha, beta)
        return -float(counted @ likelihood) / float(counted.sum())

    start = special.logit(hits / trials)
    bounds = [(start - 6, start + 6), (np.log(1e-3), np.log(LARGEST))]
    found = [
        optimize.minimize(loss, [start, size], method="L-BFGS-B", bounds=bounds) for size in (0.0, np.log(30))
    ]
    best = min(found, key=lambda one: float(one.fun)).x
    polished = optimize.minimize(
        loss, best, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-7, "fatol": 1e-13}
    ).x
    mean, size = float(special.expit(polished[0])), float(np.exp(polished[1]))
    return BetaBinomial(mean * size, (1 - mean) * size)


def within_prompts(accepted: Counts, sampled: Counts) -> Within:
    """The larger of the size-biased harmonic and the Beta-binomial estimate, with the resolution.

    accepted, sampled: shape (prompts,), prompts without an accept included.
    Raises InsufficientData without a prompt, UnfitData when a count is out of range.
    Source: science.md 1.3, the rule.
    """
    check_counts(accepted, sampled)
    biased, model = size_biased_sum(accepted, sampled), fit(accepted, sampled)
    if biased is None or model is None:
        return Within(None, None, None, None, "nothing-accepted")
    value, resolution = biased
    if resolution < 1e-12:  # K = 1: the Beta-binomial is not identified either
        return Within(None, 0.0, None, 0.0, "no-resolution")
    return Within(max(value, model.pressure), max(0.0, value), model.pressure, resolution, "ok")


def series(rate: float, terms: int) -> float:
    """sum_{j<=terms} (1 - Z)^j / j, what the harmonic estimates estimate without bias."""
    if not 0 <= rate <= 1:
        raise UnfitData("A series", f"a rate of {rate:g}.")
    return float(sum((1 - rate) ** j / j for j in range(1, terms + 1)))

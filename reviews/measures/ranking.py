"""Selecting by rank instead of by rule: the best of n, the top m of K. Nats; -ln(1/n) would overstate."""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reviews.measures.errors import UnfitData

Floats = NDArray[np.float64]

NODES = 400


def best_of(n: int) -> float:
    """ln n - (n-1)/n: exact where no two samples tie, and an upper bound everywhere.

    Source: Beirami et al., arXiv 2401.01879, Theorem 3.1.
    """
    _whole(n)
    return log(n) - (n - 1) / n


def best_of_binary(n: int, rate: float) -> float:
    """The best of n where a sample is good with probability Z and ties break at random.

    A = 1 - (1-Z)^n; KL = A ln(A/Z) + (1-A) (n-1) ln(1-Z). Source: science.md 1.4.
    """
    _whole(n)
    if not 0 <= rate <= 1:
        raise UnfitData("Best of n", f"a rate of {rate:g}.")
    if rate in (0, 1):
        return 0.0
    some = 1 - (1 - rate) ** n
    return max(0.0, some * log(some / rate) + (1 - some) * (n - 1) * log(1 - rate))


def best_of_estimate(n: int, rate: float) -> float:
    """The estimate of Beirami et al. with epsilon = p_ref(selected).

    (1-e)^n [ln n + (n-1) ln(1-e) - (n-1)/n] + (1-(1-e)^n) ln[(1-(1-e)^n)/e]. Source: arXiv 2401.01879.
    """
    _whole(n)
    if not 0 < rate <= 1:
        raise UnfitData("Best of n", f"a rate of {rate:g}.")
    none = (1 - rate) ** n
    rest = none * (log(n) + (n - 1) * log(1 - rate) - (n - 1) / n) if none > 0 else 0.0
    return rest + (1 - none) * log((1 - none) / rate)


def best_of_levels(n: int, law: Floats) -> float:
    """Exact for rewards with ties: sum f ln(f/p) with f_j = F_j^n - F_{j-1}^n.

    law: shape (levels,), the probability of each reward from the worst to the best.
    """
    _whole(n)
    if not len(law) or (law < 0).any() or abs(float(law.sum()) - 1) > 1e-9:
        raise UnfitData("Best of n", "the law of rewards does not sum to 1.")
    reached = np.cumsum(law)
    return max(0.0, float(special.rel_entr(np.diff(np.r_[0.0, reached**n]), law).sum()))


def top(m: int, k: int) -> float:
    """Keeping the m best of K: integral of f ln f, f the mean density of the m top order statistics.

    f(u) = K/m P(Bin(K-1, u) >= K-m), integrated by Gauss-Legendre. Without ties; m = K is 0.
    Source: science.md 1.4; David & Nagaraja 2003, Order Statistics, section 2.1, for the densities.
    """
    _whole(m)
    if m > k:
        raise UnfitData("Top m of K", f"{m} of {k}.")
    if m == k:
        return 0.0
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    density = k / m * special.betainc(k - m, m, (nodes + 1) / 2)
    return max(0.0, float(weights @ special.xlogy(density, density)) / 2)


def top_most(m: int, k: int) -> float:
    """D_inf of the top m of K: ln(K/m), for the ledger; the best of K is ln K (C10)."""
    if not 1 <= m <= k:
        raise UnfitData("Top m of K", f"{m} of {k}.")
    return log(k / m)


def _whole(n: int) -> None:
    if n < 1:
        raise UnfitData("A selection by rank", f"{n} samples.")

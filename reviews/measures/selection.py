"""What selecting does to a law that can be written down: divergences, mixing, and the four exact splits, in nats."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from reviews.measures.errors import InsufficientData, UnfitData

Floats = NDArray[np.float64]

ROUNDING = 1e-9


@dataclass(frozen=True)
class Selected:
    """Z = E[a], what accepting with weight a costs: kl <= d_inf, both in nats."""

    rate: float
    kl: float
    d_inf: float


@dataclass(frozen=True)
class Split:
    """Two terms in nats that add up to `total` exactly."""

    total: float
    first: float
    second: float


@dataclass(frozen=True)
class Mixed(Selected):
    """`rejected_share`: the share of the mixed file that reviewers did not accept; say it aloud (C17)."""

    rejected_share: float


def accepting(weights: Floats, law: Floats | None = None) -> Selected:
    """KL and max-divergence of the accepted law q = p a / Z from p.

    weights: shape (traces,), a in [0, 1]. law: shape (traces,), p, which sums to 1; equal where not given.
    KL = E[a ln a] / Z - ln Z with 0 ln 0 = 0, for hard accepts -ln Z; D_inf = ln(max a / Z).
    Raises InsufficientData when nothing is accepted, UnfitData when a weight is outside 0..1.
    Source: science.md 1.1; Kullback & Leibler 1951, Annals of Mathematical Statistics 22:79-86.
    """
    if not len(weights):
        raise InsufficientData("A selection", "nothing was sampled.")
    if not ((weights >= 0) & (weights <= 1)).all():
        raise UnfitData("A selection", "an accept weight is outside 0..1.")
    p = np.full(len(weights), 1 / len(weights)) if law is None else _law(law)
    rate = float(p @ weights)
    if rate <= 0:
        raise InsufficientData("A selection", "nothing was accepted.")
    kl = float(p @ special.xlogy(weights, weights)) / rate - log(rate)
    most = float(weights[p > 0].max())
    return Selected(rate, max(0.0, kl), max(0.0, log(most / rate)))


def divergence(q: Floats, p: Floats) -> float:
    """KL(q || p) of two laws over the same outcomes, shape (outcomes,); infinite where q is and p is not."""
    return max(0.0, float(special.rel_entr(_law(q), _law(p)).sum()))


def reweighted(law: Floats, weights: Floats) -> Floats:
    """The accepted law q = p a / Z. Raises InsufficientData when nothing is accepted."""
    q = _law(law) * weights
    if q.sum() <= 0:
        raise InsufficientData("An accepted law", "nothing was accepted.")
    return np.asarray(q / q.sum())


def mixing(rate: float, share: float) -> Mixed:
    """Accepted traces with a share of unfiltered ones among them.

    rate: Z in (0, 1]. share: lambda in [0, 1], of the file that is drawn from all samples.
    With r = (1 - lambda) / Z + lambda: KL = Z r ln r + (1 - Z) lambda ln lambda, D_inf = ln r.
    Raises UnfitData when one is out of range. Source: science.md 1.1.
    """
    if not 0 < rate <= 1 or not 0 <= share <= 1:
        raise UnfitData("Mixing", f"rate {rate:g} and share {share:g}.")
    r = (1 - share) / rate + share
    kl = rate * float(special.xlogy(r, r)) + (1 - rate) * float(special.xlogy(share, share))
    return Mixed(rate, max(0.0, kl), max(0.0, log(r)), share * (1 - rate))


def share_for(rate: float, budget: float) -> float:
    """The least lambda whose mixed KL is within `budget` nats; 0 where no mixing is needed.

    Raises UnfitData for a budget that is not above 0.
    """
    if budget <= 0:
        raise UnfitData("Mixing", f"a budget of {budget:g} nats.")
    if mixing(rate, 0).kl <= budget:
        return 0.0
    return float(optimize.brentq(lambda share: mixing(rate, share).kl - budget, 0, 1, xtol=1e-12))


def prompts_split(accepted: Floats, sampled: Floats) -> Split:
    """Where against how: KL(w || mu) + sum w (-ln(a / K)) = -ln(sum a / sum K), exactly.

    accepted: shape (prompts,), the accept weight of each prompt, k for hard accepts; w is its share.
    sampled: shape (prompts,), K; mu is its share, prompts without an accept included.
    first: prompt shift; second: within prompts, by the plug-in, which is too low at small K.
    Raises InsufficientData when nothing is accepted. Source: science.md 1.2 (a), the chain rule of KL.
    """
    return capped_split(accepted, accepted, sampled)


def capped_split(exported: Floats, accepted: Floats, sampled: Floats) -> Split:
    """The same where e traces of each prompt go out, drawn at random from its k accepted ones (C4).

    exported: shape (prompts,), e <= k. total = KL(e share || mu) + sum (e share) (-ln(k / K)).
    A cap that keeps the *best* trace is best-of-k on top, which this does not see.
    Raises InsufficientData when nothing goes out, UnfitData when counts contradict each other.
    """
    if not len(sampled) or exported.sum() <= 0:
        raise InsufficientData("A split by prompts", "nothing was accepted.")
    if (
        (exported < 0) | (exported > accepted + ROUNDING) | (accepted > sampled + ROUNDING) | (sampled <= 0)
    ).any():
        raise UnfitData("A split by prompts", "exported <= accepted <= sampled does not hold.")
    w = exported / exported.sum()
    out = w > 0
    shift = divergence(w, sampled / sampled.sum())
    within = float(w[out] @ -np.log(accepted[out] / sampled[out]))
    return Split(shift + within, shift, abs(within))


def capped(accepted: NDArray[np.int64], cap: int) -> NDArray[np.int64]:
    """How many traces of each prompt go out under a cap."""
    if cap < 1:
        raise UnfitData("A cap", f"{cap} traces a prompt.")
    return np.minimum(accepted, cap)


def deduplicated(accepted: Floats, sampled: float) -> Split:
    """Within one prompt: what keeping one of each accepted text does.

    accepted: shape (texts,), how often each distinct accepted text was sampled. sampled: K.
    total after, first before (-ln(k / K)), second what dedup adds. Source: science.md 1.5.
    Raises InsufficientData when nothing was accepted, UnfitData when more was accepted than sampled.
    """
    if not len(accepted) or accepted.sum() <= 0:
        raise InsufficientData("Dedup", "nothing was accepted.")
    if (accepted <= 0).any() or accepted.sum() > sampled:
        raise UnfitData("Dedup", "a text without a sample, or more accepted than sampled.")
    before = -log(float(accepted.sum()) / sampled)
    after = float(np.mean(-np.log(accepted * len(accepted) / sampled)))
    return Split(after, abs(before), after - before)


def outcomes_split(shares: Floats, rates: Floats) -> Split:
    """Outcome against reasoning, of one pool: sum q ln(q / p) + sum q (-ln Z_j) = -ln Z.

    shares: shape (classes,), p_j. rates: shape (classes,), Z_j. first: outcome, second: reasoning given it.
    Over many prompts use outcomes.py: one pool mixes prompt shift in (C6).
    Source: science.md 1.2 (b).
    """
    p = _law(shares)
    q = reweighted(p, rates)
    some = q > 0
    outcome, reasoning = divergence(q, p), float(q[some] @ -np.log(rates[some]))
    return Split(outcome + reasoning, outcome, abs(reasoning))


def substitution_split(sampling: Floats, exporting: Floats, weights: Floats) -> Split:
    """Selection against prompt substitution: KL(q || p(.|e)) = KL(q || p(.|s)) + E_q[ln p(y|s) - ln p(y|e)].

    sampling: shape (traces,), the law under the prompt that was sampled from; exporting: under the one that
    is exported; weights: a. The same covers a temperature other than 1. The second term may be below 0.
    Raises UnfitData where an accepted trace has no probability under the exported prompt.
    Source: science.md 1.2 (d); Guan et al., arXiv 2412.16339, for the practice.
    """
    s, e = _law(sampling), _law(exporting)
    q = reweighted(s, weights)
    some = q > 0
    if (e[some] <= 0).any():
        raise UnfitData("A substitution", "an accepted trace is impossible under the exported prompt.")
    selection = accepting(weights, s).kl
    substitution = float(q[some] @ np.log(s[some] / e[some]))
    return Split(selection + substitution, selection, substitution)


def _law(law: Floats) -> Floats:
    if not len(law) or (law < 0).any() or abs(float(law.sum()) - 1) > ROUNDING:
        raise UnfitData("A law", "probabilities are not below 0 and sum to 1.")
    return law

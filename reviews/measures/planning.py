"""How many traces must be read twice for an interval as narrow as wanted."""

from __future__ import annotations

from math import ceil
from typing import Literal

from reviews.measures.errors import InsufficientData, UnfitData
from reviews.measures.intervals import Estimate, wilson

QUANTILE = 1.959963984540054

Coefficient = Literal["alpha", "ac1"]


def as_seen(prevalence: float, accuracy: float) -> tuple[float, float]:
    """What two readers show who are each right with `accuracy`: the share of rejects, and how often they agree.

    prevalence: the share of traces that should be rejected. Their errors are independent.
    """
    both = prevalence * accuracy**2 + (1 - prevalence) * (1 - accuracy) ** 2
    apart = 2 * accuracy * (1 - accuracy)
    return both + apart / 2, 1 - apart


def expected(rejects: float, agreement: float, coefficient: Coefficient = "alpha") -> float:
    """The coefficient of two readers with so many rejects who agree so often, in a large sample.

    Raises UnfitData where no two readers can be so, as with 1 % rejects and 90 % agreement, and where one label
    only is left.
    """
    _cells(rejects, agreement)
    by_chance, _ = _chance(rejects, coefficient)
    if by_chance >= 1:
        raise UnfitData("Planning", "with one label only there is no coefficient.")
    return 1 - (1 - agreement) / (1 - by_chance)


def doubles_for(
    half_width: float,
    *,
    rejects: float,
    agreement: float,
    coefficient: Coefficient = "alpha",
    design_effect: float = 1.0,
) -> int:
    """How many traces two must read for a 95 % interval of +/- half_width around alpha or AC1.

    rejects, agreement: the share of rejects among all verdicts, and how often two agree, as the audit shows them.
    design_effect: by how much clusters widen the variance, see design_effect_of; 1 for a trace a prompt.
    n = (1.96 / half_width)^2 var, by the delta method from the three outcomes of a pair; simulated widths are
    within 3 % of it from 100 traces on.
    Raises UnfitData as `expected` does.
    Source: Gwet 2014, Handbook of Inter-Rater Reliability, ed. 4, chapter 5, for the linearisation.
    """
    both, apart, neither = _cells(rejects, agreement)
    by_chance, slope = _chance(rejects, coefficient)
    if by_chance >= 1:
        raise UnfitData("Planning", "with one label only there is no coefficient.")
    room = 1 - by_chance
    variance = 0.0
    for probability, agrees, share in ((both, 1, 1.0), (apart, 0, 0.5), (neither, 1, 0.0)):
        term = (agrees - agreement) / room - (1 - agreement) / room**2 * slope * (share - rejects)
        variance += probability * term**2
    return ceil((QUANTILE / half_width) ** 2 * variance * design_effect - 1e-9)


def doubles_for_rate(half_width: float, rate: float, *, design_effect: float = 1.0) -> int:
    """How many accepts must meet a second reader for a 95 % Wilson interval of +/- half_width around a rate.

    The same for any rate of independent trials. half_width: under .5, else one trial does.
    """
    if half_width <= 0 or not 0 <= rate <= 1:
        raise UnfitData("Planning", f"a half-width of {half_width} and a rate of {rate}.")
    low, high = 1, 2
    while _half(rate, high) > half_width:
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _half(rate, middle) <= half_width else (middle + 1, high)
    return ceil(high * design_effect - 1e-9)


def doubles_from(found: Estimate, half_width: float) -> int:
    """How many items in all would narrow a measured interval to +/- half_width, all else being as it is.

    The width falls with the root of the items, their clusters growing alike. It needs no model of the readers, and
    what clusters do is in the interval already. Raises InsufficientData for an estimate without an interval.
    """
    if found.low is None or found.high is None:
        raise InsufficientData("Planning", "there is no interval yet to start from.")
    return ceil(found.n * ((found.high - found.low) / 2 / half_width) ** 2 - 1e-9)


def design_effect_of(traces_a_prompt: float, correlation: float) -> float:
    """By how much the variance grows when the traces read twice come several to a prompt: 1 + (m - 1) rho.

    correlation: of disagreements within a prompt, from 0 to 1. Source: Kish 1965, Survey Sampling, section 5.4.
    """
    return 1 + max(0.0, traces_a_prompt - 1) * correlation


def _half(rate: float, trials: int) -> float:
    low, high = wilson(rate * trials, trials)
    return (high - low) / 2


def _cells(rejects: float, agreement: float) -> tuple[float, float, float]:
    """How often both reject, one does, none does."""
    apart = 1 - agreement
    both, neither = rejects - apart / 2, 1 - rejects - apart / 2
    if min(both, neither, apart) < -1e-12:
        raise UnfitData("Planning", f"{agreement:.2f} agreement with {rejects:.2f} rejects cannot be.")
    return max(both, 0.0), apart, max(neither, 0.0)


def _chance(rejects: float, coefficient: Coefficient) -> tuple[float, float]:
    """The agreement by chance, and how it moves with the share of rejects."""
    if coefficient == "ac1":
        return 2 * rejects * (1 - rejects), 2 - 4 * rejects
    return rejects**2 + (1 - rejects) ** 2, 4 * rejects - 2

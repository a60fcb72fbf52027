"""Selection pressure: how much likelier the accepted traces are than what was sampled, in nats."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reviews.measures.intervals import Standing, check_counts, clustered_wilson

State = Literal["ok", "nothing-accepted"]


@dataclass(frozen=True)
class Pressure:
    """Nats, pooled over all prompts and over those where selection happened; None is unknown, never zero.

    `total_standing` and `selecting_standing` say what the upper figure beside them may be called (clustered_wilson):
    "bound" from 30 prompts on at the earliest, "estimate" from 20, "insufficient" below, "undefined" where there is none.
    `state`: "ok" or "nothing-accepted" (no finite pressure). `selecting_state`: the same two, or
    "no-selection" where every sample of every prompt was accepted, so that no prompt is left to look at.
    """

    prompts: int
    sampled: int
    accepted: int
    total: float | None
    total_upper: float | None
    total_standing: Standing
    selecting_prompts: int
    selecting_total: float | None
    selecting_upper: float | None
    selecting_standing: Standing
    state: State
    selecting_state: State | Literal["no-selection"]


def total_pressure(
    accepted: NDArray[np.int64], sampled: NDArray[np.int64], *, level: float = 0.95
) -> Pressure:
    """The pressure of accepting `accepted` of `sampled` traces: -ln(sum k / sum K), with its upper bound.

    accepted: shape (prompts,), k, how many traces of each prompt were accepted.
    sampled: shape (prompts,), K, **all samples ever drawn** for each prompt, not those with a verdict: what
    is unsure, skipped, undecided or belongs to a bad prompt is not accepted and stays in K, and a prompt with
    no accept stays in both arrays. Only what the plan's own random draw left out of review may be missing.
    level: of the one-sided upper bound, -ln of the clustered Wilson lower bound of sum k / sum K.

    Easy prompts, where all was accepted, wash the pooled figure out; so the same figure is given over the
    selecting prompts alone, those with k < K, k = 0 included.
    Returns nats from 0. Everything accepted is 0 with a bound above it; nothing accepted is None.
    Raises InsufficientData without a prompt, UnfitData when a count is out of range.
    Source: the divergence of Kullback & Leibler 1951, Annals of Mathematical Statistics 22:79-86, of
    q = p a / Z from p with a in {0, 1}: sum q ln(q / p) = -ln Z.
    """
    check_counts(accepted, sampled)
    selecting = accepted < sampled
    total, total_upper, total_standing = _nats(accepted, sampled, level)
    hard, hard_sampled = accepted[selecting], sampled[selecting]
    selecting_total, selecting_upper, selecting_standing = _nats(hard, hard_sampled, level)
    return Pressure(
        prompts=len(sampled),
        sampled=int(sampled.sum()),
        accepted=int(accepted.sum()),
        total=total,
        total_upper=total_upper,
        total_standing=total_standing,
        state="ok" if accepted.any() else "nothing-accepted",
        selecting_prompts=int(selecting.sum()),
        selecting_total=selecting_total,
        selecting_upper=selecting_upper,
        selecting_standing=selecting_standing,
        selecting_state=_selecting_state(hard),
    )


def _nats(
    accepted: NDArray[np.int64], sampled: NDArray[np.int64], level: float
) -> tuple[float | None, float | None, Standing]:
    """The pressure, its upper bound and what that bound may be called; None where it is unknown."""
    if not accepted.any():
        return None, None, "undefined"
    rate = clustered_wilson(accepted, sampled, level, sided=1)
    total = abs(log(rate.rate))  # abs: everything accepted is 0, not -0
    return total, None if rate.low is None else -log(rate.low), rate.standing


def _selecting_state(accepted: NDArray[np.int64]) -> State | Literal["no-selection"]:
    if not len(accepted):
        return "no-selection"
    return "ok" if accepted.any() else "nothing-accepted"

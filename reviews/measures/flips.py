"""Answer first, then the chain: how often the chain turns an accepted answer to a reject (C7)."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reviews.measures.errors import UnfitData
from reviews.measures.intervals import Standing, clustered_wilson

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Flips:
    """Of `answers` accepted alone the chain turned `turned` to reject; `other_way` of `refused` to accept.

    share = turned / answers; share_upper: one-sided, clustered by prompt. nats = -ln(1 - share), nats_upper of
    the upper share; nats is None where every one was turned. It is not a share of exported traces.
    state: "ok", "no-answers" where none was accepted alone, "all-turned".
    """

    answers: int
    turned: int
    refused: int
    other_way: int
    share: float | None
    share_upper: float | None
    nats: float | None
    nats_upper: float | None
    standing: Standing
    state: Literal["ok", "no-answers", "all-turned"]


def flips(
    answers: Counts, turned: Counts, refused: Counts, other_way: Counts, *, level: float = 0.95
) -> Flips:
    """Pressure on the reasoning as judged, without outcome labels. All of shape (prompts,), counts of reviews.

    Only of the plan's random share of reviews. Raises UnfitData when more were turned than there were.
    Source: science.md C7.
    """
    if ((turned < 0) | (turned > answers) | (other_way < 0) | (other_way > refused)).any():
        raise UnfitData("Answers first", "more were turned than were judged.")
    totals = (int(answers.sum()), int(turned.sum()), int(refused.sum()), int(other_way.sum()))
    some = answers > 0
    if not some.any():
        return Flips(*totals, None, None, None, None, "undefined", "no-answers")
    # The lower bound of what was kept is careful near 1, where few prompts of another kind would hide.
    kept = clustered_wilson(answers[some] - turned[some], answers[some], level, sided=1)
    every = totals[1] == totals[0]
    upper = None if kept.low is None else 1 - kept.low
    return Flips(
        *totals,
        share=totals[1] / totals[0],
        share_upper=upper,
        nats=None if every else abs(log(1 - totals[1] / totals[0])),
        nats_upper=None if upper is None or upper >= 1 else -log(1 - upper),
        standing=kept.standing,
        state="all-turned" if every else "ok",
    )

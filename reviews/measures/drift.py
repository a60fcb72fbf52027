"""Drift: a chart that adds up a reader's errors on gold, and how often it cries wolf."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from reviews.measures.errors import UnfitData

CLEAN, DRIFTED = 0.05, 0.15
RUNS = 40_000


@dataclass(frozen=True)
class Chart:
    """The chart's height after each gold trace, and at which (from 0) it first reached the line, or None."""

    heights: NDArray[np.float64]
    alarm: int | None


@dataclass(frozen=True)
class Detection:
    """What the line does against readers who err at `rate`: the share found within the horizon, and how soon.

    rate: errors on gold. found: share of such readers with an alarm. median: gold traces from the change until the
    alarm, among those found; None where none is.
    """

    rate: float
    found: float
    median: float | None


@dataclass(frozen=True)
class Line:
    """An alarm line for a team, with what was simulated of it.

    height: the h of the chart. false_alarm: the probability that one or more of the `team`, all clean, get an alarm
    within `horizon` gold traces each. detections: for readers who have drifted from the first trace on.
    """

    height: float
    team: int
    horizon: int
    clean: float
    drifted: float
    false_alarm: float
    detections: tuple[Detection, ...]


def cusum(
    errors: NDArray[np.bool_], height: float, *, clean: float = CLEAN, drifted: float = DRIFTED
) -> Chart:
    """The Bernoulli CUSUM of one reader's verdicts on gold, in the order in which they were given.

    errors: shape (gold traces,), whether the verdict was wrong. S_t = max(0, S_{t-1} + w), with
    w = log(drifted / clean) for an error and -log((1 - clean) / (1 - drifted)) else: .05 and .15 give 1.098612 and
    -.111226. The alarm is where S_t first is at least `height`.
    Raises UnfitData unless 0 < clean < drifted < 1.
    Source: Page 1954, Biometrika 41:100-115; Reynolds & Stoumbos 1999, Journal of Quality Technology 31:87-108.
    """
    up, down = _steps(clean, drifted)
    heights = np.empty(len(errors))
    height_now = 0.0
    for place, wrong in enumerate(errors):
        height_now = max(0.0, height_now + (up if wrong else -down))
        heights[place] = height_now
    over = np.flatnonzero(heights >= height)
    return Chart(heights, int(over[0]) if len(over) else None)


def calibrated(
    team: int,
    horizon: int,
    *,
    level: float = 0.05,
    clean: float = CLEAN,
    drifted: float = DRIFTED,
    rates: tuple[float, ...] = (0.15, 0.30, 0.50),
    seed: int,
    runs: int = RUNS,
) -> Line:
    """The lowest line at which a clean team gets no alarm with probability 1 - level, and what it then finds.

    team: readers; horizon: gold traces that each of them will judge. The readers are independent, so each may have
    an alarm with 1 - (1 - level)^(1 / team). The height is found from `runs` simulated clean readers; the rates
    printed beside it are measured on others, so they may be off the level by the simulation's own error.
    """
    each = 1 - (1 - level) ** (1 / team)
    generator = np.random.default_rng(seed)
    highest = np.sort(_highest(np.full(horizon, clean), clean, drifted, runs, generator))
    below = highest[runs - int(each * runs) - 1]  # the highest that may get no alarm
    above = highest[highest > below + 1e-9]
    height = float(below + above[0]) / 2 if len(above) else float(below) + 1e-6
    return line_at(height, team, horizon, clean=clean, drifted=drifted, rates=rates, seed=seed + 1, runs=runs)


def line_at(
    height: float,
    team: int,
    horizon: int,
    *,
    clean: float = CLEAN,
    drifted: float = DRIFTED,
    rates: tuple[float, ...] = (0.15, 0.30, 0.50),
    seed: int,
    runs: int = RUNS,
) -> Line:
    """What a given line does: its false alarms for a clean team, and what it finds. As in `calibrated`."""
    generator = np.random.default_rng(seed)
    alone = float(np.mean(_highest(np.full(horizon, clean), clean, drifted, runs, generator) >= height))
    found = tuple(
        detection(height, rate, horizon, clean=clean, drifted=drifted, seed=seed + 1 + place, runs=runs)
        for place, rate in enumerate(rates)
    )
    return Line(height, team, horizon, clean, drifted, 1 - (1 - alone) ** team, found)


def detection(
    height: float,
    rate: float,
    horizon: int,
    *,
    change: int = 0,
    clean: float = CLEAN,
    drifted: float = DRIFTED,
    seed: int,
    runs: int = RUNS,
) -> Detection:
    """How often the line finds a reader who errs at `rate` from gold trace `change` (from 0) on, within the horizon.

    An alarm before the change is none that finds anything: it counts as not found.
    """
    generator = np.random.default_rng(seed)
    chances = np.r_[np.full(change, clean), np.full(horizon - change, rate)]
    first = _first(chances, height, clean, drifted, runs, generator)
    after = first[(first >= change) & (first < horizon)] - change + 1
    return Detection(rate, len(after) / runs, float(np.median(after)) if len(after) else None)


def _steps(clean: float, drifted: float) -> tuple[float, float]:
    if not 0 < clean < drifted < 1:
        raise UnfitData("A drift chart", f"the error rates {clean} and {drifted} must rise, between 0 and 1.")
    return log(drifted / clean), log((1 - clean) / (1 - drifted))


def _highest(
    chances: NDArray[np.float64], clean: float, drifted: float, runs: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """The highest point of the chart of each simulated reader, who errs with the chance of each trace."""
    up, down = _steps(clean, drifted)
    height, highest = np.zeros(runs), np.zeros(runs)
    for chance in chances:
        height = np.maximum(0, height + np.where(generator.random(runs) < chance, up, -down))
        highest = np.maximum(highest, height)
    return highest


def _first(
    chances: NDArray[np.float64],
    line: float,
    clean: float,
    drifted: float,
    runs: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """At which trace each simulated reader's chart first reaches the line; their number where it never does."""
    up, down = _steps(clean, drifted)
    height, first = np.zeros(runs), np.full(runs, len(chances))
    for place, chance in enumerate(chances):
        height = np.maximum(0, height + np.where(generator.random(runs) < chance, up, -down))
        first = np.where((height >= line) & (first == len(chances)), place, first)
    return first

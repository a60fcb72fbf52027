"""Pressure on the reasoning given the outcome, by (prompt, class) cells (C6). Nats."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reviews.measures.errors import UnfitData
from reviews.measures.finite import harmonic
from reviews.measures.intervals import BOUND_FROM, Standing, percentile_bootstrap

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

MEAN_CELL = 6.0  # samples a cell, weighted by accepts; below it classes are too fine to see anything
SEED = 20_250_806


@dataclass(frozen=True)
class GivenOutcome:
    """total = prompt_shift + outcome + cot_plugin, exactly; `cot` is the estimate to read, with its bound.

    outcome: within prompts. resolution: accept-weighted mean of H_{n_c - 1}, the most that `cot` can read.
    mean_cell: accept-weighted mean of n_c. carrying: prompts with an accept.
    standing: "bound" is never given: by the coverage harness the bootstrap's upper figure is "estimate" at best.
    state: "nothing-accepted", or "insufficient" where mean_cell < 6 or fewer than 30 prompts carry it.
    """

    prompt_shift: float | None
    outcome: float | None
    cot_plugin: float | None
    cot: float | None
    cot_upper: float | None
    resolution: float | None
    mean_cell: float | None
    carrying: int
    standing: Standing
    state: Literal["ok", "nothing-accepted", "insufficient"]
    drawn: Floats | None = field(default=None, compare=False, repr=False)

    def upper_at(self, level: float) -> float | None:
        """The upper figure of `cot` at another one-sided level, from the same replicates."""
        if self.drawn is None or self.cot is None:
            return None
        return max(self.cot, float(np.quantile(self.drawn, level)))


def given_outcome(
    accepted: Counts, sampled: Counts, prompts: Counts, *, level: float = 0.95, seed: int = SEED
) -> GivenOutcome:
    """The chain of one selection over cells.

    accepted, sampled: shape (cells,), k_c and n_c >= 1 of each (prompt, class); prompts: shape (cells,), the
    cell's prompt. Classes come from a checker, sealed before the first review; cells without an accept count.
    cot = sum k_c (H_{n_c-1} - H_{k_c-1}) / sum k_c; its upper figure is the percentile of a prompt bootstrap.
    Raises UnfitData when a count is out of range. Source: science.md C6.
    """
    if not len(sampled) == len(accepted) == len(prompts) or ((accepted < 0) | (accepted > sampled)).any():
        raise UnfitData("Reasoning given the outcome", "a cell has more accepted than sampled.")
    _, place = np.unique(prompts, return_inverse=True)
    k, n = accepted.astype(np.float64), sampled.astype(np.float64)
    of_prompt, size = totals(place, k), totals(place, n)
    carrying, hits = int((of_prompt > 0).sum()), k.sum()
    if hits == 0:
        return GivenOutcome(None, None, None, None, None, None, None, 0, "undefined", "nothing-accepted")
    some = k > 0
    k, n, place = k[some], n[some], place[some]
    w = k / hits
    cot_plugin = float(w @ -np.log(k / n))
    outcome = float(w @ np.log((k / of_prompt[place]) / (n / size[place])))
    shift = float(w @ np.log((of_prompt[place] / hits) / (size[place] / size.sum())))
    most = harmonic(n - 1)
    numerator = totals(place, k * (most - harmonic(k - 1)), len(size))
    mean_cell = float(w @ n)
    cot = max(0.0, float(numerator.sum() / hits))
    replicates = ratios(numerator, of_prompt, seed) if carrying > 1 else None
    enough = mean_cell >= MEAN_CELL and carrying >= BOUND_FROM
    return GivenOutcome(
        max(0.0, shift),
        max(0.0, outcome),
        abs(cot_plugin),
        cot,
        None if replicates is None else max(cot, float(np.quantile(replicates, level))),
        float(w @ most),
        mean_cell,
        carrying,
        "estimate" if enough else "insufficient",
        "ok" if enough else "insufficient",
        replicates,
    )


def totals(place: NDArray[np.intp], values: Floats, groups: int = 0) -> Floats:
    """Sums of values, shape (rows,), by the group that each row is of; shape (groups,)."""
    return np.asarray(np.bincount(place, weights=values, minlength=groups), dtype=np.float64)


def ratios(numerator: Floats, denominator: Floats, seed: int) -> Floats:
    """Replicates of sum numerator / sum denominator in order, the prompts drawn with replacement."""

    def ratio(sums: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(sums[:, 1] > 0, sums[:, 0] / sums[:, 1], np.nan))

    both = np.stack([numerator, denominator], axis=1)
    return percentile_bootstrap(ratio, both, seed=seed).drawn

"""What the rejects were for: alignment clauses against clauses of form, in both orders. Nats."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reviews.measures.intervals import Standing, clustered_wilson

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Purposes:
    """-ln P(both pass), split. The split depends on the order, so form has an interval (C8).

    alignment + form = total with alignment asked first. form_low and form_high: the least and most that form
    takes over both orders; form_upper: the one-sided upper bound of the latter, None with one prompt.
    form_only: rejects that fail form alone, of `rejects`.
    state: "nothing-passes" where no trace passes both, then the figures are None.
    """

    traces: int
    total: float | None
    alignment: float | None
    form: float | None
    form_low: float | None
    form_high: float | None
    form_upper: float | None
    standing: Standing
    form_only: int
    rejects: int
    state: Literal["ok", "nothing-passes", "not-measured"]


def purposes(alignment: Flags, form: Flags, prompts: NDArray[np.int64], *, level: float = 0.95) -> Purposes:
    """The split of traces on which **all** clauses were judged one by one, on the plan's random share (C8).

    alignment, form: shape (traces,), whether the trace passes every clause of that kind.
    prompts: shape (traces,), the number of each trace's prompt, for the bound.
    Cited clauses are not clause verdicts: the first fault found hides the rest.
    Source: science.md 1.2 (c) and C8.
    """
    traces, both = len(alignment), alignment & form
    form_only = int((alignment & ~form).sum())
    rejects = traces - int(both.sum())
    if not both.any():
        state: Literal["nothing-passes", "not-measured"] = "nothing-passes" if traces else "not-measured"
        return Purposes(traces, None, None, None, None, None, None, "undefined", form_only, rejects, state)
    passed, first = int(both.sum()), int(alignment.sum())
    last, straight = abs(log(passed / first)), abs(log(int(form.sum()) / traces))
    upper, standing = _upper([(both[alignment], prompts[alignment]), (form, prompts)], level)
    return Purposes(
        traces,
        abs(log(passed / traces)),
        abs(log(first / traces)),
        last,
        min(last, straight),
        max(last, straight),
        upper,
        standing,
        form_only,
        rejects,
        "ok",
    )


def _upper(rates: list[tuple[Flags, NDArray[np.int64]]], level: float) -> tuple[float | None, Standing]:
    """The larger of the upper bounds: it holds for the larger truth, since that one's own bound does."""
    bounds, standings = [], []
    for hits, prompts in rates:
        _, place = np.unique(prompts, return_inverse=True)
        found = clustered_wilson(
            np.bincount(place, weights=hits).astype(np.int64), np.bincount(place), level, sided=1
        )
        if found.low is None:
            return None, "undefined"
        bounds.append(-log(found.low))
        standings.append(found.standing)
    order: list[Standing] = ["undefined", "insufficient", "estimate", "bound"]
    return max(bounds), min(standings, key=order.index)

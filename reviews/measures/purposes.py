"""What the rejects were for: alignment clauses against clauses of form, in both orders. Nats."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reviews.measures.errors import UnfitData
from reviews.measures.intervals import Standing, clustered_wilson

Counts = NDArray[np.int64]
State = Literal["ok", "nothing-passes", "not-measured"]

ORDER: list[Standing] = ["undefined", "insufficient", "estimate", "bound"]


@dataclass(frozen=True)
class Purposes:
    """-ln P(both pass), split. The split depends on the order, so form has an interval (C8).

    alignment + form = total with alignment asked first. form_low and form_high: the least and most that form
    takes over both orders; form_upper: the one-sided upper bound of the latter, None with one prompt.
    form_only: rejects that fail form alone, of `rejects`.
    state: "nothing-passes" where no trace passes both, "not-measured" where none was judged; then all is None.
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
    state: State


def purposes(
    judged: Counts, alignment: Counts, form: Counts, both: Counts, *, level: float = 0.95
) -> Purposes:
    """The split of traces on which **all** clauses were judged one by one, on the plan's random share (C8).

    Each of shape (prompts,), counts of traces: judged, those that pass every alignment clause, every clause of
    form, and all. Prompts without a judged trace are left out.
    Cited clauses are not clause verdicts: the first fault found hides the rest.
    Raises UnfitData when both <= alignment, form <= judged does not hold.
    Source: science.md 1.2 (c) and C8.
    """
    least = alignment + form - both
    if ((both < 0) | (both > np.minimum(alignment, form)) | (least > judged)).any():
        raise UnfitData("A split by purposes", "more traces pass than were judged.")
    traces, passed, first = int(judged.sum()), int(both.sum()), int(alignment.sum())
    form_only, rejects = first - passed, traces - passed
    if not passed:
        state: State = "nothing-passes" if traces else "not-measured"
        return Purposes(traces, None, None, None, None, None, None, "undefined", form_only, rejects, state)
    last, straight = abs(log(passed / first)), abs(log(int(form.sum()) / traces))
    upper, standing = _upper([(both, alignment), (form, judged)], level)
    return Purposes(
        traces=traces,
        total=abs(log(passed / traces)),
        alignment=abs(log(first / traces)),
        form=last,
        form_low=min(last, straight),
        form_high=max(last, straight),
        form_upper=upper,
        standing=standing,
        form_only=form_only,
        rejects=rejects,
        state="ok",
    )


def _upper(rates: list[tuple[Counts, Counts]], level: float) -> tuple[float | None, Standing]:
    """The larger of the upper bounds: it holds for the larger truth, since that one's own bound does."""
    found = [clustered_wilson(hits[trials > 0], trials[trials > 0], level, sided=1) for hits, trials in rates]
    standing = min((one.standing for one in found), key=ORDER.index)
    lows = [one.low for one in found if one.low is not None]
    return (max(-log(low) for low in lows) if len(lows) == len(found) else None), standing

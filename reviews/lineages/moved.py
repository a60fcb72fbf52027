"""Which figures moved: all that was measured of a checkpoint, held against its parent and its control, one by one.

A figure sees what it counts and nothing else, so one that rose says nothing of one that was not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reviews.lineages import probed
from reviews.lineages.probed import Results
from reviews.measures import monitoring
from reviews.measures.monitoring import YES, Codes, Difference
from reviews.models import Checkpoint, Measurement, Probe

Way = Literal["worse", "better", "rose", "fell", "open"]
HIGHER, LOWER = "higher", "lower"
# Which way is the better one; of other keys it is only said that they rose or fell.
BETTER = {
    "acceptance": HIGHER,
    "accuracy": HIGHER,
    "load-bearing-gap": HIGHER,
    "tamper-follow": HIGHER,
    "controllability": LOWER,
    "evaluation-awareness": LOWER,
    "sad-normalised": LOWER,
    "happened": LOWER,
    "undetected": LOWER,
    "recall": HIGHER,
    "right": HIGHER,
}

RATES = {"happened": "happened", "undetected": "undetected", "recall": "recall", "right": "correct"}


@dataclass(frozen=True)
class Held:
    """A figure of another checkpoint, and how this one differs; the difference is None where a side has no n."""

    other: Checkpoint
    value: float
    n: int | None
    difference: Difference | None
    way: Way


@dataclass(frozen=True)
class Figure:
    """One figure of a checkpoint, of a probe or measured; cells: for each other in order, None where that lacks it."""

    name: str
    probe: Probe | None
    value: float
    n: int | None
    cells: tuple[Held | None, ...]

    @property
    def last(self) -> Held | None:
        """Against the last of the others that has it: the control, where there is one."""
        return next((cell for cell in reversed(self.cells) if cell is not None), None)

    @property
    def way(self) -> Way:
        return self.last.way if self.last else "open"


def figures(results: Results, checkpoint: Checkpoint, others: Sequence[Checkpoint]) -> list[Figure]:
    """Each measurement and each rate of a probe that one of the others has too. others: the control last."""
    found = [*_measured(checkpoint, others)]
    for probe in results.probes:
        found += _of_probe(results, probe, checkpoint, others)
    return [one for one in found if any(one.cells)]


def way(name: str, difference: Difference | None) -> Way:
    """For certain where the interval leaves out 0; each end of it holds with 95 %."""
    if difference is None or difference.low <= 0 <= difference.high:
        return "open"
    rose = difference.low > 0
    wanted = BETTER.get(name)
    if wanted is None:
        return "rose" if rose else "fell"
    return "better" if rose == (wanted == HIGHER) else "worse"


def _measured(checkpoint: Checkpoint, others: Sequence[Checkpoint]) -> list[Figure]:
    keys = checkpoint.measurements.values_list("key", flat=True).order_by("key").distinct()
    found = []
    for key in keys:
        cells = [_held_measurement(key, probed.measured_facts(key, checkpoint, one), one) for one in others]
        mine = probed.newest(checkpoint, key)
        if mine is not None:
            found.append(Figure(key, None, mine.value, mine.n, tuple(cells)))
    return found


def _held_measurement(key: str, facts: probed.MeasuredFacts, other: Checkpoint) -> Held | None:
    theirs: Measurement | None = facts.control
    if theirs is None:
        return None
    return Held(other, theirs.value, theirs.n, facts.difference, way(key, facts.difference))


def _of_probe(
    results: Results, probe: Probe, checkpoint: Checkpoint, others: Sequence[Checkpoint]
) -> list[Figure]:
    mine = results.rates(probe, checkpoint)
    if mine is None:
        return []
    theirs = [results.rates(probe, one) for one in others]
    changes = [_changes(results, probe, checkpoint, one) for one in others]
    found = []
    for name, field in RATES.items():
        here = getattr(mine, field)
        if here.value is None:
            continue
        cells: list[Held | None] = []
        for other, rates, differences in zip(others, theirs, changes, strict=True):
            there = getattr(rates, field) if rates is not None else None
            if there is None or there.value is None:
                cells.append(None)
            else:
                change = differences.get(name)
                cells.append(Held(other, there.value, there.n, change, way(name, change)))
        found.append(Figure(name, probe, here.value, here.n, tuple(cells)))
    return found


def _changes(results: Results, probe: Probe, new: Checkpoint, old: Checkpoint) -> dict[str, Difference]:
    """New less old: paired by item where both were asked the same, recall always of two samples.

    What could not be read counts as no, on both sides.
    """
    mine, theirs = results.rates(probe, new), results.rates(probe, old)
    both = results.shared(probe, new, old)
    found = {}
    for name, field in RATES.items():
        here, there = getattr(mine, field, None), getattr(theirs, field, None)
        if here is None or there is None or here.value is None or there.value is None:
            continue
        if both is None or name == "recall":
            hits = [round(one.value * one.n) for one in (here, there)]
            found[name] = monitoring.two_sample_difference(hits[0], here.n, hits[1], there.n)
        else:
            after, before = (_happened(name, *columns) == YES for columns in both)
            found[name] = monitoring.paired_difference(after, before)
    return found


def _happened(name: str, behaviour: Codes, flag: Codes, undetected: Codes, correct: Codes) -> Codes:
    if name == "undetected":
        return monitoring.missed(behaviour, flag, undetected)
    return behaviour if name == "happened" else correct

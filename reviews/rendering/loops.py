"""Where a sampler got stuck: steps that repeat over and over, so that the repeats can be folded away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_PERIOD = 8
FEWEST_REPEATS = 3


@dataclass(frozen=True)
class Loop:
    """Steps that only repeat: `first` to `last` (numbers from 1, both included) may be folded.

    They say `times` times what the `period` steps before `first` have said once.
    """

    first: int
    last: int
    period: int
    times: int


def find(texts: Sequence[str]) -> list[Loop]:
    """The loops of a trace, in order and apart from each other; white space is folded before two steps are compared.

    Where loops could overlap, the one that starts first counts, and of two that start together the shorter period.
    """
    keys = [" ".join(text.split()) for text in texts]
    alike = [_alike_from(keys, period) for period in range(1, LONGEST_PERIOD + 1)]
    found: list[Loop] = []
    index = settled = 0
    while index < len(keys):
        loop = _loop_at(index, settled, alike)
        if loop:
            found.append(loop)
            index = settled = loop.last
        else:
            index += 1
    return found


def _alike_from(keys: Sequence[str], period: int) -> list[int]:
    """For each step, how many in a row from it on equal the one `period` before."""
    alike = [0] * (len(keys) + 1)
    for index in range(len(keys) - 1, period - 1, -1):
        alike[index] = alike[index + 1] + 1 if keys[index] == keys[index - period] else 0
    return alike


def _loop_at(index: int, settled: int, alike: Sequence[Sequence[int]]) -> Loop | None:
    for period, row in enumerate(alike, start=1):
        times = row[index] // period
        if times >= FEWEST_REPEATS and index - period >= settled:
            return Loop(index + 1, index + times * period, period, times)
    return None

"""Scales: from a value to its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, with a few ticks; `marked` is the value that others are held against."""

    low: float
    high: float
    ticks: tuple[float, ...]
    marked: float | None = None
    percent: bool = False

    def part(self, value: float) -> float:
        """Where a value stands, 0 at the low end and 1 at the high one."""
        return (value - self.low) / (self.high - self.low)

    def clip(self, value: float) -> float:
        return min(max(value, self.low), self.high)

    def say(self, tick: float) -> str:
        return (f"{100 * tick:g} %" if self.percent else f"{tick:g}").replace("-", "−")


SHARES = Axis(0, 1, (0, 0.25, 0.5, 0.75, 1), percent=True)
COEFFICIENTS = Axis(-0.2, 1, (0, 0.25, 0.5, 0.75, 1), marked=0)

"""The prompt strip: one bar a prompt, as high as it is accepted, as wide as the tokens that it sends out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reviews.pictures import svg

HEIGHT = 190.0
TOP, FOOT = 12.0, 26.0
LEFT = 0.055  # of the width, for the ticks
NARROWEST = (
    0.35  # of what an equal share of the width would be: a prompt that sends nothing out is still seen
)
MOST_BARS = 1200  # beyond it neighbours of equal rate share a bar


@dataclass(frozen=True)
class Bar:
    """rate: accepted of sampled, 0 to 1. weight: tokens that go out; 0: it sends nothing. n: prompts in it."""

    rate: float
    weight: float
    n: int = 1


def draw(bars: Sequence[Bar], line: float, said: str, title: str, description: str) -> str:
    """The strip as SVG. bars: in order of rate. line: the rate of admission. said: the words at the foot."""
    root = svg.picture(HEIGHT, title, description, "strip")
    field = HEIGHT - TOP - FOOT

    def down(rate: float) -> float:
        return TOP + field * (1 - rate)

    for tick in (0.0, 0.5, 1.0):
        if abs(tick - line) > 0.08:
            svg.words(root, f"{100 * tick:g}", svg.share(LEFT - 0.008), down(tick) + 4, "tick", "end")
    svg.words(root, f"{100 * line:g}", svg.share(LEFT - 0.008), down(line) + 4, "admission", "end")
    plane = svg.plane(root, LEFT, 1, TOP, field)
    svg.add(plane, "line", {"x1": 0, "x2": 100, "y1": 100, "y2": 100, "class": "axis"})
    shown = _fewer(bars)
    widths = _widths(shown)
    x = 0.0
    for bar, width in zip(shown, widths, strict=True):
        gap = min(0.25, 0.18 * width)
        height = max(1.0, 100 * bar.rate)
        kind = "out" if bar.weight > 0 else "not"
        svg.add(
            plane, "rect", {"x": x, "width": width - gap, "y": 100 - height, "height": height, "class": kind}
        )
        x += width
    y = 100 * (1 - line)
    svg.add(plane, "line", {"x1": 0, "x2": 100, "y1": y, "y2": y, "class": "admitted-from"})
    svg.words(root, said, svg.share(LEFT), HEIGHT - 6, "said")
    return svg.written(root)


def _widths(bars: Sequence[Bar]) -> list[float]:
    """In hundredths of the field: in proportion to the weights, none narrower than NARROWEST of an equal share."""
    prompts, weight = sum(bar.n for bar in bars), sum(bar.weight for bar in bars)
    if not bars:
        return []
    least = [100 * NARROWEST * bar.n / prompts for bar in bars]
    rest = 100 - sum(least) if weight else 0.0
    found = [
        low + (rest * bar.weight / weight if weight else 0.0) for low, bar in zip(least, bars, strict=True)
    ]
    scale = 100 / sum(found)
    return [width * scale for width in found]


def _fewer(bars: Sequence[Bar]) -> list[Bar]:
    """At most MOST_BARS: neighbours go into one bar with their mean rate."""
    if len(bars) <= MOST_BARS:
        return list(bars)
    size = -(-len(bars) // MOST_BARS)
    groups = [bars[start : start + size] for start in range(0, len(bars), size)]
    return [
        Bar(
            sum(bar.rate * bar.n for bar in group) / sum(bar.n for bar in group),
            sum(bar.weight for bar in group),
            sum(bar.n for bar in group),
        )
        for group in groups
    ]

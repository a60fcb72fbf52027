"""The forest plot: one line a group, a point for the value and a bar for its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from reviews.pictures import svg
from reviews.pictures.axes import Axis

ROW = 52.0  # pixels: the words above, the bar beneath
BAR = 30.0
FOOT = 26.0
INSET = 0.012  # of the width, so that a point at either end is whole


@dataclass(frozen=True)
class ForestRow:
    """A group: its name, its value with the interval's ends (None where there is none), and what stands at the right."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    said: str
    kind: str = ""  # "whole" for the row of all, "out" for one that an alarm names


def draw(rows: Sequence[ForestRow], axis: Axis, title: str, description: str) -> str:
    """The plot as SVG; `axis.marked` is drawn as the line that values are held against."""
    height = ROW * len(rows) + FOOT
    root = svg.picture(height, title, description, "forest")
    for tick in axis.ticks:
        x = svg.share(_across(axis, tick))
        svg.add(root, "line", {"x1": x, "x2": x, "y1": 0, "y2": height - FOOT + 4, "class": "grid"})
        at = _across(axis, tick)
        anchor = "start" if at < 0.05 else "end" if at > 0.95 else "middle"
        svg.words(root, axis.say(tick), x, height - 8, "tick", anchor)
    if axis.marked is not None:
        x = svg.share(_across(axis, axis.marked))
        svg.add(root, "line", {"x1": x, "x2": x, "y1": 0, "y2": height - FOOT + 4, "class": "marked"})
    for number, row in enumerate(rows):
        _row(root, row, axis, ROW * number)
    return svg.written(root)


def _row(root: Element, row: ForestRow, axis: Axis, top: float) -> None:
    group = svg.add(root, "g", {"class": f"row {row.kind}".strip()})
    svg.words(group, row.name, 0, top + 17, "name")
    svg.words(group, row.said, "100%", top + 17, "said", "end")
    middle = top + BAR
    if row.low is not None and row.high is not None:
        low, high = axis.clip(row.low), axis.clip(row.high)
        svg.add(
            group,
            "line",
            {
                "x1": svg.share(_across(axis, low)),
                "x2": svg.share(_across(axis, high)),
                "y1": middle,
                "y2": middle,
                "class": "interval",
            },
        )
    if row.value is not None:
        x = svg.share(_across(axis, axis.clip(row.value)))
        svg.add(group, "circle", {"cx": x, "cy": middle, "r": 4.5, "class": "point"})


def _across(axis: Axis, value: float) -> float:
    return INSET + (1 - 2 * INSET) * axis.part(value)

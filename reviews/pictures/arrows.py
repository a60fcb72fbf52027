"""The arrow plot: what happened against what of it the monitor showed, from a parent to its children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, degrees, hypot
from xml.etree.ElementTree import Element

from reviews.pictures import svg

SIDE = 260.0
LEFT, TOP, FOOT = 46.0, 10.0, 44.0
RIGHT = 14.0
HEAD = 9.0
DOT = 9.0


@dataclass(frozen=True)
class Point:
    """A checkpoint: its number in the legend, its two rates, the half axes of its ellipse, and its parent's place.

    kind: selected, random-control or outcome-only; nothing for others.
    """

    number: int
    x: float
    y: float
    first: tuple[float, float]
    second: tuple[float, float]
    parent: int | None = None
    kind: str = ""


def draw(points: Sequence[Point], x_said: str, y_said: str, title: str, description: str) -> str:
    """Both axes from 0 to 100 of 100. On the dashed diagonal all that happened was shown."""
    root = svg.picture(TOP + SIDE + FOOT, title, description, "arrows")
    root.set("width", str(round(LEFT + SIDE + RIGHT)))
    for tick in (0, 25, 50, 75, 100):
        x, y = _at(tick / 100, tick / 100)
        svg.add(root, "line", {"x1": x, "x2": x, "y1": TOP, "y2": TOP + SIDE, "class": "grid"})
        svg.add(root, "line", {"x1": LEFT, "x2": LEFT + SIDE, "y1": y, "y2": y, "class": "grid"})
        svg.words(root, str(tick), x, TOP + SIDE + 15, "tick", "middle")
        svg.words(root, str(tick), LEFT - 7, y + 4, "tick", "end")
    (left, low), (right, high) = _at(0, 0), _at(1, 1)
    svg.add(root, "line", {"x1": left, "y1": low, "x2": right, "y2": high, "class": "marked"})
    svg.words(root, x_said, LEFT + SIDE / 2, TOP + SIDE + 34, "tick", "middle")
    aside = svg.words(root, y_said, 0, 0, "tick", "middle")
    aside.set("transform", f"translate(12 {TOP + SIDE / 2:g}) rotate(-90)")
    frame = svg.add(root, "svg", {"x": LEFT, "y": TOP, "width": SIDE, "height": SIDE, "class": "frame"})
    for point in points:
        _ellipse(frame, point)
    for point in points:
        if point.parent is not None:
            _arrow(root, points[point.parent], point)
    for point in points:
        x, y = _at(point.x, point.y)
        dot = svg.add(root, "g", {"class": f"dot {point.kind}".strip()})
        svg.add(dot, "circle", {"cx": x, "cy": y, "r": DOT})
        svg.words(dot, str(point.number), x, y + 4, "in", "middle")
    return svg.written(root)


def _ellipse(frame: Element, point: Point) -> None:
    x, y = _at(point.x, point.y)
    turned = degrees(atan2(-point.first[1], point.first[0]))
    svg.add(
        frame,
        "ellipse",
        {
            "rx": max(SIDE * hypot(*point.first), 1),
            "ry": max(SIDE * hypot(*point.second), 1),
            "transform": f"translate({x - LEFT:.2f} {y - TOP:.2f}) rotate({turned:.2f})",
            "class": f"region {point.kind}".strip(),
        },
    )


def _arrow(root: Element, start: Point, end: Point) -> None:
    """From the rim of one dot to the rim of the other; nothing where the two nearly touch."""
    (x, y), (to_x, to_y) = _at(start.x, start.y), _at(end.x, end.y)
    length = hypot(to_x - x, to_y - y)
    if length < 2 * DOT + 2:
        return
    along, across = (to_x - x) / length, (to_y - y) / length
    from_x, from_y = x + along * DOT, y + across * DOT
    tip_x, tip_y = to_x - along * (DOT + 1), to_y - across * (DOT + 1)
    base_x, base_y = tip_x - along * HEAD, tip_y - across * HEAD
    kind = f"arrow {end.kind}".strip()
    group = svg.add(root, "g", {"class": kind})
    if length > 2 * DOT + HEAD + 2:
        svg.add(group, "line", {"x1": from_x, "y1": from_y, "x2": base_x, "y2": base_y})
    wing_x, wing_y = -across * HEAD / 2.4, along * HEAD / 2.4
    corners = [
        (tip_x, tip_y),
        (base_x + wing_x, base_y + wing_y),
        (base_x - wing_x, base_y - wing_y),
    ]
    svg.add(group, "polygon", {"points": " ".join(f"{a:.2f},{b:.2f}" for a, b in corners)})


def _at(x: float, y: float) -> tuple[float, float]:
    return LEFT + SIDE * x, TOP + SIDE * (1 - y)

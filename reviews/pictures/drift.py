"""A sum over time against its alarm line: the CUSUM chart of one reader."""

from __future__ import annotations

from collections.abc import Sequence

from reviews.pictures import svg

HEIGHT = 120.0
TOP = 8.0
FOOT = 22.0


def draw(sums: Sequence[float], alarm: float, said: str, title: str, description: str) -> str:
    """The sums in their order from left to right, the alarm line across, and under it how many they are."""
    root = svg.picture(HEIGHT, title, description, "drift")
    high = 1.15 * max(alarm, max(sums, default=0.0))
    field = HEIGHT - TOP - FOOT

    def down(value: float) -> float:
        return 100 * (1 - value / high)

    plane = svg.plane(root, 0, 1, TOP, field)
    svg.add(plane, "line", {"x1": 0, "x2": 100, "y1": 100, "y2": 100, "class": "grid"})
    svg.add(plane, "line", {"x1": 0, "x2": 100, "y1": down(alarm), "y2": down(alarm), "class": "alarm"})
    if sums:
        step = 100 / len(sums)
        points = " ".join(f"{step * (number + 1):.2f},{down(value):.2f}" for number, value in enumerate(sums))
        svg.add(plane, "polyline", {"points": f"0,100 {points}", "class": "path"})
    svg.words(root, said, 0, HEIGHT - 6, "tick")
    svg.words(root, f"h {alarm:.2f}", "100%", TOP + field * down(alarm) / 100 - 4, "tick", "end")
    return svg.written(root)

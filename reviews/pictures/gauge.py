"""A figure against its lines: where it warns, where it blocks, and how far it may reach."""

from __future__ import annotations

from reviews.pictures import svg

HEIGHT = 14.0


def draw(
    value: float | None,
    low: float | None,
    high: float | None,
    warn: float | None,
    block: float | None,
    *,
    floor: bool = False,
) -> str:
    """The gauge as SVG, without words: they stand beside it. floor: the figure must reach its lines, not stay below."""
    lines = [line for line in (warn, block) if line is not None]
    ends = [number for number in (value, low, high) if number is not None]
    top = 1.35 * max([*lines, *ends, 1e-9])
    root = svg.silent(HEIGHT, "gauge")
    svg.add(root, "rect", {"x": 0, "width": "100%", "y": 3, "height": 8, "rx": 4, "class": "track"})
    for kind, start, end in _zones(warn, block, top, floor):
        svg.add(
            root,
            "rect",
            {
                "x": svg.share(start / top),
                "width": svg.share((end - start) / top),
                "y": 3,
                "height": 8,
                "class": kind,
            },
        )
    if ends:
        left, right = min(ends), max(ends)
        svg.add(
            root,
            "line",
            {"x1": svg.share(left / top), "x2": svg.share(right / top), "y1": 7, "y2": 7, "class": "reach"},
        )
    if value is not None:
        svg.add(root, "circle", {"cx": svg.share(max(0.0, value) / top), "cy": 7, "r": 3.5, "class": "point"})
    return svg.written(root)


def _zones(
    warn: float | None, block: float | None, top: float, floor: bool
) -> list[tuple[str, float, float]]:
    if floor:
        first = block or 0.0
        return [("blocks", 0.0, first), ("warns", first, max(first, warn if warn is not None else first))]
    last = block if block is not None else top
    start = warn if warn is not None else last
    return [("warns", start, max(start, last)), ("blocks", last, top)]

"""A matrix of shares as squares, darker for more; every number stands in its square."""

from __future__ import annotations

from collections.abc import Sequence

from reviews.pictures import svg

SQUARE = 44.0
NAMES = 0.22  # of the width, for the names of the rows
HEAD = 24.0
SHADES = 6


def draw(
    rows: Sequence[str],
    columns: Sequence[str],
    shares: Sequence[Sequence[float | None]],
    written: Sequence[Sequence[str]],
    title: str,
    description: str,
) -> str:
    """shares: 0 to 1 for each row and column, None where nothing was measured; written: what each square says."""
    root = svg.picture(HEAD + SQUARE * len(rows), title, description, "matrix")
    width = (1 - NAMES) / max(len(columns), 1)
    for across, name in enumerate(columns):
        svg.words(root, name, svg.share(NAMES + width * (across + 0.5)), 15, "tick", "middle")
    for down, name in enumerate(rows):
        top = HEAD + SQUARE * down
        svg.words(root, name, 0, top + SQUARE / 2 + 4, "name")
        for across in range(len(columns)):
            found = shares[down][across]
            shade = "none" if found is None else str(min(int(found * SHADES), SHADES - 1))
            square: dict[str, str | float] = {
                "x": svg.share(NAMES + width * across),
                "width": svg.share(width),
                "y": top,
                "height": SQUARE - 2,
                "class": f"square shade-{shade}",
            }
            svg.add(root, "rect", square)
            middle = svg.share(NAMES + width * (across + 0.5))
            svg.words(
                root, written[down][across], middle, top + SQUARE / 2 + 4, f"in shade-{shade}", "middle"
            )
    return svg.written(root)

"""The waterfall of nats: terms that add up to the total, one under the other, each beginning where the last ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reviews.pictures import svg

ROW = 34.0
BAR = 12.0
FOOT = 4.0


@dataclass(frozen=True)
class Term:
    """name and said stand above the bar; kind "total" begins at 0."""

    name: str
    value: float
    said: str
    kind: str = ""


def draw(terms: Sequence[Term], title: str, description: str) -> str:
    """The waterfall as SVG. A negative term goes back to the left."""
    root = svg.picture(ROW * len(terms) + FOOT, title, description, "waterfall")
    reach, at = [0.0], 0.0
    for term in terms:
        at = term.value if term.kind == "total" else at + term.value
        reach.append(at)
    least, most = min(reach), max([*reach, 1e-9])
    span = most - least

    def across(value: float) -> float:
        return 0.004 + 0.992 * (value - least) / span

    at = 0.0
    for number, term in enumerate(terms):
        start, end = (0.0, term.value) if term.kind == "total" else (at, at + term.value)
        top = ROW * number
        svg.words(root, term.name, 0, top + 13, "name")
        svg.words(root, term.said, "100%", top + 13, "said", "end")
        left, right = sorted((across(start), across(end)))
        svg.add(
            root,
            "rect",
            {
                "x": svg.share(left),
                "width": svg.share(max(0.002, right - left)),
                "y": top + 18,
                "height": BAR - 2,
                "rx": 2,
                "class": f"term {term.kind}".strip(),
            },
        )
        at = end
    return svg.written(root)

"""The lineage: checkpoints as a tree from left to right, each with what it has received as a thermometer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from reviews.pictures import svg

COLUMN = 268.0
WIDE = 200.0  # of a node
HIGH = 96.0
ROW = 112.0
INSET = 10.0
LEAST_COLUMNS = 2


@dataclass(frozen=True)
class TreeNode:
    """A checkpoint: where it leads, two lines about it, its dose, and the place of its parent in the list.

    filled: the dose as a share of the budget, None where nothing at all is known of it. unknown: part of it is.
    edge: what stands on the line from its parent.
    """

    name: str
    href: str
    lines: tuple[str, ...]
    dose: str
    filled: float | None
    unknown: bool = False
    over: bool = False
    parent: int | None = None
    edge: str = ""


def draw(nodes: Sequence[TreeNode], warn_at: float, title: str, description: str) -> str:
    """The tree; a parent stands before its children in `nodes`. warn_at: where on the thermometer the policy warns.

    As wide as it has to be, in pixels: the page lets it scroll sideways.
    """
    places = _places(nodes)
    columns = max((column for column, _row in places), default=0) + 1
    rows = max((row for _column, row in places), default=0) + 1
    root = svg.picture(ROW * rows, title, description, "lineage")
    root.set("role", "group")  # its nodes are links, which an image may not hold
    root.set("width", str(round(COLUMN * (max(columns, LEAST_COLUMNS) - 1) + WIDE + 2 * INSET)))
    for node, place in zip(nodes, places, strict=True):
        if node.parent is not None:
            _edge(root, node, places[node.parent], place)
    for node, place in zip(nodes, places, strict=True):
        _node(root, node, place, warn_at)
    return svg.written(root)


def _places(nodes: Sequence[TreeNode]) -> list[tuple[int, int]]:
    """Column by depth; a first child keeps its parent's row, the others begin rows of their own."""
    children: dict[int | None, list[int]] = {}
    for place, node in enumerate(nodes):
        children.setdefault(node.parent, []).append(place)
    found: dict[int, tuple[int, int]] = {}
    free = 0
    waiting = [(place, 0) for place in reversed(children.get(None, []))]
    continued: set[int] = set()
    row = 0
    while waiting:
        place, column = waiting.pop()
        parent = nodes[place].parent
        if parent is not None and parent not in continued:
            continued.add(parent)
            row = found[parent][1]
        else:
            row, free = free, free + 1
        found[place] = (column, row)
        waiting += [(child, column + 1) for child in reversed(children.get(place, []))]
    return [found[place] for place in range(len(nodes))]


def _node(root: Element, node: TreeNode, place: tuple[int, int], warn_at: float) -> None:
    left, top = _corner(place)
    kind = " ".join(
        word for word, said in (("node", True), ("unknown", node.unknown), ("over", node.over)) if said
    )
    link = svg.add(root, "a", {"href": node.href, "class": kind})
    svg.add(link, "rect", {"x": left, "y": top, "width": WIDE, "height": HIGH, "rx": 6, "class": "box"})
    svg.words(link, _cut(node.name, 24), left + 12, top + 21, "name")
    for number, line in enumerate(node.lines[:2]):
        svg.words(link, _cut(line, 34), left + 12, top + 38 + 14 * number, "tick")
    inside = WIDE - 24
    bar: dict[str, str | float] = {"x": left + 12, "y": top + 60, "height": 8, "rx": 4}
    svg.add(link, "rect", {**bar, "width": inside, "class": "glass"})
    if node.filled:
        filled = max(8.0, inside * min(node.filled, 1))
        svg.add(link, "rect", {**bar, "width": filled, "class": "mercury"})
    x = left + 12 + inside * warn_at
    svg.add(link, "line", {"x1": x, "x2": x, "y1": top + 57, "y2": top + 71, "class": "marked"})
    svg.words(link, node.dose, left + 12, top + 85, "said")


def _edge(root: Element, node: TreeNode, parent: tuple[int, int], child: tuple[int, int]) -> None:
    (left, top), (right, end) = _corner(parent), _corner(child)
    from_x, from_y, to_y = left + WIDE, top + HIGH / 2, end + HIGH / 2
    middle = from_x + 22
    path = f"M{from_x:g} {from_y:g}H{middle:g}V{to_y:g}H{right:g}"
    svg.add(root, "path", {"d": path, "class": "edge"})
    if node.edge:
        svg.words(root, _cut(node.edge, 10), right - 5, to_y - 6, "tick", "end")


def _corner(place: tuple[int, int]) -> tuple[float, float]:
    return INSET + COLUMN * place[0], ROW * place[1] + (ROW - HIGH) / 2


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

"""SVG elements. Widths are shares of the page's width, so that a narrow screen bends the picture and not its words."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element


def picture(height: float, title: str, description: str, kind: str) -> Element:
    """An empty picture `height` pixels high and as wide as its place; title and description are what is read aloud."""
    root = Element(
        "svg",
        {
            "class": f"picture {kind}",
            "width": "100%",
            "height": _plain(height),
            "role": "img",
            "aria-label": _printable(title),
        },
    )
    for name, words in (("title", title), ("desc", description)):
        add(root, name, {}).text = _printable(words)
    return root


def silent(height: float, kind: str) -> Element:
    """A picture that says nothing of its own: what stands beside it says it, so it is not read aloud."""
    return Element(
        "svg",
        {"class": f"picture {kind}", "width": "100%", "height": _plain(height), "aria-hidden": "true"},
    )


def add(parent: Element, name: str, attributes: Mapping[str, str | float]) -> Element:
    """A child element. Numbers stand in pixels; what is a share of the width is written by `share`."""
    written = {key: value if isinstance(value, str) else _plain(value) for key, value in attributes.items()}
    child = ElementTree.SubElement(parent, name, written)
    return child


def words(
    parent: Element, text: str, x: str | float, y: float, kind: str = "", anchor: str = "start"
) -> Element:
    """A line of text whose baseline is at y; `anchor` is start, middle or end."""
    made = add(parent, "text", {"x": x, "y": y, "class": kind, "text-anchor": anchor})
    made.text = _printable(text)
    return made


def share(of_width: float) -> str:
    """A share of the picture's width, 0 to 1, as SVG writes it."""
    return f"{_plain(100 * of_width)}%"


def plane(parent: Element, left: float, right: float, top: float, height: float) -> Element:
    """A part of the picture with coordinates of its own, 0 to 100 to the right and down; lines keep their width."""
    return add(
        parent,
        "svg",
        {
            "x": share(left),
            "width": share(right - left),
            "y": top,
            "height": height,
            "viewBox": "0 0 100 100",
            "preserveAspectRatio": "none",
        },
    )


def written(root: Element) -> str:
    """The picture as text, every word escaped."""
    return ElementTree.tostring(root, encoding="unicode")


def _plain(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _printable(text: str) -> str:
    """Names come from files: what XML cannot hold gives way to a sign."""
    return "".join(
        sign if sign >= " " and sign not in "\ufffe\uffff" and not "\ud800" <= sign <= "\udfff" else "\ufffd"
        for sign in text
    )

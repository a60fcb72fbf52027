"""MathML written from an element tree: the tags and attributes on our list, and all of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from reviews.rendering import escaping

_REFERENCE = re.compile(r"&#x([0-9A-Fa-f]{1,6});")
_LENGTH = re.compile(
    r"-?0?\.[012]\d{0,3}em|[0-2](?:\.\d{1,4})?(?:em|pt|ex)|0?\.\d{1,4}(?:em|pt|ex)|[0-9]pt|0"
)
_LENGTHS = re.compile(r"(?:[0-3]?(?:\.\d{1,4})?(?:em|pt|ex)\s?){1,40}")
_YES = re.compile("true|false")
_ALIGNMENTS = re.compile(r"(?:(?:left|right|center)\s?){1,40}")
_LINES = re.compile(r"(?:(?:none|solid|dashed)\s?){1,40}")

TAGS: dict[str, dict[str, re.Pattern[str]]] = {
    "math": {"display": re.compile("inline|block")},
    "mi": {"mathvariant": re.compile(r"[a-z]{1,10}(?:-[a-z]{1,12}){0,3}")},
    "mn": {"mathvariant": re.compile(r"[a-z]{1,10}(?:-[a-z]{1,12}){0,3}")},
    "mo": {
        **dict.fromkeys(
            ("accent", "fence", "largeop", "movablelimits", "separator", "stretchy", "symmetric"), _YES
        ),
        **dict.fromkeys(("lspace", "rspace", "minsize", "maxsize"), _LENGTH),
        "form": re.compile("prefix|infix|postfix"),
    },
    "mspace": {"width": _LENGTH},
    "mstyle": {"displaystyle": _YES, "scriptlevel": re.compile(r"[0-3]")},
    "mfrac": {"linethickness": re.compile(r"0|[1-3](?:px|pt)")},
    "mover": {"accent": _YES},
    "munder": {"accentunder": _YES},
    "munderover": {"accent": _YES, "accentunder": _YES},
    "mtable": {
        "columnalign": _ALIGNMENTS,
        "columnspacing": _LENGTHS,
        "rowspacing": _LENGTHS,
        "columnlines": _LINES,
        "rowlines": _LINES,
        "displaystyle": _YES,
    },
    "mtd": {"columnalign": _ALIGNMENTS},
    **{tag: {} for tag in ("mrow", "mtext", "msup", "msub", "msubsup", "msqrt", "mroot", "mtr")},
}
_HOLD_TEXT = ("mi", "mn", "mo", "mtext")
ENCLOSED = {
    "box": "boxed",
    "horizontalstrike": "struck",
    "updiagonalstrike": "struck",
    "downdiagonalstrike": "struck",
}


def write(element: Element) -> str:
    """A `<math>` element as HTML, spelled as nh3 would spell it."""
    return "".join(_written(element))


def text(element: Element) -> str:
    """All that a reader gets to see of an element."""
    return _resolved("".join(element.itertext()))


def _written(element: Element) -> Iterator[str]:
    """An element and all in it, as nh3 would spell it. What is not known gives way to what it holds."""
    tag, attributes = _kept(element)
    if tag:
        yield f"<{tag}{attributes}>"
    if tag in _HOLD_TEXT:  # and only text: a parser takes elements in them for HTML
        yield escaping.text(text(element))
    else:
        yield escaping.text(_resolved(element.text or ""))
        for child in element:
            yield from _written(child)
    if tag:
        yield f"</{tag}>"


def _resolved(text: str) -> str:
    """The converter writes symbols as references."""
    return _REFERENCE.sub(lambda found: chr(int(found[1], 16)), text)


def _kept(element: Element) -> tuple[str, str]:
    if element.tag == "menclose":
        kind = ENCLOSED.get(element.get("notation", "").split(" ")[0])
        return "mrow", f' class="{kind}"' if kind else ""
    rules = TAGS.get(element.tag)
    if rules is None:
        return "", ""
    kept = [
        f' {name}="{value}"'
        for name, value in element.attrib.items()
        if name in rules and rules[name].fullmatch(value)
    ]
    return element.tag, "".join(kept)

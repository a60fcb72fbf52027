"""The last gate: nothing leaves that is not on this list, whatever was written before."""

from __future__ import annotations

import nh3

from reviews.rendering import highlighting, mathml

_TAGS = "blockquote code div em hr li ol p pre s span strong table tbody td th thead tr ul"
_SPANS = "math display tex unseen language line cut token space"
TAGS = {*_TAGS.split(), *mathml.TAGS}

ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),  # without this line nh3 lets `title` and `lang` through
    "span": {"data-at", "data-to", "data-name", "data-chars"},
    "hr": {"data-at", "data-to"},
    "p": {"data-level"},
    "li": {"value"},
    "ol": {"data-mark"},
    "ul": {"data-mark"},
    "th": {"data-align"},
    "td": {"data-align"},
    **{tag: set(rules) for tag, rules in mathml.TAGS.items()},
}

CLASSES: dict[str, set[str]] = {
    "span": {*_SPANS.split(), *highlighting.CLASSES},
    "p": {"heading"},
    "div": {"plain"},
    "pre": {"code"},
    "mrow": set(mathml.ENCLOSED.values()),
}

_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    allowed_classes=CLASSES,
    clean_content_tags={"script", "style"},
    url_schemes=set(),
    link_rel=None,
)


def clean(html: str) -> str:
    """The fragment without anything that is not on the list. What this package writes comes out as it went in."""
    return _CLEANER.clean(html).replace("\r", "&#13;")  # nh3 writes a bare CR, which would be read as LF

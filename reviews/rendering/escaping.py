"""Text as HTML that a parser reads back as exactly that text."""

from __future__ import annotations

from html import escape


def text(sampled: str) -> str:
    """Sampled text as a text node, spelled as nh3 spells it. It must not hold a NUL, which HTML cannot."""
    # A bare CR would be read as LF, and shift every offset behind it.
    return escape(sampled, quote=False).replace("\xa0", "&nbsp;").replace("\r", "&#13;")


def attribute(value: str) -> str:
    """A value between double quotes."""
    return escape(value, quote=True)

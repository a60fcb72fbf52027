"""Which way a text runs, told once by us: with `dir="auto"` the browser looks again at each piece that it reads in."""

from __future__ import annotations

import unicodedata
from typing import Literal

LOOKED_AT = 10_000

Direction = Literal["ltr", "rtl"]


def of(text: str) -> Direction:
    """The direction of the first strong character, as HTML's `dir="auto"` finds it, among the first 10,000."""
    for character in text[:LOOKED_AT]:
        kind = unicodedata.bidirectional(character)
        if kind in ("R", "AL"):
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"

"""Puts a table that a script made into a page, between its marks."""

from __future__ import annotations

import sys
from pathlib import Path


def put(written: str, mark: str, page: Path | None) -> None:
    """To standard output, or between `<!-- mark -->` and `<!-- end of mark -->`. Raises ValueError without them."""
    if page is None:
        sys.stdout.write(written)
        return
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    before, found, rest = page.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} has no {begin} … {end}")
    page.write_text(f"{before}{begin}\n\n{written}\n{end}{after}")

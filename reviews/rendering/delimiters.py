"""What ends a formula: known to who cuts a text into steps and to who typesets it, so that both cut alike."""

from __future__ import annotations

LONGEST_FORMULA = 2_000


def unescaped(text: str, closer: str, start: int, limit: int) -> int | None:
    """Where `closer` first stands in text[start:limit] without a backslash that takes its meaning away."""
    while (found := text.find(closer, start, limit)) >= 0:
        before = found
        while before > start and text[before - 1] == "\\":
            before -= 1
        if (found - before) % 2 == 0:
            return found
        start = found + 1
    return None

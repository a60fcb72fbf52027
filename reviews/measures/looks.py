"""Every configuration that was evaluated widens the bounds of the one that goes out (C3)."""

from __future__ import annotations

from reviews.measures.errors import UnfitData


def level(looks: int, base: float = 0.95) -> float:
    """The level of each bound after so many looks: 1 - (1 - base) / looks.

    looks: at least 1, the exported configuration included. Raises UnfitData below.
    Source: Bonferroni; Dunn 1961, JASA 56:52-64. Holds whatever the looks have in common.
    """
    if looks < 1:
        raise UnfitData("A level", f"{looks} looks.")
    return 1 - (1 - base) / looks

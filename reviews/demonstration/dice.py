"""Draws that are the same on every machine and in every Python: SHA-256 of a seed and a counter."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A stream of draws named by its seed; two dice with the same seed throw the same."""

    def __init__(self, *seed: object) -> None:
        self._seed = "/".join(str(part) for part in seed)
        self._thrown = 0

    def chance(self) -> float:
        """The next draw, from 0 up to but not including 1."""
        self._thrown += 1
        digest = hashlib.sha256(f"{self._seed}#{self._thrown}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48

    def below(self, limit: int) -> int:
        """A whole number from 0 to limit - 1."""
        return int(self.chance() * limit)

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[self.below(len(choices))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All items in an order of the dice's own."""
        rest = list(items)
        return [rest.pop(self.below(len(rest))) for _ in items]

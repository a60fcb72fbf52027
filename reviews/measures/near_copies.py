"""Near copies of a text by MinHash: which are worth looking at, and how alike two are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHINGLE = 8  # bytes of the evened-out text: a word and a half
BANDS, ROWS = 8, 8  # texts with a similarity of .9 share a band with .99, those of .5 with .03
LIKE = 0.85
AT_ONCE = 2000  # shingles: the table of hashes stays in the processor's cache

_HASHES = BANDS * ROWS
_GENERATOR = np.random.Generator(np.random.PCG64(24))  # fixed: stored bands must mean the same for ever
_FACTORS = _GENERATOR.integers(1, 2**63, _HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_SHIFTS = _GENERATOR.integers(0, 2**63, _HASHES, dtype=np.uint64)
_POWERS = np.array([pow(0x100000001B3, place, 2**64) for place in range(SHINGLE)], dtype=np.uint64)


def shingles(text: str) -> NDArray[np.uint64]:
    """The distinct hashes of every SHINGLE bytes in a row, sorted; a shorter text is one shingle. White space and case
    must be evened out before."""
    raw = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8).astype(np.uint64)
    if len(raw) < SHINGLE:
        raw = np.concatenate([raw, np.zeros(SHINGLE - len(raw), dtype=np.uint64)])
    places = len(raw) - SHINGLE + 1
    found = np.zeros(places, dtype=np.uint64)
    for place, power in enumerate(_POWERS):
        found += (raw[place : place + places] + np.uint64(1)) * power
    found ^= found >> np.uint64(29)
    found *= np.uint64(0xBF58476D1CE4E5B9)
    return np.unique(found ^ (found >> np.uint64(32)))


def bands(found: NDArray[np.uint64]) -> list[int]:
    """BANDS numbers, each of its own ROWS minima. Two texts of similarity s share one with 1 - (1 - s^ROWS)^BANDS.

    As signed 64-bit whole numbers, which both databases store.
    Source: Broder 1997, Compression and Complexity of Sequences, 21-29; Leskovec, Rajaraman & Ullman, Mining of Massive
    Datasets, 3.4.
    """
    minima = np.full(_HASHES, np.iinfo(np.uint64).max, dtype=np.uint64)
    for start in range(0, len(found), AT_ONCE):
        part = found[None, start : start + AT_ONCE] * _FACTORS[:, None] + _SHIFTS[:, None]
        np.minimum(minima, part.min(axis=1), out=minima)
    mixed = np.zeros(BANDS, dtype=np.uint64)
    for row in minima.reshape(BANDS, ROWS).T:
        mixed = (mixed ^ row) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(31)
    mixed += np.arange(BANDS, dtype=np.uint64)
    return [int(band) for band in mixed.astype(np.int64)]


def similarity(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """Jaccard: the share of all distinct shingles that both texts have, 0 to 1."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / (len(one) + len(other) - both)

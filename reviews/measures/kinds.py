"""How many kinds of prompt there seem to be, by their words: a look at what was declared as one domain (C19)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.cluster import hierarchy
from scipy.spatial import distance

from reviews.measures.domains import effective_number

Floats = NDArray[np.float64]

PROMPTS_FROM = 20  # fewer are as many kinds as one likes to see
AT_MOST = 1000  # prompts: all pairs are compared, half a million
CHARACTERS = 4000  # of each prompt
COMMON_FROM = 0.02  # of the prompts: a rarer word is a topic, and counts as its shape
ALIKE_FROM = 0.4  # mean cosine within a kind; calibrated on real files, docs/pressure.md
TOKEN = re.compile(r"\\?[^\W\d_]+|\d+|[^\w\s]|_+")


@dataclass(frozen=True)
class Kinds:
    """number: exp of the entropy of the kinds' shares, 1 where all prompts are alike; sizes: largest first.

    state: "ok", or "too-few" under 20 prompts, then number is None.
    """

    prompts: int
    number: float | None
    sizes: tuple[int, ...]
    state: Literal["ok", "too-few"]


def kinds(texts: Sequence[str]) -> Kinds:
    """Groups prompts whose common words, signs and shapes of words are alike. The same texts give the same groups.

    texts: at most AT_MOST, drawn at random where there are more. Topics are meant not to show: what is counted is how
    a prompt is put. Source: average linkage (Sokal & Michener 1958) of the cosine of 1 + ln(counts); Hill 1973 for the
    effective number.
    """
    if len(texts) < PROMPTS_FROM:
        return Kinds(len(texts), None, (), "too-few")
    rows = _rows([TOKEN.findall(text[:CHARACTERS]) for text in texts])
    apart = np.clip(1 - (rows @ rows.T).toarray(), 0, 2)
    np.fill_diagonal(apart, 0)
    joined = hierarchy.linkage(distance.squareform(apart, checks=False), "average")
    group = hierarchy.fcluster(joined, 1 - ALIKE_FROM, "distance")
    sizes = np.sort(np.bincount(group)[1:])[::-1]
    return Kinds(len(texts), effective_number(sizes.astype(np.float64)), tuple(sizes.tolist()), "ok")


def _rows(tokens: list[list[str]]) -> sparse.csr_matrix:
    """Shape (texts, words), each row of length 1; an empty text is like nothing."""
    held = Counter(word for row in tokens for word in {_even(token) for token in row})
    least = max(3, COMMON_FROM * len(tokens))
    common = {word for word, texts in held.items() if texts >= least}
    places: dict[str, int] = {}
    at: list[int] = []
    values: list[float] = []
    ends = [0]
    for row in tokens:
        for word, count in Counter(_seen(row, common)).items():
            at.append(places.setdefault(word, len(places)))
            values.append(1 + float(np.log(count)))
        ends.append(len(at))
    found = sparse.csr_matrix((values, at, ends), shape=(len(tokens), len(places)))
    length = np.sqrt(np.asarray(found.multiply(found).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1 / np.where(length > 0, length, 1)) @ found)


def _seen(row: Iterable[str], common: set[str]) -> Iterable[str]:
    for token in row:
        word = _even(token)
        yield word if word in common else _shape(token)


def _even(token: str) -> str:
    return "0" if token[0].isdigit() else token.lower()


def _shape(token: str) -> str:
    """What is left of a rare word: that it is one, how it begins, or the sign itself."""
    if token[0] == "\\" and len(token) > 1:
        return "a command"
    if not token[0].isalpha():
        return _even(token)
    return "A word" if token[0].isupper() else "a word"

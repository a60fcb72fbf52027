"""How chains look, and whether that decides: features of a text, derived once, and the confounders of a round."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reviews import drawing
from reviews.audit.rows import Reading
from reviews.measures.confounding import Beaten, predicted_auc, style_beyond_clauses
from reviews.models import Round, Style, Trace

VERSION = 1
AT_ONCE = 500
AT_MOST = 5000  # readings
NAMES = ("words", "sentences", "lines", "marks", "reading ease", "words of the spec")

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+(?:[.,]\d+)*")
SENTENCE = re.compile(r"[.!?…]+(?=\s|$)|\n\s*\n")
MARK = re.compile(r"^\s*(?:#{1,6}\s|[-*+]\s|\d+[.)]\s|>|```)|\*\*|__|`", re.MULTILINE)
VOWELS = re.compile(r"[aeiouyäöü]+", re.IGNORECASE)
SPEC = re.compile(
    r"\b(?:spec|specification|guidelines?|polic(?:y|ies)|rubric|instructions?|rules?)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Confounders:
    """clauses: how well style alone tells where each selecting clause is cited. beyond: C9 (a), on `doubles` traces."""

    clauses: dict[str, Beaten]
    beyond: Beaten
    doubles: int


def of_text(text: str) -> tuple[int, int, int, int, float, int]:
    """words, sentences, lines, Markdown marks, Flesch's reading ease (English syllables), words of the spec."""
    words = WORD.findall(text)
    sentences = max(1, len(SENTENCE.findall(text)))
    syllables = sum(max(1, len(VOWELS.findall(word))) for word in words)
    ease = 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words) if words else 0.0
    lines = text.count("\n") + 1
    return len(words), sentences, lines, len(MARK.findall(text)), ease, len(SPEC.findall(text))


def of_traces(traces: list[int]) -> dict[int, tuple[float, ...]]:
    """The features of these traces, worked out and kept where they are missing."""
    found: dict[int, tuple[float, ...]] = {}
    columns = ("words", "sentences", "lines", "marks", "reading_ease", "spec_words")
    for start in range(0, len(traces), AT_ONCE):
        part = traces[start : start + AT_ONCE]
        kept = Style.objects.filter(trace__in=part, version=VERSION).values_list("trace", *columns)
        known = {row[0]: row[1:] for row in kept}
        missing = (
            Trace.objects.filter(pk__in=set(part) - set(known)).select_related("reasoning").defer("meta")
        )
        fresh = {trace.pk: of_text(trace.reasoning.as_text) for trace in missing}
        Style.objects.bulk_create(
            [
                Style(trace_id=pk, version=VERSION, **dict(zip(columns, values, strict=True)))
                for pk, values in fresh.items()
            ],
            update_conflicts=True,
            unique_fields=["trace"],
            update_fields=["version", *columns],
        )
        found |= known | fresh
    return found


def measure(round: Round, readings: list[Reading]) -> Confounders:
    """The confounders of a round, from the readings that the audit counts; style on a logarithmic scale.

    Of a large round whole prompts are drawn by its seed, until AT_MOST readings are in: features cost a millisecond each.
    """
    readings = _drawn(round, readings)
    features = of_traces(sorted({one.trace for one in readings}))
    selecting = (
        [] if round.spec_version is None else [c.key for c in round.spec_version.clauses.all() if c.selects]
    )
    clauses: dict[str, Beaten] = {}
    if readings:
        prompts = _numbers([one.cluster for one in readings])
        matrix = _matrix([features[one.trace] for one in readings])
        for key in selecting:
            cited = np.array([key in one.fails for one in readings], dtype=np.bool_)
            if cited.any():
                clauses[key] = predicted_auc(matrix, cited, prompts)
    pairs = _doubles(round, readings)
    if not pairs:
        return Confounders(clauses, Beaten(None, None, 0, 0, "too-few-doubles"), 0)
    beyond = style_beyond_clauses(
        _matrix([features[one.trace] for one, _ in pairs]),
        np.array([[float(key in other.fails) for key in selecting] for _, other in pairs]).reshape(
            len(pairs), -1
        ),
        np.array([one.label == "accept" for one, _ in pairs], dtype=np.bool_),
        _numbers([one.cluster for one, _ in pairs]),
    )
    return Confounders(clauses, beyond, len(pairs))


def _drawn(round: Round, readings: list[Reading]) -> list[Reading]:
    if len(readings) <= AT_MOST:
        return readings
    of: dict[str, list[Reading]] = defaultdict(list)
    for one in readings:
        of[one.cluster].append(one)
    found: list[Reading] = []
    for cluster in sorted(of, key=lambda name: drawing.draw(round.seed, "style", bytes.fromhex(name))):
        if len(found) + len(of[cluster]) > AT_MOST:
            break
        found += of[cluster]
    return sorted(found, key=lambda one: (one.item_id, one.rater_id))


def _doubles(round: Round, readings: list[Reading]) -> list[tuple[Reading, Reading]]:
    """One pair a trace that the plan had read twice; the seed says whose verdict and whose clauses."""
    of: dict[str, list[Reading]] = defaultdict(list)
    for one in readings:
        if one.planned:
            of[one.item_id].append(one)
    found = []
    for item, both in sorted(of.items()):
        if len(both) >= 2:
            first = drawing.draw(round.seed, "doubles", bytes.fromhex(item)) < 0.5
            found.append((both[0], both[1]) if first else (both[1], both[0]))
    return found


def _matrix(features: list[tuple[float, ...]]) -> NDArray[np.float64]:
    found = np.array(features, dtype=np.float64)
    counts = [0, 1, 2, 3, 5]
    found[:, counts] = np.log1p(found[:, counts])
    return found


def _numbers(names: list[str]) -> NDArray[np.int64]:
    return np.asarray(np.unique(names, return_inverse=True)[1], dtype=np.int64).reshape(-1)

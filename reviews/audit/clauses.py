"""Clauses: which split readers, which are taken for one another, which only one reader cites."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from reviews.audit import figures
from reviews.audit.figures import NEVER_GIVEN, NOTHING, REJECT, Table
from reviews.audit.rows import Reading
from reviews.formats import spec_markdown
from reviews.measures import agreement, kappas
from reviews.measures.intervals import Estimate
from reviews.models import Round

MOST_EXAMPLES = 20
CITED, NOT_CITED = "cited", "not cited"
OTHER, ACCEPTS = "another reason", "accepts"
ENOUGH_TO_BE_ALONE = 5  # traces that two have read, before a clause is called one reader's own


@dataclass(frozen=True)
class ClauseFigures:
    """One clause: how often it is cited, and how often another reader of the same trace cites it as well.

    cited: readings that cite it. traces: traces where anyone does. twice: of those, read by two or more.
    agreed: when one cites it, how often another does too (specific agreement). alpha: of cited and not cited.
    accepted_instead: of pairs where one cites it, the share in which the other accepts the trace.
    readers: how many cite it at all; only: the one reader who does, where five traces or more had a second reader, else "".
    split: traces where readers part on it.
    """

    key: str
    title: str
    cited: int
    traces: int
    twice: int
    agreed: Estimate
    alpha: Estimate
    accepted_instead: float | None
    pairs: int
    readers: int
    only: str
    split: tuple[int, ...]


@dataclass(frozen=True)
class Confusion:
    """What the other reader said where one cites a clause. counts: row = cited by one, column = said by the other.

    The last two columns are a reject for no clause of these, and "accepts". A reader who cites two clauses counts in
    both rows, so rows add up to more than pairs.
    """

    keys: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def rows(self) -> list[tuple[str, tuple[int, ...]]]:
        return list(zip(self.keys, self.counts, strict=True))


def by_clause(round: Round, table: Table) -> list[ClauseFigures]:
    """The figures of every clause that can reject, in the order of the spec."""
    by_trace = _by_trace(table.readings)
    return [_figures(clause.key, clause.title, table, by_trace) for clause in _selecting(round)]


def confusion(round: Round, table: Table) -> Confusion:
    """For each ordered pair of readers of a trace: the clauses of one against what the other said."""
    keys = [clause.key for clause in _selecting(round)]
    counts: Counter[tuple[str, str]] = Counter()
    for pair in _by_trace(table.readings).values():
        for one, other in permutations(pair, 2):
            for key in one.fails:
                counts.update((key, said) for said in _said(other, keys))
    columns = [*keys, OTHER, ACCEPTS]
    return Confusion(tuple(keys), tuple(tuple(counts[key, column] for column in columns) for key in keys))


def _said(one: Reading, keys: Sequence[str]) -> Sequence[str]:
    if one.label != REJECT:
        return (ACCEPTS,)
    return [key for key in one.fails if key in keys] or (OTHER,)


def _selecting(round: Round) -> list[spec_markdown.ClauseText]:
    """The clauses that can reject a trace."""
    return spec_markdown.parse(round.spec_version.text).selecting if round.spec_version else []


def _by_trace(readings: Sequence[Reading]) -> dict[str, list[Reading]]:
    found: dict[str, list[Reading]] = defaultdict(list)
    for one in readings:
        found[one.item_id].append(one)
    return found


def _figures(key: str, title: str, table: Table, by_trace: dict[str, list[Reading]]) -> ClauseFigures:
    cites = table.column(lambda one: key in one.fails).astype(np.bool_)
    citing = [one for one, cited in zip(table.readings, cites, strict=True) if cited]
    touched = {one.item_id for one in citing}
    twice = [item for item in touched if len(by_trace[item]) > 1]
    split = [item for item in twice if not all(key in one.fails for one in by_trace[item])]
    pairs = instead = 0
    for item in twice:
        for one, other in permutations(by_trace[item], 2):
            if key in one.fails:
                pairs += 1
                instead += other.label != REJECT
    agreed, alpha = NOTHING, NOTHING
    if table.readings:
        ratings = replace(table.codes, labels=np.where(cites, 0, 1), categories=(CITED, NOT_CITED)).counted()
        agreed = kappas.specific_agreement(ratings).get(CITED, NEVER_GIVEN)
        alpha = agreement.krippendorff_alpha(ratings, seed=figures.SEED)
    who = Counter(one.rater_id for one in citing)
    return ClauseFigures(
        key,
        title,
        len(citing),
        len(touched),
        len(twice),
        agreed,
        alpha,
        instead / pairs if pairs else None,
        pairs,
        len(who),
        next(iter(who)) if len(who) == 1 and len(twice) >= ENOUGH_TO_BE_ALONE else "",
        tuple(by_trace[item][0].trace for item in sorted(split)[:MOST_EXAMPLES]),
    )

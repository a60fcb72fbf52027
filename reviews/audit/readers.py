"""Readers: each one beside the others, on gold, with themselves, and over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from reviews.audit import figures, rows
from reviews.audit.figures import NOTHING, REJECT, Table
from reviews.audit.rows import GoldReading, Reading, Repeat
from reviews.measures import dawid_skene, drift, rates
from reviews.measures import reviewers as beside
from reviews.measures.drift import Chart, Line
from reviews.measures.intervals import Estimate
from reviews.measures.rates import Bin, Gold, Repeats
from reviews.models import Round, User

# Gold traces a reader; fixed, so that a line is not moved at each look.
HORIZONS = (20, 40, 60, 100, 200, 400, 1000)
FALSE_DISCOVERIES = 0.05  # Benjamini-Hochberg's q
MINUTES = (0, 10, 20, 40, 60, 120, 24 * 60)
CHARS = (0, 500, 2000, 5000, 20_000, 100_000, 10_000_000)
DEPTHS = (0, 0.25, 0.5, 0.75, 1)


@dataclass(frozen=True)
class Reader:
    """One reader's figures. `adjusted` is the gap's p over all readers; `stands_out` whether it is below the share q.

    leaves: how much alpha rises without them. error: against the consensus of the others, by Dawid and Skene.
    against: what they said (rows: accept, reject) where another reader of the trace said accept or reject (columns).
    """

    name: str
    readings: int
    accept_rate: Estimate
    own: float | None
    peers: float | None
    gap: Estimate
    adjusted: float | None
    stands_out: bool
    leaves: Estimate
    error: Estimate
    gold: Gold
    repeats: Repeats
    chart: Chart
    against: tuple[tuple[int, int], tuple[int, int]]
    accepts_by_minute: list[Bin]
    accepts_by_length: list[Bin]


@dataclass(frozen=True)
class Team:
    """All readers, the alarm line that holds for them, and what gold knows of where faults are missed."""

    readers: list[Reader]
    line: Line | None
    missed_by_depth: list[Bin]
    model_state: str


def of(round: Round, found: Table | None = None) -> Team:
    """The figures of every person who read in the round, by name."""
    table = Table.of(rows.readings(round)) if found is None else found
    gold = [one for one in rows.gold(round) if one.reviewer_kind == User.Kind.HUMAN]
    again = rows.repeats(round)
    names = sorted(
        set(table.codes.rater_names) | {one.rater_id for one in gold} | {one.rater_id for one in again}
    )
    line = _line(gold)
    gaps, leaves, errors, state = _beside_the_others(table)
    adjusted = _adjusted(gaps)
    of_reader, against = _by_reader(table.readings), _against(table)
    return Team(
        [
            _reader(
                name,
                of_reader.get(name, []),
                [one for one in gold if one.rater_id == name],
                [one for one in again if one.rater_id == name],
                gaps.get(name),
                adjusted.get(name),
                leaves.get(name, NOTHING),
                errors.get(name, NOTHING),
                line,
                against.get(name, ((0, 0), (0, 0))),
            )
            for name in names
        ],
        line,
        _missed_by_depth(gold),
        state,
    )


def _by_reader(table: Iterable[Reading]) -> dict[str, list[Reading]]:
    found: dict[str, list[Reading]] = defaultdict(list)
    for one in table:
        found[one.rater_id].append(one)
    return found


def _beside_the_others(
    table: Table,
) -> tuple[dict[str, beside.Gap], dict[str, Estimate], dict[str, Estimate], str]:
    """The gap to peers on traces that the plan shared at random, alpha without each reader, and their errors."""
    if not table.readings:
        return {}, {}, {}, "no-pairs"
    codes = table.codes
    gaps = beside.gaps_to_peers(codes.only(table.planned), figures.ACCEPT)
    leaves = dict(zip(codes.rater_names, beside.leave_one_out(codes, seed=figures.SEED), strict=True))
    model = dawid_skene.fit(codes)
    state = "too-many-raters" if model is None else model.state
    errors: dict[str, Estimate] = {}
    if model is not None and state != "needs-three-raters":
        against = dawid_skene.errors_against_others(codes, seed=figures.SEED)
        errors = dict(zip(codes.rater_names, against, strict=True))
    return {gap.rater: gap for gap in gaps}, leaves, errors, state


def _adjusted(gaps: dict[str, beside.Gap]) -> dict[str, float]:
    tested = {name: gap.p for name, gap in gaps.items() if gap.p is not None}
    if not tested:
        return {}
    found = beside.benjamini_hochberg(np.array(list(tested.values())))
    return dict(zip(tested, found.tolist(), strict=True))


def _reader(
    name: str,
    table: Sequence[Reading],
    gold: Sequence[GoldReading],
    again: Sequence[Repeat],
    gap: beside.Gap | None,
    adjusted: float | None,
    leaves: Estimate,
    error: Estimate,
    line: Line | None,
    against: tuple[tuple[int, int], tuple[int, int]],
) -> Reader:
    accepts = np.array([one.label != REJECT for one in table], dtype=np.bool_)
    wrong = np.array([one.said != one.right for one in gold], dtype=np.bool_)
    return Reader(
        name,
        len(table),
        rates.rate(int(accepts.sum()), len(table)),
        gap.own if gap else None,
        gap.peers if gap else None,
        gap.gap if gap else NOTHING,
        adjusted,
        adjusted is not None and adjusted <= FALSE_DISCOVERIES,
        leaves,
        error,
        rates.gold_accuracy(
            np.array([one.right == REJECT for one in gold], dtype=np.bool_),
            np.array([one.said == REJECT for one in gold], dtype=np.bool_),
        ),
        rates.blind_repeats(_numbers(one.first for one in again), _numbers(one.again for one in again), 2),
        drift.cusum(wrong, line.height if line else np.inf),
        against,
        _along([one.minute for one in table], accepts, MINUTES, table),
        _along([one.chars for one in table], accepts, CHARS, table),
    )


def _numbers(labels: Iterable[str]) -> np.ndarray:
    return np.array([int(label == REJECT) for label in labels], dtype=np.int64)


def _along(
    values: Sequence[float], accepts: np.ndarray, edges: Sequence[float], table: Sequence[Reading]
) -> list[Bin]:
    if not table:
        return []
    _, clusters = np.unique([one.cluster for one in table], return_inverse=True)
    found = rates.rates_along(
        np.array(values, dtype=np.float64), accepts, np.array(edges, dtype=np.float64), clusters=clusters
    )
    return [one for one in found if one.rate.n]


def _against(table: Table) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
    """For each reader the pairs with another reader of a trace: what they said, and what the other said."""
    codes, rejects = table.codes, table.rejects
    items, raters = len(codes.item_names), len(codes.rater_names)
    of_item = np.bincount(codes.items * 2 + rejects, minlength=2 * items).reshape(items, 2)
    others = of_item[codes.items]
    others[np.arange(len(rejects)), rejects.astype(np.int64)] -= 1
    counts = np.zeros((raters, 2, 2), dtype=np.int64)
    np.add.at(counts, (codes.raters, rejects.astype(np.int64)), others)
    return {
        name: ((int(own[0, 0]), int(own[0, 1])), (int(own[1, 0]), int(own[1, 1])))
        for name, own in zip(codes.rater_names, counts, strict=True)
    }


def _line(gold: Sequence[GoldReading]) -> Line | None:
    """The alarm line for this team and horizon, with what was simulated of it; None without gold."""
    judged: dict[str, int] = defaultdict(int)
    for one in gold:
        judged[one.rater_id] += 1
    if not judged:
        return None
    most = max(judged.values())
    return _calibrated(len(judged), next((of for of in HORIZONS if of >= most), most))


@lru_cache(maxsize=64)
def _calibrated(team: int, horizon: int) -> Line:
    return drift.calibrated(team, horizon, seed=figures.SEED)


def _missed_by_depth(gold: Sequence[GoldReading]) -> list[Bin]:
    """Of gold rejects with a marked fault, the share accepted, by how deep in the chain the fault lies."""
    known = [one for one in gold if one.right == REJECT and one.depth is not None]
    if not known:
        return []
    return rates.rates_along(
        np.array([one.depth for one in known], dtype=np.float64),
        np.array([one.said != REJECT for one in known], dtype=np.bool_),
        np.array(DEPTHS, dtype=np.float64),
    )

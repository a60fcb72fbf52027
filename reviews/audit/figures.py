"""From readings to arrays, and from arrays to the figures that every page of the audit shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reviews.audit.rows import Reading
from reviews.measures import agreement, kappas, rates
from reviews.measures.intervals import Estimate
from reviews.measures.ratings import Codes

SEED = 20_261_124  # fixed, so that the page, the command and a recomputation give the same digits
ACCEPT, REJECT = "accept", "reject"
NOTHING = Estimate(None, None, None, "nothing to compare", 0, "no-pairs")
NEVER_GIVEN = Estimate(None, None, None, "nothing to compare", 0, "never-given")


@dataclass(frozen=True)
class Group:
    """The figures of some of the readings. readings, twice: how many there are, and traces that two or more read."""

    name: str
    readings: int
    twice: int
    rejects: float | None
    observed: Estimate
    rejects_agreed: Estimate
    alpha: Estimate
    second: Estimate


@dataclass(frozen=True)
class Table:
    """Readings in the order of their item and reader, and the same as numbers, row by row.

    A part of them is a mask over the rows: names are turned into numbers once, however many breakdowns there are.
    """

    readings: list[Reading]
    codes: Codes

    @classmethod
    def of(cls, readings: Iterable[Reading]) -> Table:
        """Each reader reads a trace once at most, as the database keeps it. Clusters are prompts."""
        ordered = sorted(readings, key=lambda one: (one.item_id, one.rater_id))
        codes = Codes.from_rows(
            [one.item_id for one in ordered],
            [one.rater_id for one in ordered],
            [one.label for one in ordered],
            cluster_ids=[one.cluster for one in ordered],
        )
        return cls(ordered, codes)

    def column(self, value: Callable[[Reading], Any]) -> NDArray[Any]:
        return np.array([value(one) for one in self.readings])

    @property
    def planned(self) -> NDArray[np.bool_]:
        return np.fromiter((one.planned for one in self.readings), np.bool_, len(self.readings))

    @property
    def rejects(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.codes.labels == _place(self.codes, REJECT)
        return found


def group(name: str, table: Table, rows: NDArray[np.bool_] | None = None) -> Group:
    """All figures of these rows, of all where none are named; what cannot be measured has no value and says why."""
    rows = np.ones(len(table.readings), dtype=np.bool_) if rows is None else rows
    if not rows.any():
        return Group(name, 0, 0, None, NOTHING, NOTHING, NOTHING, NOTHING)
    ratings = table.codes.only(rows).counted()
    specific = kappas.specific_agreement(ratings)
    return Group(
        name,
        int(rows.sum()),
        int(np.count_nonzero(ratings.counts.sum(axis=1) >= 2)),
        float(table.rejects[rows].mean()),
        agreement.observed_agreement(ratings, seed=SEED),
        specific.get(REJECT, NEVER_GIVEN),
        agreement.krippendorff_alpha(ratings, seed=SEED),
        second_reader(table, rows),
    )


def second_reader(table: Table, rows: NDArray[np.bool_] | None = None) -> Estimate:
    """Of traces that one reader accepts, the share that another would have rejected; of planned readings alone.

    A reading that somebody asked for is of a trace that was in doubt, and would speak for all others.
    """
    accepts, rejects, clusters = planned_verdicts(table, rows)
    return rates.second_reader_rejects(accepts, rejects, clusters=clusters)


def planned_verdicts(
    table: Table, rows: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """How many planned readings accept and reject each trace, and the number of its prompt; of shape (traces,) each."""
    codes = table.codes.only(table.planned if rows is None else table.planned & rows)
    items = len(codes.item_names)
    accepts, rejects = (
        np.bincount(codes.items[codes.labels == _place(codes, label)], minlength=items)
        for label in (ACCEPT, REJECT)
    )
    return accepts, rejects, codes.clusters


def _place(codes: Codes, label: str) -> int:
    """The number of a label; one that nobody gave has none."""
    return codes.categories.index(label) if label in codes.categories else -1


def groups(
    table: Table,
    key: Callable[[Reading], str],
    *,
    rows: NDArray[np.bool_] | None = None,
    most: int | None = None,
) -> tuple[list[Group], int]:
    """The figures of each group that `key` makes, by name, and how many groups are left out.

    rows: only of these. most: the groups with the most readings; the others are not even worked out.
    """
    keys = table.column(key)
    names, sizes = np.unique(keys if rows is None else keys[rows], return_counts=True)
    chosen = sorted(names[np.argsort(-sizes, kind="stable")][:most].tolist())
    inside = np.ones(len(keys), dtype=np.bool_) if rows is None else rows
    return [group(str(name), table, inside & (keys == name)) for name in chosen], len(names) - len(chosen)


def by_reader(table: Table, *, most: int | None = None) -> tuple[list[Group], int]:
    """The figures of the traces that each reader read, by name: their own readings and those of others beside them.

    most, and the number left out: as in `groups`.
    """
    codes, found = table.codes, []
    read_most = np.argsort(-np.bincount(codes.raters, minlength=len(codes.rater_names)), kind="stable")
    chosen = sorted(read_most[:most].tolist())
    for number in chosen:
        name = codes.rater_names[number]
        read = np.zeros(len(codes.item_names), dtype=np.bool_)
        read[codes.items[codes.raters == number]] = True
        found.append(group(name, table, read[codes.items]))
    return found, len(codes.rater_names) - len(chosen)

"""The overview: one sentence, the figure that people understand, and where agreement is better or worse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from reviews.audit import figures
from reviews.audit.clauses import ClauseFigures, by_clause
from reviews.audit.figures import Group, Table
from reviews.audit.rows import Basis, Reading, basis, readings
from reviews.measures import planning
from reviews.models import Round

MOST_GROUPS = 30  # of a breakdown; a list of a thousand domains tells nothing
HALF_WIDTH = 0.05
DAYS_A_WINDOW = (1, 7, 30)
FEW_WINDOWS = 14
PREVALENCES = (0.1, 0.2, 0.5)
ACCURACY = 0.9


@dataclass(frozen=True)
class Overview:
    """What the page says first. parted: the clause that readers part on most, where any two can be compared.

    planned: the same figures of the plan's readings alone, where there are others: what was read once more for a
    reason, or brought in beyond the plan, is no random sample of traces. None where all were planned.
    times: of verdicts made here; nobody knows when others were made. left_out: how many groups a breakdown leaves out,
    by its name here.
    """

    basis: Basis
    whole: Group
    planned: Group | None
    domains: list[Group]
    checkpoints: list[Group]
    times: list[Group]
    readers: list[Group]
    left_out: dict[str, int]
    clauses: list[ClauseFigures]
    parted: ClauseFigures | None


def of(round: Round, found: Table | None = None, *, most: int | None = MOST_GROUPS) -> Overview:
    """Every figure of the overview, from the readings of the round; of each breakdown the `most` largest groups."""
    table = Table.of(readings(round)) if found is None else found
    made_here = np.array([not math.isnan(one.minute) for one in table.readings], dtype=np.bool_)
    days = _window([one for one in table.readings if not math.isnan(one.minute)])
    domains, other_domains = figures.groups(table, lambda one: one.domain, most=most)
    checkpoints, other_checkpoints = figures.groups(table, lambda one: one.checkpoint, most=most)
    times, _ = figures.groups(table, lambda one: _begins(one, days), rows=made_here)
    readers, other_readers = figures.by_reader(table, most=most)
    clauses = by_clause(round, table)
    split = [clause for clause in clauses if clause.agreed.value is not None]
    planned = table.planned
    return Overview(
        basis(round),
        figures.group("", table),
        None if planned.all() else figures.group("", table, planned),
        domains,
        checkpoints,
        times,
        readers,
        {"domains": other_domains, "checkpoints": other_checkpoints, "readers": other_readers},
        clauses,
        min(split, key=lambda clause: (clause.agreed.value, clause.key), default=None),
    )


@dataclass(frozen=True)
class Doubles:
    """How many traces must be read twice where so many are rejected: for alpha within .10 and .05, and for the headline."""

    rejects: float
    alpha: float
    alpha_wide: int
    alpha_narrow: int
    second: int


def doubles_wanted() -> list[Doubles]:
    """Help for a plan, for readers who are each right nine times of ten; prompts with several doubles want more.

    second: accepts that meet a second reader, for "of 100 accepted traces" within 5 either way.
    """
    found = []
    for prevalence in PREVALENCES:
        rejects, agreed = planning.as_seen(prevalence, ACCURACY)
        apart = (1 - agreed) / 2 / (1 - rejects)
        found.append(
            Doubles(
                rejects,
                planning.expected(rejects, agreed),
                planning.doubles_for(0.10, rejects=rejects, agreement=agreed),
                planning.doubles_for(HALF_WIDTH, rejects=rejects, agreement=agreed),
                planning.doubles_for_rate(HALF_WIDTH, apart),
            )
        )
    return found


def _window(table: Sequence[Reading]) -> int:
    """Days, weeks or months, so that the picture has no more than a few points."""
    if not table:
        return DAYS_A_WINDOW[0]
    span = (max(one.at for one in table) - min(one.at for one in table)).days
    return next((days for days in DAYS_A_WINDOW if span <= days * FEW_WINDOWS), DAYS_A_WINDOW[-1])


def _begins(one: Reading, days: int) -> str:
    day = one.at.date()
    return (day - timedelta(days=day.toordinal() % days)).isoformat()

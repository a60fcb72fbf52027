"""Everything that the gates of one draft read, gathered once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from reviews import drawing
from reviews.audit import rows
from reviews.audit.figures import Table
from reviews.checking import base as bases
from reviews.checking import drafts
from reviews.checking.base import Base, Flags, Ints
from reviews.checking.drafts import Configuration, Draft
from reviews.measures import looks
from reviews.measures.domains import Domain, by_domain
from reviews.measures.exported import AsExported, as_exported
from reviews.measures.pressure import Pressure, total_pressure
from reviews.models import Dataset, Membership, Round
from reviews.policies.documents import Policy

SALTS = 24  # draws of a control arm among which the one nearest in tokens is taken
Found = TypeVar("Found")


@dataclass(frozen=True)
class Facts:
    """A draft, what it is drawn from, and the lines that it is held against.

    mark: of the rows that all this is of; another one, other figures. base: of the arm: for a control, `accepted` says
    what that arm takes rather than what people said. looks: how many configurations of this round were looked at, this
    one included; every bound is at `level`. thorough: whether every text that goes out is hashed anew, which the job and
    the commands do and a page does not. rendered: what the target's template makes of every row, where the job has
    looked. reads_texts: whether prompts and chains may be read.
    """

    round: Round
    policy: Policy
    configuration: Configuration
    base: Base
    draft: Draft
    people: Base
    mark: str
    looks: int
    dataset: Dataset | None = None
    thorough: bool = False
    rendered: dict[str, Any] | None = None
    reads_texts: bool = True

    @property
    def level(self) -> float:
        return looks.level(max(1, self.looks))

    @property
    def control(self) -> bool:
        """A random control: no verdict decides what is in it."""
        return self.configuration.arm == Dataset.Arm.RANDOM_CONTROL

    @cached_property
    def going(self) -> Ints:
        """The places of the rows that go out."""
        return np.flatnonzero(self.draft.going)

    @cached_property
    def exported(self) -> Ints:
        """e of each cell; of the selected part alone, since what is mixed in was not selected."""
        return drafts.counts(self.base, self.draft.selected)

    @cached_property
    def pressure(self) -> Pressure | None:
        base = self.base
        if not len(base.trace):
            return None
        return total_pressure(base.by_prompt(base.taken), base.by_prompt(base.sampled), level=self.level)

    @cached_property
    def as_exported(self) -> AsExported | None:
        if not self.exported.any():
            return None
        return as_exported(self.exported, self.base.taken, self.base.sampled, level=self.level)

    @cached_property
    def domains(self) -> list[Domain]:
        """Each domain from which something goes out, over all its prompts that were sampled."""
        base = self.base
        if not len(base.trace):
            return []
        out = {base.domains[place] for place in np.unique(base.prompt[self.going])}
        found = by_domain(
            [name or None for name in base.domains],
            base.by_prompt(base.taken).astype(np.float64),
            base.by_prompt(base.sampled).astype(np.float64),
            level=self.level,
        )
        return [domain for domain in found if (domain.domain or "") in out]

    @cached_property
    def readings(self) -> Table:
        """The audit's readings, read once for all gates that ask for them; too large to be kept."""
        return Table.of(rows.readings(self.round))

    def once(self, key: str, work_out: Callable[[], Found]) -> Found:
        """Figures that depend neither on the configuration nor on the level, kept as long as the base is."""
        return bases.kept(self.mark, key, work_out)


def gather(
    round: Round,
    policy: Policy,
    configuration: Configuration,
    *,
    looks: int = 1,
    dataset: Dataset | None = None,
    thorough: bool = False,
    rendered: dict[str, Any] | None = None,
    reads_texts: bool = True,
) -> Facts:
    """The facts of a draft. Once the membership is frozen, they are of that, whatever was decided since."""
    mark = bases.mark_of(round)
    people = bases.of(round, mark)
    selected = drafts.draw(people, configuration, policy, round)
    base, draft = people, selected
    if configuration.arm != Dataset.Arm.SELECTED:
        base, draft = _control(people, selected, configuration, round)
    if dataset is not None and dataset.rows is not None:
        base, draft = _frozen(base, draft, dataset)
    return Facts(
        round,
        policy,
        configuration,
        base,
        draft,
        people,
        mark,
        looks,
        dataset,
        thorough,
        rendered,
        reads_texts,
    )


def _control(people: Base, selected: Draft, configuration: Configuration, round: Round) -> tuple[Base, Draft]:
    """An arm with as many traces of the same prompts and samplers, and as near as can be the same tokens."""
    pool = np.ones(len(people.trace), dtype=np.bool_)
    if configuration.arm == Dataset.Arm.OUTCOME_ONLY:
        pool = people.outcome == 0
    wanted = drafts.counts(people, selected.going)
    tokens = int(people.tokens[selected.going].sum())
    candidates = (_matched(people, pool, wanted, round, salt) for salt in range(SALTS))
    best = min(candidates, key=lambda rows: abs(int(people.tokens[rows].sum()) - tokens))
    none = np.zeros(len(pool), dtype=np.bool_)
    return replace(people, accepted=pool), Draft(best, none, none, pool & ~best)


def _matched(base: Base, pool: Flags, wanted: Ints, round: Round, salt: int) -> Flags:
    """`wanted` traces of each cell, at random from the pool."""
    seed = int(drawing.draw(round.seed, f"control {salt}", b"") * 2**48)
    return drafts.first_of_each(pool, base.cell, np.random.default_rng(seed).random(len(base.trace)), wanted)


def _frozen(base: Base, draft: Draft, dataset: Dataset) -> tuple[Base, Draft]:
    """What the membership holds, and a base in which it is accepted still: later verdicts change nothing of it.

    A trace that has left the base since (its import was taken back) is not in it.
    """
    members = Membership.objects.filter(dataset=dataset).values_list("trace", "part")
    parts = dict(members)
    part = np.array([parts.get(int(pk), "") for pk in base.trace], dtype=object)
    selected = part == "selected"
    return (
        replace(base, accepted=base.accepted | selected),
        replace(draft, selected=selected, mixed=part == "mixed"),
    )

"""Adopting the checkpoints that an imported file names: `meta.checkpoint`, as {lineage, step, name}."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from reviews.lineages import registering
from reviews.models import Checkpoint, ImportBatch, Project, Sampler, Trace, User

ROOT = "base"


@dataclass(frozen=True, order=True)
class Named:
    """A checkpoint as a file names it. step -1: none was given."""

    lineage: str
    step: int
    name: str

    @property
    def is_root(self) -> bool:
        return self.step == 0 or ROOT in (self.lineage, self.name)

    @property
    def arm(self) -> str:
        """A lineage whose name has the word `control` was trained without what is tried: a control arm."""
        control = "control" in re.split(r"[\W_]+", self.lineage.lower())
        return Checkpoint.Arm.RANDOM_CONTROL if control else Checkpoint.Arm.NONE


def read(meta: dict[str, Any]) -> Named | None:
    """The checkpoint that a trace's `meta` names, or None where it names none that can be used."""
    told = meta.get("checkpoint")
    if not isinstance(told, dict):
        return None
    lineage, step, name = told.get("lineage"), told.get("step"), told.get("name")
    texts = [text for text in (lineage, name) if isinstance(text, str) and 0 < len(text) <= 200]
    if not texts or not all(text.isprintable() for text in texts):
        return None
    plain = step if type(step) is int and 0 <= step < 2**31 else -1
    spelled = name if isinstance(name, str) and name else f"{lineage}-{plain}" if plain >= 0 else str(lineage)
    return Named(lineage if isinstance(lineage, str) else "", plain, spelled[:200])


@dataclass
class Told:
    """What the rows of one import say of their samplers, kept until its end: a child may stand before its parent."""

    by_sampler: dict[bytes, set[Named | None]] = field(default_factory=dict)

    def note(self, sampler: bytes, meta: dict[str, Any]) -> None:
        self.by_sampler.setdefault(sampler, set()).add(read(meta))

    def read_back(self, batch: ImportBatch) -> None:
        """What the rows that an import broken off had committed before said."""
        rows = Trace.objects.filter(batch=batch).order_by("pk").select_related("sampler")
        for trace in rows.iterator(chunk_size=500):
            self.note(bytes(trace.sampler.identity), trace.meta_object)


@transaction.atomic
def attribute(batch: ImportBatch, told: Told) -> int:
    """Register what the file named and say which sampler was which; how many were attributed.

    A sampler whose rows name several checkpoints, or some of whose rows name none, stays unknown: it is not guessed.
    """
    sure = {sampler: next(iter(said)) for sampler, said in told.by_sampler.items() if len(said) == 1}
    wanted = {sampler: named for sampler, named in sure.items() if named is not None}
    if not wanted:
        return 0
    found = register(batch.round.project, wanted.values(), by=batch.by)
    attributed = 0
    for sampler in Sampler.objects.filter(round=batch.round, identity__in=wanted).select_related("round"):
        if not sampler.attributions.exists():
            registering.attribute(sampler, found[wanted[bytes(sampler.identity)]], by=batch.by)
            attributed += 1
    return attributed


@transaction.atomic
def register(project: Project, told: Iterable[Named], *, by: User | None) -> dict[Named, Checkpoint]:
    """Each named checkpoint as a row: the one that is registered, or a new one with its place in the tree.

    Step 0, or the name `base`, is a root. Later steps of a lineage hang on the step before. The first step of a lineage
    hangs on the base, if there is exactly one; else its parent is unknown.
    """
    rows = list(Checkpoint.objects.filter(project=project).exclude(lineage="").select_related("project"))
    found = {_as_named(row): row for row in rows}
    wanted = sorted(set(told), key=lambda named: (not named.is_root, named))
    for named in wanted:
        if named not in found:
            found[named], _ = registering.register(
                project,
                _free_name(project, named),
                by=by,
                parent=None if named.is_root else _parent(named, found),
                lineage=named.lineage,
                step=named.step if named.step >= 0 else None,
                arm=named.arm,
            )
    return {named: found[named] for named in wanted}


def _parent(named: Named, found: dict[Named, Checkpoint]) -> Checkpoint | None:
    before = [other for other in found if other.lineage == named.lineage and 0 <= other.step < named.step]
    if before:
        return found[max(before, key=lambda other: other.step)]
    roots = [other for other in found if other.is_root]
    return found[roots[0]] if len(roots) == 1 else None


def _as_named(row: Checkpoint) -> Named:
    return Named(row.lineage, -1 if row.step is None else row.step, _spelled(row))


def _spelled(row: Checkpoint) -> str:
    """The file's name of it: where that name was taken, the lineage was put before it."""
    return row.name.removeprefix(f"{row.lineage}/")


def _free_name(project: Project, named: Named) -> str:
    taken = Checkpoint.objects.filter(project=project, name=named.name).exists()
    return f"{named.lineage}/{named.name}"[:200] if taken else named.name

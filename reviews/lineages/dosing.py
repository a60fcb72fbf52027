"""Dosing: what a checkpoint has received along its path to the root, in whatever project it was booked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from reviews.lineages import booking
from reviews.measures import doses
from reviews.measures.doses import Applied, Dose, Node
from reviews.models import Checkpoint, Dataset, LedgerEntry, Project, UseReport

MOST_STEPS = 1000


def dose_of(checkpoint: Checkpoint | None, *, arm: str = doses.SELECTED, exported: bool = True) -> Dose:
    """What a lineage has received up to a checkpoint; None is a checkpoint that nobody named, and its dose unknown.

    exported: with all of that arm that went out for it already, whichever child it made. That is what gates add a
    draft to: budgets hold for the union of everything exported for one (checkpoint, child).
    """
    if checkpoint is None:
        return doses.of_path([], [], arm=arm)
    return Lineages.around(checkpoint.project).dose(checkpoint, arm=arm, exported=exported)


def section(dataset: Dataset, figures: dict[str, Any]) -> dict[str, Any]:
    """What a manifest keeps under `ledger`, so that the sums can be made again from manifests alone."""
    known = Lineages.around(dataset.project)
    checkpoints = [
        {
            "name": one.name if one else None,
            "identity": one.identity if one else None,
            "path": [
                {"identity": node.identity, "arm": node.arm, "begins": node.begins}
                for node in (known.path(one) if one else [])
            ],
        }
        for one in booking.checkpoints_of(dataset)
    ]
    return {"figures": figures, "checkpoints": checkpoints}


@dataclass
class Lineages:
    """The checkpoints that have to do with a project, those of the same weights elsewhere and all their ancestors."""

    rows: dict[int, Checkpoint] = field(default_factory=dict)
    by_identity: dict[str, list[Checkpoint]] = field(default_factory=dict)
    applied: list[Applied] = field(default_factory=list)

    @classmethod
    def around(cls, project: Project) -> Lineages:
        """Read once, then asked as often as a page needs: the queries do not grow with the checkpoints."""
        found = cls()
        fresh = list(Checkpoint.objects.filter(project=project).select_related("project"))
        while fresh:
            found.rows.update({row.pk: row for row in fresh})
            digests = {row.weights_digest for row in fresh if row.weights_digest}
            parents = {row.parent_id for row in fresh if row.parent_id}
            more = Checkpoint.objects.filter(Q(weights_digest__in=digests) | Q(pk__in=parents))
            fresh = list(more.exclude(pk__in=found.rows).select_related("project"))
        for row in sorted(found.rows.values(), key=lambda row: (row.project_id != project.pk, row.pk)):
            found.by_identity.setdefault(row.identity, []).append(row)
        found.applied = _applied(found.rows)
        return found

    def path(self, checkpoint: Checkpoint) -> list[Node]:
        """From the root to the checkpoint. A parent that another project knows counts as well."""
        nodes: list[Node] = []
        identity: str | None = checkpoint.identity
        while identity is not None and identity not in {node.identity for node in nodes}:
            twins = self.by_identity[identity]
            above = next((twin.parent_id for twin in twins if twin.parent_id), None)
            stages = {twin.stage for twin in twins} - {Checkpoint.Stage.UNKNOWN}
            nodes.append(
                Node(
                    identity,
                    arm=next((twin.arm for twin in twins if twin.arm), ""),
                    begins=above is None
                    and stages == {Checkpoint.Stage.BASE}
                    and not any(twin.rl_steps for twin in twins),
                )
            )
            identity = self.rows[above].identity if above is not None and len(nodes) < MOST_STEPS else None
        return nodes[::-1]

    def dose(self, checkpoint: Checkpoint, *, arm: str = doses.SELECTED, exported: bool = True) -> Dose:
        return doses.of_path(self.path(checkpoint), self.applied, arm=arm, exported=exported)

    def step(self, checkpoint: Checkpoint) -> Dose:
        """What went into this checkpoint on its own, from its parent."""
        return doses.steps(self.path(checkpoint), self.applied)[-1]

    def went_out(self, checkpoint: Checkpoint) -> list[Applied]:
        return [one for one in self.applied if one.identity == checkpoint.identity and not one.elsewhere]


def standing_entries(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Those that count: not a counter-entry, and not countered by one that no later report of use undoes."""
    rows = list(entries)
    datasets = {row.dataset_id for row in rows if row.dataset_id}
    used: dict[int, Any] = {}
    for report in UseReport.objects.filter(dataset__in=datasets, used=True).order_by("at"):
        used[report.dataset_id] = report.at
    countered = {
        row.counters_id
        for row in LedgerEntry.objects.filter(
            kind=LedgerEntry.Kind.COUNTER, counters__in=[row.pk for row in rows]
        )
        if row.dataset_id not in used or used[row.dataset_id] <= row.at
    }
    return [row for row in rows if row.kind != LedgerEntry.Kind.COUNTER and row.pk not in countered]


def _applied(rows: dict[int, Checkpoint]) -> list[Applied]:
    entries = LedgerEntry.objects.filter(checkpoint__in=rows).select_related("dataset__round__project")
    booked = [(one, one.checkpoint_id) for one in entries.order_by("project", "number")]
    booked += _named_later(rows, booked)
    counting = standing_entries(one for one, _pk in booked)
    standing = {one.pk for one in counting}
    children: dict[int, set[str]] = {}
    reports = UseReport.objects.filter(dataset__in=[one.dataset_id for one in counting], used=True)
    for report in reports.exclude(checkpoint=None).select_related("checkpoint__project"):
        if report.checkpoint is not None:
            children.setdefault(report.dataset_id, set()).add(report.checkpoint.identity)
    return [
        _as_applied(one, rows[pk].identity, children)
        for one, pk in booked
        if one.pk in standing and pk is not None
    ]


def _named_later(
    rows: dict[int, Checkpoint], booked: list[tuple[LedgerEntry, int | None]]
) -> list[tuple[LedgerEntry, int | None]]:
    """Entries booked to nobody whose samplers someone has named since: what went out counts, whenever it is known for whom."""
    known = {(entry.dataset_id, pk) for entry, pk in booked}
    to_nobody = LedgerEntry.objects.filter(
        checkpoint=None,
        kind=LedgerEntry.Kind.APPLIED,
        dataset__round__samplers__attributions__checkpoint__in=rows,
    )
    found: list[tuple[LedgerEntry, int | None]] = []
    for entry in to_nobody.select_related("dataset__round__project").distinct().order_by("project", "number"):
        named = booking.checkpoints_of(entry.dataset) if entry.dataset else []
        found += [
            (entry, one.pk)
            for one in named
            if one is not None and one.pk in rows and (entry.dataset_id, one.pk) not in known
        ]
    return found


def _as_applied(entry: LedgerEntry, identity: str, children: dict[int, set[str]]) -> Applied:
    figures, dataset = entry.figures_object, entry.dataset
    elsewhere = "" if dataset is not None else said_of(figures)
    return doses.of_figures(
        identity,
        figures,
        membership=bytes(dataset.membership_digest or b"").hex() if dataset else f"entry {entry.pk}",
        round=f"{dataset.round.project.slug}/{dataset.round.name}" if dataset else "",
        arm=dataset.arm if dataset else "",
        children=frozenset(children.get(dataset.pk, ()) if dataset else ()),
        elsewhere=elsewhere,
    )


def said_of(figures: dict[str, Any]) -> str:
    """What happened elsewhere, in words that go into manifests and gates: English, whoever reads the page."""
    words = {
        "grader-saw-chains": "a grader saw chains of thought",
        "monitor-in-reward": "a monitor was part of the reward",
        "trained-on-chains": "chains were trained on",
    }
    what = words.get(str(figures.get("what")), "something happened outside Winnow")
    share = figures.get("share")
    part = "" if share is None else f" in {100 * share:g} % of a stage"
    return f"{what}{part} ({figures.get('source')})"


def path_rows(known: Lineages, checkpoint: Checkpoint) -> Sequence[Checkpoint]:
    """The checkpoints of a path, each as the project that asks knows it, the root first."""
    return [known.by_identity[node.identity][0] for node in known.path(checkpoint)]

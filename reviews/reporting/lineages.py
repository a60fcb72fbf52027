"""What the pages of the lineage and of what is held out show, as the templates take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from reviews.lineages import moved, probed
from reviews.lineages.dosing import Lineages, path_rows, said_of
from reviews.lineages.moved import Figure
from reviews.lineages.probed import Against, ProbeFacts, Results
from reviews.measures import monitoring
from reviews.measures.doses import Applied, Dose
from reviews.measures.intervals import Estimate
from reviews.measures.monitoring import Rates
from reviews.models import Checkpoint, LedgerEntry, Measurement, Probe, Project, Sampler
from reviews.pictures import arrows, forest, lineage
from reviews.pictures.arrows import Point
from reviews.pictures.axes import SHARES
from reviews.pictures.forest import ForestRow
from reviews.pictures.lineage import TreeNode
from reviews.policies import documents
from reviews.policies.documents import Policy
from reviews.templatetags.figures import why
from reviews.templatetags.lineages import between, counted, dosed, named, worst
from reviews.templatetags.winnow import number

WAYS = ("worse", "fell", "rose", "better", "open")


@dataclass(frozen=True)
class Row:
    """A checkpoint with what the table says of it. received: along its path; step: from its parent alone."""

    checkpoint: Checkpoint
    depth: int
    received: Dose
    step: Dose
    went_out: list[Applied]
    measured: dict[str, Measurement]
    recall: Estimate | None


@dataclass(frozen=True)
class Story:
    """One probe along the path to the checkpoint that is looked at: what people read first."""

    probe: Probe
    sentence: str
    facts: ProbeFacts | None


@dataclass(frozen=True)
class Compared:
    """One probe: the checkpoint against each of the others, and what the gate makes of parent and control."""

    probe: Probe
    cells: list[tuple[list[str], Against | None]]
    facts: ProbeFacts


@dataclass(frozen=True)
class Moved:
    """Which figures moved: those of the checkpoint, the worse ones first, and by how they moved against `against`."""

    against: Checkpoint
    others: list[tuple[list[str], Checkpoint]]
    figures: list[Figure]

    @property
    def groups(self) -> list[tuple[str, list[Figure]]]:
        """The figures by how they moved, ways that none took left out."""
        found = [(way, [one for one in self.figures if one.way == way]) for way in WAYS]
        return [(way, figures) for way, figures in found if figures]

    @property
    def unseen(self) -> int:
        """How many figures did not get worse, where one did: whoever read those alone saw nothing of it."""
        worse = sum(one.way == "worse" for one in self.figures)
        return len(self.figures) - worse if worse else 0


@dataclass(frozen=True)
class Shown:
    """One probe on every checkpoint: the rates, their picture, and the arrow plot where it decides a behaviour."""

    probe: Probe
    rows: list[tuple[int, Checkpoint, Rates]]
    pictured: SafeString
    arrows: SafeString | None
    monitors: list[str]


def in_force(project: Project) -> Policy:
    """The newest policy; before any, the one that projects begin under."""
    found = project.policy_versions.order_by("-number").first()
    return documents.read(found.as_document) if found else documents.shipped("pilot")


def lineage_of(project: Project) -> dict[str, Any]:
    """The tree with its doses, the table of checkpoints, and the ledger."""
    known, results = Lineages.around(project), Results(project)
    policy = in_force(project)
    measured = _newest(project)
    rows = [
        _row(known, results, one, depth, measured.get(one.pk, {})) for one, depth in in_order(known, project)
    ]
    budget, warns = policy.line("lineage", "block"), policy.line("lineage", "warn")
    entries = LedgerEntry.objects.filter(project=project).order_by("-number")
    entries = entries.select_related("checkpoint", "dataset", "counters", "by").prefetch_related(
        "countered_by"
    )
    return {
        "rows": rows,
        "tree": _tree(project, rows, budget, warns) if rows else "",
        "budget": budget,
        "warns": warns,
        "entries": [(one, one.figures_object) for one in entries[:200]],
        "unnamed": _unnamed(project),
    }


def in_order(known: Lineages, project: Project) -> list[tuple[Checkpoint, int]]:
    """The project's own checkpoints with their depth, each parent before its children."""
    own = [one for one in known.rows.values() if one.project_id == project.pk]
    children: dict[int | None, list[Checkpoint]] = {}
    controls = (Checkpoint.Arm.RANDOM_CONTROL, Checkpoint.Arm.OUTCOME_ONLY)
    for one in sorted(own, key=lambda one: (one.arm in controls, one.lineage, one.step or 0, one.pk)):
        children.setdefault(one.parent_id, []).append(one)
    found: list[tuple[Checkpoint, int]] = []
    waiting = [(one, 0) for one in reversed(children.get(None, []))]
    while waiting:
        one, depth = waiting.pop()
        found.append((one, depth))
        waiting += [(child, depth + 1) for child in reversed(children.get(one.pk, []))]
    return found


def checkpoint_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """One checkpoint: where it stands, what it received and what was measured of it."""
    known, results = Lineages.around(checkpoint.project), Results(checkpoint.project)
    twins = [one for one in known.by_identity[checkpoint.identity] if one.pk != checkpoint.pk]
    entries = LedgerEntry.objects.filter(checkpoint=checkpoint).order_by("number")
    entries = entries.select_related("dataset", "counters", "by").prefetch_related("countered_by")
    return {
        "path": [(one, one.project_id == checkpoint.project_id) for one in path_rows(known, checkpoint)],
        "received": known.dose(checkpoint, exported=False),
        "ahead": known.dose(checkpoint),
        "elsewhere": sum(one.project_id != checkpoint.project_id for one in twins),
        "measurements": checkpoint.measurements.select_related("by").order_by("key", "-measured_on", "-pk"),
        "samplers": Sampler.objects.filter(attributions__checkpoint=checkpoint)
        .select_related("round")
        .distinct(),
        "entries": [
            (one, one.figures_object, said_of(one.figures_object) if one.kind == "external" else "")
            for one in entries
        ],
        "probes": [
            (probe, rates)
            for probe in results.probes
            if (rates := results.rates(probe, checkpoint)) is not None
        ],
        "children": Checkpoint.objects.filter(parent=checkpoint).order_by("step", "pk"),
    }


def held_out_of(project: Project, chosen: int | None) -> dict[str, Any]:
    """The story of one checkpoint on the held-out probes: along its path, and against base, parent and control."""
    known, results = Lineages.around(project), Results(project)
    asked = [(one, depth) for one, depth in in_order(known, project) if results.asked(one)]
    if not asked:
        return {"asked": [], "probes": results.probes}
    latest = max(asked, key=lambda one: (one[1], one[0].step or 0, one[0].pk))[0]
    looked_at = next((one for one, _depth in asked if one.pk == chosen), latest)
    others = _others(known, looked_at)
    parent = next((one for words, one in others if "parent" in words), None)
    control = next((one for words, one in others if "control" in words), None)
    facts = probed.monitor_gate_facts(project, looked_at, parent, control, results)
    by_probe = {one.probe.pk: one for one in facts}
    path = path_rows(known, looked_at)
    checkpoints = [one for one, _depth in asked]
    return {
        "asked": checkpoints,
        "looked_at": looked_at,
        "others": others,
        "stories": [
            Story(probe, sentence, by_probe.get(probe.pk))
            for probe in results.probes
            if (sentence := _sentence(results, probe, path))
        ],
        "compared": [
            Compared(
                one.probe,
                [(words, results.against(one.probe, looked_at, other)) for words, other in others],
                one,
            )
            for one in facts
        ],
        "moved": _moved(results, looked_at, others),
        "shown": [_shown(results, probe, checkpoints, known) for probe in results.probes],
    }


def _moved(
    results: Results, checkpoint: Checkpoint, others: Sequence[tuple[list[str], Checkpoint]]
) -> Moved | None:
    """Held against parent and control, the control last; None where neither shares a figure."""
    near = [(words, one) for words, one in others if {"parent", "control"} & set(words)]
    figures = moved.figures(results, checkpoint, [one for _words, one in near])
    if not figures:
        return None
    figures.sort(key=lambda one: WAYS.index(one.way))
    return Moved(near[-1][1], near, figures)


def _newest(project: Project) -> dict[int, dict[str, Measurement]]:
    """The newest measurement of each key, by checkpoint."""
    found: dict[int, dict[str, Measurement]] = {}
    rows = Measurement.objects.filter(checkpoint__project=project).order_by("measured_on", "pk")
    for one in rows:
        found.setdefault(one.checkpoint_id, {})[one.key] = one
    return found


def _row(
    known: Lineages, results: Results, checkpoint: Checkpoint, depth: int, measured: dict[str, Measurement]
) -> Row:
    recalls = [results.rates(probe, checkpoint) for probe in results.probes if probe.against == "held-out"]
    known_recalls = [one.recall for one in recalls if one is not None and one.recall.value is not None]
    return Row(
        checkpoint,
        depth,
        known.dose(checkpoint, exported=False),
        known.step(checkpoint),
        known.went_out(checkpoint),
        measured,
        min(known_recalls, key=lambda one: one.value or 0.0, default=None),
    )


def _tree(project: Project, rows: Sequence[Row], budget: float | None, warns: float | None) -> SafeString:
    places = {row.checkpoint.pk: place for place, row in enumerate(rows)}
    most = budget or max([worst(row.received) for row in rows] + [1.0])
    nodes = [
        TreeNode(
            name=row.checkpoint.name,
            href=reverse("checkpoint", args=[project.slug, row.checkpoint.pk]),
            lines=_lines(row),
            dose=dosed(row.received),
            filled=worst(row.received) / most or None,
            unknown=row.received.unknown,
            over=budget is not None and worst(row.received) > budget,
            parent=places.get(row.checkpoint.parent_id) if row.checkpoint.parent_id else None,
            edge=number(worst(row.step), 2) if row.step.entries else "",
        )
        for row in rows
    ]
    words = _("Checkpoints from left to right, each with what it has received; the same as a table below.")
    return _safe(lineage.draw(nodes, (warns or most) / most, _("The lineage"), words))


def _lines(row: Row) -> tuple[str, ...]:
    one = row.checkpoint
    first = [str(named(one.stage)) if one.stage != Checkpoint.Stage.UNKNOWN else _("stage unknown")]
    if one.fraction is not None:
        first.append(f"{100 * one.fraction:.0f} %")
    if one.arm:
        first.append(str(named(one.arm)))
    second = []
    if (found := row.measured.get("controllability")) is not None:
        second.append(_("controllable %(n)s %%") % {"n": number(100 * found.value, 0)})
    if (found := row.measured.get("evaluation-awareness")) is not None:
        second.append(_("aware %(n)s") % {"n": number(found.value, 2)})
    if row.recall is not None:
        second.append(_("recall %(n)s") % {"n": counted(row.recall)})
    return " · ".join(first), " · ".join(second)


def _unnamed(project: Project) -> list[Sampler]:
    """Samplers of which nobody has said which checkpoint they were."""
    samplers = Sampler.objects.filter(round__project=project, attributions=None)
    return list(samplers.select_related("round").order_by("round", "pk"))


def _others(known: Lineages, checkpoint: Checkpoint) -> list[tuple[list[str], Checkpoint]]:
    """What a checkpoint is held against: its base, its parent and its control; one that is two of them stands once."""
    found: dict[int, tuple[list[str], Checkpoint]] = {}
    for word, other in (
        ("root", probed.root_of(known, checkpoint)),
        ("parent", probed.parent_of(known, checkpoint)),
        ("control", probed.control_of(known, checkpoint)),
    ):
        if other is not None:
            found.setdefault(other.pk, ([], other))[0].append(word)
    return list(found.values())


def _sentence(results: Results, probe: Probe, path: Sequence[Checkpoint]) -> str:
    """What happened on a probe along a path, in one sentence; nothing where fewer than two were asked."""
    steps = [(one, rates) for one in path if (rates := results.rates(probe, one)) is not None]
    if len(steps) < 2:
        return ""
    judged = steps[-1][1].undetected.value is not None
    figures = [rates.undetected if judged else rates.correct for _one, rates in steps]
    counts = [round((one.value or 0) * one.n) for one in figures]
    said = {
        "whole": steps[-1][1].asked,
        "first": counts[0],
        "rest": _listed([str(count) for count in counts[1:]]),
        "all": _listed([str(count) for count in counts]),
        "least": min(counts),
        "last": counts[-1],
        "open": _listed([str(rates.unmeasured) for _one, rates in steps]),
    }
    unread = _("(%(open)s answers could not be parsed)") % said
    if not judged:
        words = _("Right answers: %(all)s of %(whole)s %(unread)s.")
    elif len(counts) > 2 and counts[-1] >= counts[0] > 2 * min(counts[1:]):
        words = _(
            "Undetected fell from %(first)s to %(least)s of %(whole)s and is back at %(last)s %(unread)s."
        )
    elif counts[0] > 2 * max(counts[1:]):
        words = _("Undetected fell from %(first)s to %(rest)s of %(whole)s and stayed there %(unread)s.")
        if len(counts) == 2:
            words = _("Undetected fell from %(first)s to %(last)s of %(whole)s %(unread)s.")
    else:
        words = _("Undetected: %(all)s of %(whole)s %(unread)s.")
    return words % {**said, "unread": unread}


def _listed(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return _("%(some)s and %(last)s") % {"some": ", ".join(words[:-1]), "last": words[-1]}


def _shown(results: Results, probe: Probe, checkpoints: Sequence[Checkpoint], known: Lineages) -> Shown:
    rows = [
        (place, one, rates)
        for place, one in enumerate(checkpoints, start=1)
        if (rates := results.rates(probe, one)) is not None
    ]
    judged = any(rates.undetected.value is not None for _place, _one, rates in rows)
    drawn = [_bar(one, rates.undetected if judged else rates.correct) for _place, one, rates in rows]
    title = _("Undetected, of all items asked") if judged else _("Right answers, of all items asked")
    words = _("Share with Wilson's interval, a row for each checkpoint.")
    moved = any(rates.happened.value is not None and rates.recall.value is not None for _p, _o, rates in rows)
    return Shown(
        probe,
        rows,
        _safe(forest.draw(drawn, SHARES, title, words)),
        _arrows(probe, rows, known) if moved else None,
        sorted(results.read_by.get(probe.pk, ())),
    )


def _bar(checkpoint: Checkpoint, found: Estimate) -> ForestRow:
    said = f"{counted(found)} {between(found)}" if found.value is not None else why(found)
    return ForestRow(checkpoint.name, found.value, found.low, found.high, said)


def _arrows(probe: Probe, rows: Sequence[tuple[int, Checkpoint, Rates]], known: Lineages) -> SafeString:
    drawn = [row for row in rows if row[2].happened.value is not None and row[2].shown.value is not None]
    places = {one.pk: place for place, (_number, one, _rates) in enumerate(drawn)}
    points = []
    for at, one, rates in drawn:
        shown, happened = (round((found.value or 0) * found.n) for found in (rates.shown, rates.happened))
        region = monitoring.region(shown, happened, rates.asked)
        kind = one.arm or (Checkpoint.Arm.SELECTED if one.parent_id else "")
        parent = places.get(one.parent_id) if one.parent_id else None
        points.append(Point(at, region.x, region.y, region.first, region.second, parent, kind))
    words = _("Each arrow leads from a parent to its child. On the dashed line all that happened was shown.")
    title = _("%(probe)s: happened against shown") % {"probe": probe.name}
    return _safe(arrows.draw(points, _("happened and shown, of 100"), _("happened, of 100"), title, words))


def _safe(drawn: str) -> SafeString:
    return mark_safe(drawn)  # noqa: S308  written by ElementTree, which escapes every word

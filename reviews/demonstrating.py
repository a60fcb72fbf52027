"""Loading the demonstration projects, through the same verbs as everyone's own data. Twice is once."""

from __future__ import annotations

import csv
import getpass
import json
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db.models import Count
from django.utils import timezone

from reviews import demonstration, importing, inviting, judging_elsewhere, planning, publishing
from reviews.demonstration import legible
from reviews.demonstration.legible import trained
from reviews.lineages import booking, probing, registering
from reviews.models import Assignment, Checkpoint, Project, Role, Round, User

SLUG, ROUND = "demo", "Round 1"
NOTE = (
    "Everything in this project is synthetic: the prompts, the traces and the three reviewers "
    "(synthetic-ada, synthetic-ben, synthetic-chi) were written for the demonstration. No model sampled them."
)
LEGIBLE, LEGIBLE_ROUND = "legible", "The legible round"
LEGIBLE_NOTE = (
    "Synthetic, and made for the demonstration: the task, its spec and the three reviewers were written for it. "
    "Traces and figures are those of a small experiment of ours, a model of 187,008 parameters that adds digits (our "
    "closed-loop prototype, seed 2, three runs). No large model sampled any of it."
)
COLUMNS = ["prompt_id", "model", "sample_index", "reviewer", "verdict", "clauses", "remarks", "comment"]


def local_user() -> User:
    """Whoever runs Winnow on this machine: its administrator."""
    name = re.sub(r"[^\w.@+-]", "-", getpass.getuser())[:150] or "local"
    user, new = User.objects.get_or_create(username=name, defaults={"is_superuser": True, "is_staff": True})
    if new:
        user.set_unusable_password()
        user.save()
    return user


def load(user: User) -> Project:
    """The demonstration project, loaded where it is missing, with `user` as lead and reviewer. Twice is once."""
    project = _project(SLUG, "Demonstration", NOTE, demonstration.spec_text())
    for role in (Role.LEAD, Role.REVIEWER):
        inviting.create_member(user.username, project, role, by=None)
    round, _ = planning.create_round(project, ROUND, by=None, double_share=0.35, k=8)
    if not _loaded(round):
        _import(round, demonstration.traces())
        _judge(round, demonstration.reviews())
    return project


def load_legible(user: User) -> Project:
    """The second one, with `user` as lead: a round that selected for tidy steps, and the checkpoints that came of it.

    All of its traces are judged: it is there to be looked at. Twice is once, and one that was broken off goes on.
    """
    project = _project(LEGIBLE, "Legible steps", LEGIBLE_NOTE, legible.spec_text())
    inviting.create_member(user.username, project, Role.LEAD, by=None)
    checkpoints = [_checkpoint(project, one) for one in trained.CHECKPOINTS]
    round, _ = planning.create_round(project, LEGIBLE_ROUND, by=None, double_share=0.2, k=legible.K)
    if not _loaded(round):
        _import(round, legible.traces())
        _judge(round, legible.reviews(_readings(round)))
    if not all(one.probe_results.exists() for one in checkpoints):
        for name, behaviour in trained.BEHAVIOURS.items():
            probing.make_probe(project, name, by=None, behaviour=behaviour, against=trained.AGAINST[name])
        probing.record(project, enumerate(_results(), start=1), by=None)
    return project


def _project(slug: str, name: str, note: str, spec: str) -> Project:
    project, _ = planning.create_project(slug, name=name)
    if not project.note:
        project.note = note
        project.save(update_fields=["note"])
    if not project.spec_versions.exists():
        publishing.publish(project, spec, by=None)
    return project


def _loaded(round: Round) -> bool:
    return round.batches.filter(finished=True).exists() and round.reviews.exists()


def _import(round: Round, traces: Iterable[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demonstration.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in traces)
        importing.run(importing.begin(round, path, by=None))


def _judge(round: Round, reviews: Iterable[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demonstration-reviews.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, COLUMNS)
            table.writeheader()
            for row in reviews:
                table.writerow(
                    {**row, "clauses": " ".join(row["clauses"]), "remarks": " ".join(row["remarks"])}
                )
        judging_elsewhere.run(round, path, by=None)


def _readings(round: Round) -> dict[tuple[str, int], int]:
    """How many people the plan has read each trace, by prompt and sample index."""
    slots = Assignment.objects.planned().filter(round=round)
    rows = slots.values_list("trace__round_prompt__external_id", "trace__sample_index")
    return {(prompt, index): n for prompt, index, n in rows.annotate(n=Count("pk")).order_by()}


def _checkpoint(project: Project, told: trained.Trained) -> Checkpoint:
    """Register a checkpoint with what the experiment's log says of it, and book the selection it was trained on."""
    parent = project.checkpoints.filter(name=trained.BASE).first() if told.name != trained.BASE else None
    checkpoint, _new = registering.register(
        project,
        told.name,
        by=None,
        parent=parent,
        stage=Checkpoint.Stage.SFT if parent else Checkpoint.Stage.BASE,
        rl_steps=0,
        arm=told.arm,
        note=told.note,
        lineage="" if parent else "tiny",
        step=None if parent else 0,
    )
    have = set(checkpoint.measurements.values_list("key", flat=True))
    for one in told.measured:
        if one.key not in have:
            registering.measure(
                checkpoint,
                one.key,
                one.value,
                by=None,
                n=one.n,
                measured_on=min(trained.DAY, timezone.localdate()),  # some clocks are behind
                file_name=trained.LOG,
                file=trained.log(),
            )
    if told.received and not checkpoint.ledger_entries.exists():
        booking.book_external(
            checkpoint,
            "trained-on-chains",
            by=None,
            source=trained.SOURCE,
            nats=told.applied,
            reason=told.received,
        )
    return checkpoint


def _results() -> Iterable[probing.Result]:
    for checkpoint in trained.CHECKPOINTS:
        for one in trained.results(checkpoint):
            yield probing.Result(
                one.probe,
                checkpoint.name,
                one.item,
                behaviour=one.behaviour,
                flag=one.flag,
                correct=one.correct,
                monitor=trained.MONITOR,
            )

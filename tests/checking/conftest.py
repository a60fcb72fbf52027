"""Rounds that are planted: who is accepted, how chains look, which domain, how many samples."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
from making import SPEC, as_lines, trace_row

from reviews import governing, importing, judging_elsewhere, planning, publishing
from reviews.checking import report
from reviews.checking.drafts import Configuration
from reviews.checking.facts import gather
from reviews.lineages import registering
from reviews.models import Project, Round, Sampler
from reviews.policies import documents

Said = Callable[[int, int, Random], str]  # of a prompt and a sample: "" accepts, a clause rejects
KEY = b"a key that gives the same prompts the same places"
ENDS = [
    "slowly",
    "at once",
    "by an owl",
    "in the rain",
    "for a friend",
    "without a word",
    "to nobody",
    "once more",
]


@pytest.fixture(autouse=True)
def held_out_key(settings: Any) -> None:
    settings.HELD_OUT_KEY = KEY


@pytest.fixture
def pilot(project: Project) -> Project:
    """A project as it is made: a fifth of its prompts held out, under the policy `pilot` with its domains named."""
    return as_made(project)


@pytest.fixture
def plant(pilot: Project, tmp_path: Path) -> Callable[..., Round]:
    """A round whose traces are judged; see `planted`."""
    return lambda name="planted", **how: planted(pilot, tmp_path, name, **how)


@pytest.fixture(scope="module")
def _world(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """The honest round, made once for a module inside a transaction that is rolled back after it."""
    folder = tmp_path_factory.mktemp("honest")
    (folder / "uploads").mkdir()
    with (
        django_db_blocker.unblock(),
        override_settings(HELD_OUT_KEY=KEY, DATA=folder, UPLOADS=folder / "uploads", EXPORTS=folder),
        transaction.atomic(),
    ):
        project, _ = planning.create_project("honest", name="Honest")
        publishing.publish(project, SPEC, by=None)
        round = planted(
            as_made(project),
            folder,
            double=True,
            domain=lambda prompt: "sums" if prompt % 2 else "words",
            meta=lambda prompt, sample, found: {"outcome": "wrong" if found == "H2" else "correct"},
        )
        yield round.pk
        transaction.set_rollback(True)


@pytest.fixture
def honest(_world: int, db: None) -> Round:
    """A hundred prompts with eight samples, six of ten accepted, each read twice; a checker knows the outcomes."""
    return Round.objects.select_related("project", "spec_version").get(pk=_world)


def as_made(project: Project) -> Project:
    project.held_out_below = 2000
    project.save()
    governing.publish(project, policy(), by=None)
    return project


def policy(name: str = "pilot", **thresholds: Any) -> documents.Policy:
    """A shipped policy with its domains named, and other lines where they are given as gate__name."""
    lines = {}
    for key, value in thresholds.items():
        gate, line = key.split("__")
        lines[f"{gate.replace('_', '-')}.{line}"] = value
    return documents.read({"name": name, "thresholds": lines, "allowed_domains": ["sums", "words"]})


def fault(share: float) -> Said:
    """Each sample fails with this probability, whatever it looks like."""
    return lambda prompt, sample, draw: draw.choice(["H1", "H2"]) if draw.random() < share else ""


def planted(
    project: Project,
    folder: Path,
    name: str = "planted",
    *,
    prompts: int = 100,
    k: int = 8,
    said: Said | None = None,
    reasoning: Callable[[int, int, str, Random], str] | None = None,
    domain: Callable[[int], str] = lambda prompt: "sums",
    meta: Callable[[int, int, str], dict[str, Any]] = lambda prompt, sample, fault: {},
    double: bool = False,
    noise: float = 0.03,
    known: bool = True,
    asked: str = "",
    **plan: Any,
) -> Round:
    """Traces judged by one reader, or by two where `double`; `noise`: how often the second differs.

    known: the sampler is a base model's. asked: rounds that say the same here have the same prompts.
    """
    draw, decide = Random(7), said or fault(0.4)
    round, _ = planning.create_round(
        project, name, by=None, k=k, overlap=2 if double else 1, double_share=0, **plan
    )
    rows, verdicts = [], []
    for prompt in range(prompts):
        for sample in range(k):
            found = decide(prompt, sample, draw)
            text = (
                reasoning(prompt, sample, found, draw)
                if reasoning
                else f"{name} {prompt}.{sample}: " + "so it goes. " * draw.randint(3, 30)
            )
            rows.append(
                trace_row(
                    prompt,
                    sample,
                    prompt=f"{asked or name}: how much is {prompt} and {prompt * 7 % 13}, said {ENDS[prompt % len(ENDS)]}?",
                    reasoning=text,
                    meta={"domain": domain(prompt), "licence": "MIT", **meta(prompt, sample, found)},
                )
            )
            for reader in ("ada", "ben")[: 2 if double else 1]:
                seen = found
                if reader == "ben" and draw.random() < noise:
                    seen = "" if found else "H1"
                verdicts.append([f"p{prompt}", "m", sample, reader, "reject" if seen else "accept", seen])
    _bring_in(round, folder, rows, verdicts)
    if known:
        base, _new = registering.register(project, "base", by=None, stage="base", rl_steps=0)
        for sampler in Sampler.objects.filter(round=round):
            registering.attribute(sampler, base, by=None)
    return Round.objects.select_related("project", "spec_version").get(pk=round.pk)


def _bring_in(round: Round, folder: Path, rows: list[Any], verdicts: list[Any]) -> None:
    traces, table = folder / f"{round.pk}.jsonl", folder / f"{round.pk}.csv"
    traces.write_bytes(as_lines(rows))
    importing.run(importing.begin(round, traces, by=None, name="t.jsonl"))
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(
            [["prompt_id", "model", "sample_index", "reviewer", "verdict", "clauses"], *verdicts]
        )
    assert judging_elsewhere.run(round, table, by=None).refused == []


def gate(round: Round, key: str, **thresholds: Any) -> Any:
    """One gate of a round, under `pilot` or with other lines; the other gates are not asked."""
    thorough = thresholds.pop("thorough", False)
    lines = policy(thresholds.pop("under", "pilot"), **thresholds)
    return report.CHECKS[key](gather(round, lines, Configuration(), thorough=thorough))

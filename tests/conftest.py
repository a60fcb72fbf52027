"""Fixtures are nouns of the domain, defined once: a project, its people, a round, traces."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from making import SPEC, as_lines, member, trace_row

from reviews import assigning, importing, judging_elsewhere, planning, publishing
from reviews.models import Assignment, Project, Role, Round, Trace, User
from reviews.models.frozen import freeze, thaw


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real traces and labels; what needs it is skipped where it is not named."""
    folder = os.environ.get("WINNOW_TEST_DATA")
    if not folder:
        pytest.skip("WINNOW_TEST_DATA is not set: it names the folder with the real traces and labels")
    return Path(folder)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """On SQLite a file, as in real life: a database in memory is one connection, which two requests at once cannot share."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    """Uploads and exports of each test go to a folder of its own."""
    cache.clear()  # rows of different tests may have the same ids
    settings.DATA = tmp_path / "data"
    settings.UPLOADS, settings.EXPORTS = settings.DATA / "uploads", settings.DATA / "exports"
    for folder in (settings.UPLOADS, settings.EXPORTS):
        folder.mkdir(parents=True)
    return settings.DATA


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    """Each test begins in the language of the settings: the one of a request stays with its thread."""
    yield
    translation.deactivate()


@pytest.fixture
def _django_db_helper(_django_db_helper: Any, request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that commits is emptied by DELETE, which frozen tables refuse: thaw them just before that."""
    marker = request.node.get_closest_marker("django_db")
    commits = (marker and (marker.kwargs.get("transaction") or (marker.args and marker.args[0]))) or bool(
        {"transactional_db", "live_server"} & set(request.fixturenames)
    )
    if commits:
        freeze(connection)
    yield
    if commits:
        thaw(connection)


@pytest.fixture
def project(db: None) -> Project:
    project, _ = planning.create_project("pilot", name="Alignment pilot")
    project.held_out_below = 0  # the tests that are about holding out set it
    project.save()
    publishing.publish(project, SPEC, by=None)
    return project


@pytest.fixture
def ada(project: Project) -> User:
    return member(project, "ada", Role.REVIEWER)


@pytest.fixture
def ben(project: Project) -> User:
    return member(project, "ben", Role.REVIEWER)


@pytest.fixture
def lea(project: Project) -> User:
    return member(project, "lea", Role.LEAD)


@pytest.fixture
def aud(project: Project) -> User:
    return member(project, "aud", Role.AUDITOR)


@pytest.fixture
def tom(project: Project) -> User:
    return member(project, "tom", Role.TRAINER)


@pytest.fixture
def stranger(db: None) -> User:
    other, _ = planning.create_project("elsewhere")
    return member(other, "stranger", Role.REVIEWER, Role.LEAD, Role.AUDITOR, Role.TRAINER)


@pytest.fixture
def round(project: Project) -> Round:
    return planning.create_round(project, "round 1", by=None, double_share=0)[0]


@pytest.fixture
def import_rows(round: Round, tmp_path: Path) -> Callable[..., importing.Report]:
    def run(rows: list[Any], into: Round | None = None, name: str = "t.jsonl") -> importing.Report:
        path = tmp_path / f"{uuid.uuid4().hex}-{name}"
        path.write_bytes(as_lines(rows))
        return importing.run(importing.begin(into or round, path, by=None, name=name))

    return run


@pytest.fixture
def traces(import_rows: Callable[..., Any], round: Round) -> list[Trace]:
    """Three prompts with two samples each, waiting in the round."""
    import_rows([trace_row(prompt, sample) for prompt in range(3) for sample in range(2)])
    return list(Trace.objects.filter(round=round).order_by("pk"))


@pytest.fixture
def leased(traces: list[Trace], ada: User, round: Round) -> Assignment:
    return assigning.next_for(ada, round).assignments[0]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Run a command with --json and give its object back; exit codes other than 0 raise."""

    def run(name: str, *args: Any) -> dict[str, Any]:
        capsys.readouterr()
        call_command(name, *map(str, args), "--json")
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return run


@pytest.fixture
def real_queries() -> Callable[[], Any]:
    """Collects the statements that reach the database, without BEGIN, SAVEPOINT, RELEASE and COMMIT."""

    @contextlib.contextmanager
    def collect() -> Iterator[list[str]]:
        asked: list[str] = []
        with CaptureQueriesContext(connection) as captured:
            yield asked
        control = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")
        asked += [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(control)]

    return collect


@pytest.fixture
def bring_in(tmp_path: Path) -> Callable[..., judging_elsewhere.Imported]:
    """Bring verdicts in from a table: (prompt, sample, reviewer, verdict, clauses)."""

    def run(round: Round, rows: list[Any], **how: Any) -> judging_elsewhere.Imported:
        path = tmp_path / f"verdicts-{len(list(tmp_path.iterdir()))}.csv"
        with path.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(
                ["prompt_id", "model", "sample_index", "reviewer", "verdict", "clauses", "comment"]
            )
            for prompt, sample, reviewer, verdict, clauses in rows:
                table.writerow([f"p{prompt}", "m", sample, reviewer, verdict, clauses, ""])
        return judging_elsewhere.run(round, path, by=None, **how)

    return run


@pytest.fixture
def team(project: Project, import_rows: Callable[..., Any], bring_in: Callable[..., Any]) -> Round:
    """Eighty prompts with two samples, each read by two of four; ben takes H2 for H1, and carl accepts too much."""
    round, _ = planning.create_round(project, "team", by=None, overlap=2)
    rows = [
        trace_row(number, sample, meta={"domain": "sums" if number % 2 else "words", "licence": "MIT"})
        for number in range(80)
        for sample in range(2)
    ]
    import_rows(rows, into=round)
    draw, said = Random(4), []
    for number in range(80):
        for sample in range(2):
            fault = draw.choice(["", "", "H1", "H2"])
            for reader in draw.sample(["ada", "ben", "carl", "dora"], 2):
                seen = fault if draw.random() < (0.5 if reader == "carl" else 0.92) else ""
                if not fault and draw.random() < 0.05:
                    seen = "H1"
                cited = "H1" if reader == "ben" and seen else seen
                said.append((number, sample, reader, "reject" if seen else "accept", cited))
    assert bring_in(round, said).refused == []
    return Round.objects.select_related("project", "spec_version").get(pk=round.pk)

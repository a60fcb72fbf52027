"""What every command has: `--json`, words for people on standard error, and exit codes that scripts rely on.

0: done. 1: refused or found wanting. 2: bad usage or input that cannot be read. Never a traceback for bad input.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from reviews.errors import Unreadable, WinnowError
from reviews.models import Project, Round


class WinnowCommand(BaseCommand):
    """A command of docs/commands.md. Subclasses write `arguments` and `run`."""

    requires_system_checks: list[str] = []
    json_wanted = False
    run: Callable[..., None]  # what the command does; raises WinnowError to refuse, or calls `found_wanting`

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="one JSON object on standard output"
        )
        self.arguments(parser)

    def arguments(self, parser: ArgumentParser) -> None:
        """The command's own arguments."""

    def handle(self, *args: Any, **options: Any) -> None:
        self.json_wanted = options.pop("as_json")
        for name in (
            "verbosity",
            "settings",
            "pythonpath",
            "traceback",
            "no_color",
            "force_color",
            "skip_checks",
        ):
            options.pop(name, None)
        try:
            self.run(**options)
        except WinnowError as refused:
            raise CommandError(str(refused), returncode=2 if isinstance(refused, Unreadable) else 1) from None
        except (OperationalError, ProgrammingError) as problem:
            raise CommandError(
                f"The database does not answer as it should: {problem}. If it is new, run "
                "'manage.py migrate' first.",
                returncode=2,
            ) from None

    def say(self, words: str) -> None:
        """A line for people."""
        self.stderr.write(words)

    def result(self, **values: Any) -> None:
        """The JSON object for programs, where it was asked for."""
        if self.json_wanted:
            self.stdout.write(json.dumps(values, ensure_ascii=False))

    def found_wanting(self) -> None:
        """Leave with exit code 1: the command ran, and what it looked at is not in order."""
        sys.exit(1)

    def progress(self, unit: str) -> Any:
        """A function that shows `done` (and `total`) on a terminal, and nothing elsewhere."""
        if not sys.stderr.isatty():
            return None

        def show(done: int, total: int | None = None) -> None:
            of = f" of {total:,}" if total else ""
            self.stderr.write(f"\r{done:,}{of} {unit}", ending="")
            self.stderr.flush()

        return show


def text_of(path: Path, instead: str = "") -> str:
    """The text of a file that a command was given. instead: what else may be named. Raises Unreadable."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise Unreadable(f"{path} cannot be read: {problem}. {instead}".rstrip()) from None


def project_named(slug: str) -> Project:
    """The project, or an error that says how to make one."""
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        raise Unreadable(f"There is no project '{slug}'. Make it with 'manage.py create_project {slug}'.")
    return project


def round_named(project: Project, name: str) -> Round:
    """The round, or an error that says how to make one."""
    round = project.rounds.filter(name=name).select_related("project", "spec_version").first()
    if round is None:
        raise Unreadable(
            f"The project '{project.slug}' has no round '{name}'. Make it with "
            f"'manage.py create_round \"{name}\" --project {project.slug}'."
        )
    return round

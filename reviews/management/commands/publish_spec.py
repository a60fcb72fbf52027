from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from reviews import publishing
from reviews.errors import Unreadable
from reviews.management.commanding import WinnowCommand, project_named


class Command(WinnowCommand):
    help = "Publish a spec from Markdown as a new frozen version."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True)

    def run(self, *, file: Path, project: str, **options: Any) -> None:
        try:
            markdown = file.read_text(encoding="utf-8")
        except OSError as problem:
            raise Unreadable(f"{file} cannot be read: {problem.strerror}.") from None
        except UnicodeDecodeError:
            raise Unreadable(f"{file} is not UTF-8 text.") from None
        version = publishing.publish(project_named(project), markdown, by=None)
        clauses = list(version.clauses.values_list("key", flat=True))
        self.say(f"Version {version.number} of the spec stands, with {len(clauses)} clauses.")
        self.result(version=version.number, clauses=clauses)

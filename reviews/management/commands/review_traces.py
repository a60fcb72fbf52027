from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from reviews import judging_elsewhere
from reviews.management.commanding import WinnowCommand, project_named, round_named


class Command(WinnowCommand):
    help = "Record verdicts that were made elsewhere, from CSV."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True)
        parser.add_argument("--round", required=True)
        parser.add_argument(
            "--kind", choices=["human", "model"], default="human", help="what unknown reviewers are"
        )
        parser.add_argument(
            "--unblinded",
            action="store_true",
            help="they knew what others had said; such verdicts decide and never enter agreement",
        )

    def run(
        self, *, file: Path, project: str, round: str, kind: str, unblinded: bool, **options: Any
    ) -> None:
        into = round_named(project_named(project), round)
        found = judging_elsewhere.run(
            into, file, by=None, kind=kind, blind=not unblinded, progress=self.progress("lines")
        )
        for line in found.refused:
            self.say(str(line))
        self.say(
            f"{found.recorded:,} verdicts recorded, {found.known:,} known, {len(found.refused):,} refused."
        )
        self.result(recorded=found.recorded, known=found.known, refused=len(found.refused))

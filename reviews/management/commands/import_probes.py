from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reviews.lineages import probing
from reviews.management.commanding import WinnowCommand, project_named


class Command(WinnowCommand):
    help = "Take the labels of a file of traces as results of probes, and register the checkpoints that it names."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True)
        parser.add_argument(
            "--trained",
            action="append",
            default=[],
            metavar="PROBE",
            help="training selected against this one; the others are then held out",
        )

    def run(self, *, file: Path, project: str, trained: list[str], **options: Any) -> None:
        found = probing.import_probes(project_named(project), file, by=None, trained=trained)
        self.say(
            f"{found.read:,} lines read: {found.new:,} results new, {found.known:,} known, {found.refused:,} refused, "
            f"{found.other:,} without labels of a probe. Not measured, because an answer could not be read: "
            f"{found.unmeasured:,}."
        )
        self.result(**asdict(found))

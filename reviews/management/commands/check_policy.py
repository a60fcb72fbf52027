from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from reviews import governing
from reviews.checking import report
from reviews.management.commanding import WinnowCommand, project_named, round_named, text_of
from reviews.policies import documents

SIGNS = {"pass": "passes", "warn": "WARNS", "block": "BLOCKS", "insufficient": "NOT MEASURED"}


class Command(WinnowCommand):
    help = "Check every gate for the draft that `export_dataset` would make now. It counts as a look."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True)
        parser.add_argument("--round", required=True)
        parser.add_argument(
            "--policy", type=Path, help="a policy's JSON; the one in force where it is not named"
        )

    def run(self, *, project: str, round: str, policy: Path | None, **options: Any) -> None:
        chosen = round_named(project_named(project), round)
        version = governing.in_force(chosen)
        lines = governing.of(version) if policy is None else documents.read_text(text_of(policy))
        found = report.of(chosen, policy=lines, thorough=True)
        for gate in found.gates:
            self.say(f"{gate.tier:<9}  {gate.key:<18} {SIGNS[gate.verdict]:<12} {gate.why}")
        self.say(f"The verdict under {lines.name} is {found.verdict}; look {found.facts.looks}.")
        document = found.document
        self.result(
            **document,
            policy={
                "name": lines.name,
                "version": version.number if policy is None else None,
                "digest": lines.digest.hex(),
            },
        )
        if found.verdict in ("block", "insufficient"):
            self.found_wanting()

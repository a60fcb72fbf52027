from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from reviews import verifying
from reviews.management.commanding import WinnowCommand


class Command(WinnowCommand):
    help = "Re-hash a data set's files and, where its traces are at hand, compare every row with its trace."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def run(self, *, folder: Path, **options: Any) -> None:
        found = verifying.verify(folder)
        for problem in found.problems:
            self.say(problem)
        beside = (
            "and every row against its trace" if found.compared else "its traces are not in this database"
        )
        self.say(
            f"{found.rows:,} rows: "
            + (f"all is as exported; {beside}." if found.ok else f"{len(found.problems)} problems.")
        )
        self.result(ok=found.ok, rows=found.rows, problems=found.problems)
        if not found.ok:
            self.found_wanting()

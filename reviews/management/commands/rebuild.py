from argparse import ArgumentParser
from typing import Any

from reviews import rebuilding
from reviews.management.commanding import WinnowCommand


class Command(WinnowCommand):
    help = "Derive decisions and queue again from the frozen tables, or only compare."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="compare only, and leave with 1 where something differs"
        )

    def run(self, *, check: bool, **options: Any) -> None:
        differences = rebuilding.check() if check else rebuilding.rebuild()
        for sentence in differences:
            self.say(sentence)
        self.say(f"{len(differences)} differences" + ("." if check else " put right."))
        self.result(ok=not differences or not check, differences=differences)
        if check and differences:
            self.found_wanting()

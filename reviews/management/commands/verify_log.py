from argparse import ArgumentParser
from typing import Any

from reviews import sealing
from reviews.management.commanding import WinnowCommand, project_named
from reviews.models import Project


class Command(WinnowCommand):
    help = "Walk the seals of the log and the ledger's chain; what is in order and not sealed yet is sealed."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", help="one project; without it, all")

    def run(self, *, project: str | None, **options: Any) -> None:
        projects = [project_named(project)] if project else list(Project.objects.order_by("slug"))
        entries = unsealed = ledger = 0
        problems: list[str] = []
        for one in projects:
            found = sealing.verify(one)
            entries, unsealed, ledger = (
                entries + found.entries,
                unsealed + found.unsealed,
                ledger + found.ledger,
            )
            problems += found.problems
            if found.ok:  # a broken log is left as it is, to be looked at
                sealing.seal(one)
        for sentence in problems:
            self.say(sentence)
        self.say(
            f"{entries:,} events in {len(projects)} projects, {unsealed:,} of them not sealed until now; "
            f"{ledger:,} ledger entries. "
            + (f"{len(problems)} problems." if problems else "All as it was written.")
        )
        self.result(ok=not problems, entries=entries, unsealed=unsealed, ledger=ledger, problems=problems)
        if problems:
            self.found_wanting()

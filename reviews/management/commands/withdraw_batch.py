from argparse import ArgumentParser
from typing import Any

from reviews import importing
from reviews.errors import Unreadable
from reviews.management.commanding import WinnowCommand
from reviews.models import ImportBatch


class Command(WinnowCommand):
    help = "Take a wrong import back: its traces leave queue, counts and exports."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("batch", type=int)
        parser.add_argument("--reason", default="withdrawn on the command line")

    def run(self, *, batch: int, reason: str, **options: Any) -> None:
        found = ImportBatch.objects.select_related("round").filter(pk=batch).first()
        if found is None:
            raise Unreadable(f"There is no import {batch}.")
        traces = importing.withdraw_batch(found, reason, by=None)
        self.say(f"Import {batch} is taken back: {traces:,} traces left the round.")
        self.result(traces=traces)

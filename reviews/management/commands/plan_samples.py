import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from reviews import planning
from reviews.errors import Unreadable
from reviews.management.commanding import WinnowCommand, project_named, round_named, text_of


class Command(WinnowCommand):
    help = "Register what is going to be sampled for a round, before the first trace: a cell that never came blocks."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help='JSON: {"k", "prompts": [ids], "models"?, "seeds"?}')
        parser.add_argument("--project", required=True)
        parser.add_argument("--round", required=True)

    def run(self, *, file: Path, project: str, round: str, **options: Any) -> None:
        chosen = round_named(project_named(project), round)
        try:
            document = json.loads(text_of(file))
        except json.JSONDecodeError as problem:
            raise Unreadable(
                f"{file}, line {problem.lineno}: {problem.msg}; a plan is one JSON object."
            ) from None
        plan = planning.plan_samples(chosen, document, by=None)
        cells = plan.as_document["k"] * len(plan.as_document["prompts"])
        self.say(f"{cells:,} samples a model are planned: {bytes(plan.digest).hex()[:12]}…")
        self.result(digest=bytes(plan.digest).hex(), cells=cells, traces_before=plan.traces_before)

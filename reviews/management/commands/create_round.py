from argparse import ArgumentParser
from typing import Any

from reviews import planning
from reviews.management.commanding import WinnowCommand, project_named


class Command(WinnowCommand):
    help = "Make a round in a project. One that exists is left as it is."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--project", required=True)
        parser.add_argument("--overlap", type=int, default=1, help="how many people read each trace")
        parser.add_argument(
            "--double-share", type=float, default=0.2, help="share of traces read by two at least"
        )
        parser.add_argument("--rule", default="agree", help="agree, majority or first")
        parser.add_argument("--k", type=int, help="how many samples of each prompt are planned")

    def run(
        self,
        *,
        name: str,
        project: str,
        overlap: int,
        double_share: float,
        rule: str,
        k: int | None,
        **options: Any,
    ) -> None:
        round, new = planning.create_round(
            project_named(project), name, by=None, overlap=overlap, double_share=double_share, rule=rule, k=k
        )
        self.say(
            f"The round '{name}' is made." if new else f"The round '{name}' exists; nothing was changed."
        )
        self.result(round=round.pk)

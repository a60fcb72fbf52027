from argparse import ArgumentParser
from typing import Any

from reviews import planning
from reviews.management.commanding import WinnowCommand, project_named
from reviews.models import Round


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
        parser.add_argument("--mode", default="absolute", help=", ".join(Round.Mode.values))
        parser.add_argument(
            "--answer-first-share", type=float, default=0, help="share judged by the answer alone first"
        )
        parser.add_argument(
            "--full-clause-share", type=float, default=0, help="share with every clause judged"
        )
        parser.add_argument("--gold-rate", type=float, default=0, help="share of gold mixed in")
        parser.add_argument(
            "--repeat-rate", type=float, default=0, help="share read again by the same person"
        )
        parser.add_argument("--repeat-after-days", type=int, default=7, help="days before a repeat")
        parser.add_argument(
            "--prefilter",
            default="",
            help="correct: queue only what a checker calls right; priced as pressure",
        )
        parser.add_argument(
            "--subset",
            type=float,
            default=1,
            dest="subset_share",
            help="share of traces that is queued, drawn at random",
        )
        parser.add_argument("--training", action="store_true", help="all of it gold, with feedback")

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
        more = {part: options[part] for part in planning.PLAN if part in options}
        round, new = planning.create_round(
            project_named(project),
            name,
            by=None,
            overlap=overlap,
            double_share=double_share,
            rule=rule,
            k=k,
            **more,
        )
        self.say(
            f"The round '{name}' is made." if new else f"The round '{name}' exists; nothing was changed."
        )
        self.result(round=round.pk)

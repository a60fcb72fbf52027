from argparse import ArgumentParser
from typing import Any

from reviews.lineages import registering
from reviews.management.commanding import WinnowCommand, project_named
from reviews.models import Checkpoint


class Command(WinnowCommand):
    help = "Register a checkpoint of a lineage. The same again changes nothing."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--project", required=True)
        parser.add_argument("--parent", help="the name of the checkpoint that it was trained from")
        parser.add_argument(
            "--stage", default=Checkpoint.Stage.UNKNOWN, help=", ".join(Checkpoint.Stage.values)
        )
        parser.add_argument("--fraction", type=float, help="of the planned training, 0 to 1")
        parser.add_argument(
            "--weights", default="", help="the digest of its weights: who it is, in any project"
        )
        parser.add_argument("--rl-steps", type=int, help="steps of reinforcement learning so far")
        parser.add_argument("--arm", default="", help=", ".join(filter(None, Checkpoint.Arm.values)))

    def run(
        self,
        *,
        name: str,
        project: str,
        parent: str | None,
        stage: str,
        fraction: float | None,
        weights: str,
        rl_steps: int | None,
        arm: str,
        **options: Any,
    ) -> None:
        space = project_named(project)
        checkpoint, new = registering.register(
            space,
            name,
            by=None,
            parent=registering.named(space, parent, "parent") if parent else None,
            stage=stage,
            fraction=fraction,
            weights_digest=weights,
            rl_steps=rl_steps,
            arm=arm,
        )
        self.say(
            f"The checkpoint '{checkpoint.name}' is registered."
            if new
            else f"The checkpoint '{checkpoint.name}' was registered before; nothing was changed."
        )
        self.result(checkpoint=checkpoint.name)

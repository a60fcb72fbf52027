from argparse import ArgumentParser
from typing import Any

from reviews import inviting
from reviews.management.commanding import WinnowCommand, project_named


class Command(WinnowCommand):
    help = "Make a user a member of a project. Twice changes nothing."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--project", required=True)
        parser.add_argument("--role", default="reviewer", help="reviewer, lead, auditor or trainer")
        parser.add_argument(
            "--token", action="store_true", help="make an API token too; it is shown this once"
        )

    def run(self, *, name: str, project: str, role: str, token: bool, **options: Any) -> None:
        space = project_named(project)
        user = inviting.create_member(name, space, role, by=None)
        secret = inviting.make_token(user, space, role, by=None) if token else None
        self.say(
            f"{name} is {role} of '{project}'." + (f" Token, shown this once: {secret}" if secret else "")
        )
        self.result(user=name, role=role, token=secret)

from argparse import ArgumentParser
from typing import Any

from reviews import planning
from reviews.management.commanding import WinnowCommand


class Command(WinnowCommand):
    help = "Make a project. One that exists is left as it is."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", default="")

    def run(self, *, slug: str, name: str, **options: Any) -> None:
        project, new = planning.create_project(slug, name=name)
        self.say(
            f"The project '{slug}' is made." if new else f"The project '{slug}' exists; nothing was changed."
        )
        self.result(project=project.slug)

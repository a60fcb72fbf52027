from typing import Any

from reviews import demonstrating
from reviews.management.commanding import WinnowCommand


class Command(WinnowCommand):
    help = "Load the demonstration project. Twice changes nothing."

    def run(self, **options: Any) -> None:
        project = demonstrating.load(demonstrating.local_user())
        self.say(f"The demonstration project '{project.slug}' is there. Everything in it is synthetic.")
        self.result(project=project.slug)

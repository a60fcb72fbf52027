from typing import Any

from reviews import demonstrating
from reviews.management.commanding import WinnowCommand


class Command(WinnowCommand):
    help = "Load the two demonstration projects. Twice changes nothing."

    def run(self, **options: Any) -> None:
        user = demonstrating.local_user()
        project, second = demonstrating.load(user), demonstrating.load_legible(user)
        self.say(
            f"The demonstration projects '{project.slug}' and '{second.slug}' are there. Both are synthetic: no large "
            "model sampled anything in them."
        )
        self.result(project=project.slug)

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from reviews import governing
from reviews.management.commanding import WinnowCommand, project_named, text_of
from reviews.policies import documents
from reviews.policies.thresholds import POLICIES


class Command(WinnowCommand):
    help = "Publish a policy: a JSON file, or `pilot` or `production` as they ship."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("policy", help="a JSON file, or pilot, or production")
        parser.add_argument("--project", required=True)
        parser.add_argument("--reason", default="", help="why it is laxer than the one before, where it is")

    def run(self, *, policy: str, project: str, reason: str, **options: Any) -> None:
        chosen = project_named(project)
        lines = (
            documents.shipped(policy)
            if policy in POLICIES
            else documents.read_text(text_of(Path(policy), "Name a JSON file, pilot or production."))
        )
        before = governing.newest(chosen)
        version = governing.publish(chosen, lines, by=None, reason=reason)
        new = version.pk != before.pk
        self.say(f"{version} is in force." if new else f"{version} is in force already; nothing was changed.")
        self.result(version=version.number, name=version.name, digest=lines.digest.hex(), new=new)

import io
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections

from annotator import supervising
from reviews import demonstrating, inviting, opening_files
from reviews.management.commanding import WinnowCommand
from reviews.models import User


class Command(WinnowCommand):
    help = (
        "Run everything on this machine: broker, web server and Celery worker, watched and stopped together."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", type=Path, help="open on this file of traces, whatever its shape")
        parser.add_argument("--no-demo", action="store_true", help="do not load the demonstration projects")

    def run(self, *, file: Path | None, no_demo: bool, **options: Any) -> None:
        with supervising.folder_locked(settings.DATA):
            self.say(f"Winnow keeps its data in {settings.DATA}.")
            call_command("migrate", verbosity=0, interactive=False)
            call_command("check", databases=["default"], stdout=io.StringIO())
            user = demonstrating.local_user()
            if not no_demo:
                demonstrating.load(user)
            start = ""
            if file is not None:
                opened = opening_files.open_for(user, file)
                self.say(opened.sentence)
                if not opened.path:
                    raise CommandError("; ".join(opened.missing) or opened.sentence, returncode=2)
                start = opened.path

            def ready() -> None:
                link = inviting.link_base() + inviting.make_login_link(user, next=start)
                self.say(f"Ready. Open {link} (it signs you in once; Ctrl-C stops Winnow)")
                if not no_demo:
                    threading.Thread(target=load_legible, args=[user], daemon=True).start()

            supervising.Supervisor().run(ready)
            self.say("Stopped.")


def load_legible(user: User) -> None:
    """The second demonstration, once people can sign in: nobody waits for it, and a stop does not either."""
    demonstrating.load_legible(user)
    connections.close_all()

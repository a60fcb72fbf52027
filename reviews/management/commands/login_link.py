from argparse import ArgumentParser
from typing import Any

from reviews import inviting
from reviews.errors import Unreadable
from reviews.management.commanding import WinnowCommand
from reviews.models import User


class Command(WinnowCommand):
    help = "Print a link that signs a user in, once."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")

    def run(self, *, name: str, **options: Any) -> None:
        user = User.objects.filter(username=name, is_active=True, kind=User.Kind.HUMAN).first()
        if user is None:
            raise Unreadable(
                f"There is no user '{name}'. Make one with 'manage.py create_member {name} --project …'."
            )
        link = inviting.link_base() + inviting.make_login_link(user)
        self.say(f"{link}\nIt works once, within 24 hours.")
        self.result(link=link)

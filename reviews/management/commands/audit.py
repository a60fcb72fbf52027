from argparse import ArgumentParser
from typing import Any

import numpy as np

from reviews.audit import agreement, clauses, disputes, overview, readers, rows, tables
from reviews.audit.figures import Table
from reviews.errors import Unreadable
from reviews.management.commanding import WinnowCommand, project_named
from reviews.models import Round


class Command(WinnowCommand):
    help = "Every figure of a round's audit, as its pages show it. The round by its number, as 'pilot/3'."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("round", help="SLUG/NUMBER, as in the address of its page")

    def run(self, *, round: str, **options: Any) -> None:
        found = _round(round)
        table = Table.of(rows.readings(found))
        whole = overview.of(found, table, most=None)
        team = readers.of(found, table)
        second = whole.whole.second
        if second.value is None:
            self.say("Of 100 accepted traces, a second reader would have rejected: not measured.")
        else:
            between = (
                "" if second.low is None else f" [{100 * second.low:.1f}, {100 * (second.high or 0):.1f}]"
            )
            self.say(
                f"Of 100 accepted traces, a second reader would have rejected {100 * second.value:.1f}{between}."
            )
        self.say(f"{whole.whole.readings:,} verdicts, {whole.whole.twice:,} traces read twice.")
        self.result(
            digest=tables.digest(found),
            agreement=agreement.of_codes(table.codes),
            overview=_plain(whole),
            clauses=_plain(clauses.by_clause(found, table)),
            confusion=_plain(clauses.confusion(found, table)),
            readers=_plain(team),
            disputes=_plain(disputes.of(found)),
        )


def _round(named: str) -> Round:
    slug, _, number = named.rpartition("/")
    project = project_named(slug)
    rounds = Round.objects.filter(project=project).select_related("project", "spec_version")
    found = rounds.filter(pk=int(number)).first() if number.isdecimal() else None
    if found is None:
        raise Unreadable(f"Project '{slug}' has no round with the number '{number}'.")
    return found


def _plain(value: Any) -> Any:
    """What JSON can hold: dataclasses as objects, arrays as lists."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "__dataclass_fields__"):
        return _plain({name: getattr(value, name) for name in value.__dataclass_fields__})
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value

"""Sealing the log: stretches of events are hashed, each seal carrying the hash of the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Max

from reviews.formats import canonical
from reviews.lineages import booking
from reviews.models import Event, Project, Seal
from reviews.models.events import lock_log

FIRST = bytes(32)
EVENTS_A_SEAL = 10_000


@dataclass
class Findings:
    """What a walk along the seals found. unsealed: events that are younger than the last seal."""

    entries: int = 0
    unsealed: int = 0
    ledger: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


def seal_all() -> int:
    """Seal what is not sealed yet in every project; how many seals were made. Safe to run at any time, twice too."""
    return sum(len(seal(project)) for project in Project.objects.order_by("pk"))


def seal(project: Project) -> list[Seal]:
    """Seal a project's events up to now, at most EVENTS_A_SEAL in one seal."""
    made = []
    while (fresh := _seal_once(project)) is not None:
        made.append(fresh)
        if fresh.n < EVENTS_A_SEAL:
            break
    return made


@transaction.atomic
def _seal_once(project: Project) -> Seal | None:
    # Nobody writes an event of the project while the last id is read: else one with a lower id could commit later.
    lock_log(project.pk, alone=True)
    before = Seal.objects.filter(project=project).order_by("-number").first()
    after = before.last if before else 0
    events = list(Event.objects.filter(project=project, pk__gt=after).order_by("pk")[:EVENTS_A_SEAL])
    if not events:
        return None
    number, previous = (before.number + 1, bytes(before.digest)) if before else (1, FIRST)
    first = after + 1  # from the end of the last seal on, so that nothing fits between
    return Seal.objects.create(
        project=project,
        number=number,
        first=first,
        last=events[-1].pk,
        n=len(events),
        digest=_digest(number, previous, events),
        previous=previous,
    )


def verify(project: Project) -> Findings:
    """Walk the seals of a project and its ledger's chain: every event as it was, none added, none taken away."""
    found, previous, expected = Findings(), FIRST, 1
    events = Event.objects.filter(project=project)
    for number, one in enumerate(Seal.objects.filter(project=project).order_by("number"), start=1):
        inside = events.filter(pk__gte=one.first, pk__lte=one.last).order_by("pk")
        if one.number != number or bytes(one.previous) != previous or one.first != expected:
            found.problems.append(f"{project.slug}: seal {number} does not follow the one before")
            break
        if inside.count() != one.n or _digest(number, previous, inside.iterator()) != bytes(one.digest):
            found.problems.append(
                f"{project.slug}: the events of seal {number} ({one.n} from {one.first} to {one.last}) are not those "
                "that were sealed"
            )
        previous, expected = bytes(one.digest), one.last + 1
    last = Seal.objects.filter(project=project).aggregate(last=Max("last"))["last"] or 0
    found.entries = events.count()
    found.unsealed = events.filter(pk__gt=last).count()
    found.ledger = project.ledger_entries.count()
    found.problems += booking.problems(project)
    return found


def head(project: Project) -> str:
    """The digest of the last seal, for a manifest: whoever keeps it can tell later that nothing before was changed."""
    last = Seal.objects.filter(project=project).order_by("-number").first()
    return bytes(last.digest).hex() if last else FIRST.hex()


def _digest(number: int, previous: bytes, events: Iterable[Event]) -> bytes:
    """SHA-256 over the seal before and every event, each in canonical JSON on a line of its own."""
    running = hashlib.sha256(canonical.dump([number, previous.hex()]))
    for event in events:
        row = [event.pk, event.at.isoformat(), event.actor_id, event.kind, event.subject]
        running.update(b"\n" + canonical.dump([*row, bytes(event.payload).hex()]))
    return running.digest()

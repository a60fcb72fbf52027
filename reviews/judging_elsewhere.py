"""Verdicts made elsewhere, brought in from CSV: leases are ignored, free slots filled, extra ones added."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from reviews import assigning, permitting, reviewing
from reviews.errors import Unreadable, WinnowError
from reviews.formats import canonical, verdicts_csv
from reviews.formats.records import RefusedLine
from reviews.formats.verdicts_csv import SaidElsewhere
from reviews.models import Assignment, Event, Member, Review, Role, Round, Trace, User, Verdict

ROWS_A_BATCH = 200
# The key of an imported verdict is made of what it says, so that the same line again is the same review.
_KEYS = uuid.UUID("6f1d7a52-9f6e-4f5a-9c62-0d3b8f6f2b11")


@dataclass
class Imported:
    """What came of a file of verdicts."""

    recorded: int = 0
    known: int = 0
    refused: list[RefusedLine] = field(default_factory=list)


def run(round: Round, path: Path, *, by: User | None, kind: str = User.Kind.HUMAN,
        progress: Callable[[int], None] | None = None) -> Imported:
    """Record every verdict of a CSV file; of several lines by one reviewer for one trace the last stands.

    Unknown reviewers become members without a login. Raises Unreadable where the file is no such table.
    """
    permitting.require(by, round.project_id, Role.LEAD, doing="Bringing verdicts in")
    found = Imported()
    try:
        with path.open("rb") as file:
            rows = list(verdicts_csv.read(file, path.name))
    except OSError as problem:
        raise Unreadable(f"{path} cannot be read: {problem.strerror}.") from None
    except verdicts_csv.UnreadableVerdicts as problem:
        raise Unreadable(f"{problem}.") from None
    found.refused = [row for row in rows if isinstance(row, RefusedLine)]
    last = {(row.trace_digest, row.identity, row.reviewer): row for row in rows if isinstance(row, SaidElsewhere)}
    done = len(rows) - len(last)
    found.known += sum(isinstance(row, SaidElsewhere) for row in rows) - len(last)
    for batch in _batches(last.values()):
        with transaction.atomic():
            _record(round, batch, path.name, kind, found)
        done += len(batch)
        if progress:
            progress(done)
    with transaction.atomic():
        Event.objects.log(round.project_id, "reviews.imported", by, round, file=path.name, recorded=found.recorded,
                          known=found.known, refused=len(found.refused))
    return found


def _record(round: Round, rows: list[SaidElsewhere], name: str, kind: str, found: Imported) -> None:
    people = _reviewers(round, {row.reviewer for row in rows}, kind)
    traces = _traces(round, rows)
    for row in rows:
        trace = traces.get(row.trace_digest or canonical.digest(list(row.identity or ())))
        said = reviewing.Said(row.verdict, row.clauses, row.remarks, comment=row.comment)
        try:
            if trace is None:
                raise WinnowError("no such trace in this round")
            new = _record_one(round, trace, said, people[row.reviewer])
        except WinnowError as refused:
            text = f"{row.reviewer},{row.verdict}".encode()
            found.refused.append(RefusedLine(name, row.line, getattr(refused, "field", None) or "", str(refused), text))
            continue
        found.recorded += new
        found.known += not new


def _record_one(round: Round, trace: Trace, said: reviewing.Said, by: User) -> bool:
    """Write one verdict, unless it stands already; whether it is new."""
    own = Review.objects.heads().filter(trace=trace, reviewer=by, kind=Review.Kind.REVIEW).first()
    if own is not None and bytes(own.body_digest) == said.digest(trace, Review.Kind.REVIEW):
        return False
    counts = by.kind == User.Kind.HUMAN
    slot = own.slot if own is not None and own.verdict != Verdict.WITHDRAWN else _free_slot(round, trace, by) if counts else None
    key = uuid.uuid5(_KEYS, f"{trace.pk} {said.digest(trace, 'review').hex()} {own.pk if own else 0}")
    review = reviewing.write(trace, said, by, key, Review.Origin.IMPORTED, spec=round.spec_version, slot=slot, supersedes=own)
    if slot is not None:
        now = timezone.now()
        Assignment.objects.filter(trace=trace, slot=slot).update(
            closed_by=review, leased_by=by, leased_at=now, leased_until=now, searched_to=None, searched_epoch=None)
    reviewing.rederive(trace)
    return True


def _free_slot(round: Round, trace: Trace, by: User) -> int:
    """The reviewer's own leased slot, else an open one, else one whose lease someone else holds, else a new one."""
    slots = list(Assignment.objects.filter(trace=trace).order_by("slot"))
    waiting = [slot for slot in slots if slot.closed_by_id is None]
    waiting.sort(key=lambda slot: (slot.leased_by_id != by.pk, slot.leased_by_id is not None, slot.slot))
    if waiting and (waiting[0].leased_by_id in (None, by.pk)):
        return waiting[0].slot
    slot = max((slot.slot for slot in slots), default=-1) + 1
    planned = assigning.planned_readings(round, bytes(trace.digest))
    Assignment.objects.create(round=round, trace=trace, slot=slot, kind=assigning.slot_kind(slot, planned),
                              place=assigning.behind_all())
    return slot


def _reviewers(round: Round, names: set[str], kind: str) -> dict[str, User]:
    people = {user.username: user for user in User.objects.filter(username__in=names)}
    for name in sorted(names - people.keys()):
        people[name] = User(username=name, kind=kind)
        people[name].set_unusable_password()
        people[name].save()
    for user in people.values():
        Member.objects.get_or_create(project_id=round.project_id, user=user, role=Role.REVIEWER)
    return people


def _traces(round: Round, rows: list[SaidElsewhere]) -> dict[bytes, Trace]:
    """The traces that the rows name, by digest and by identity, those still standing."""
    digests = [row.trace_digest for row in rows if row.trace_digest]
    identities = [canonical.digest(list(row.identity)) for row in rows if row.identity]
    standing = Trace.objects.filter(round=round).standing().select_related("round__spec_version", "batch__withdrawal").defer("meta")
    found = {bytes(trace.digest): trace for trace in standing.filter(digest__in=digests)}
    return found | {bytes(trace.identity): trace for trace in standing.filter(identity__in=identities)}


def _batches(rows: Iterable[SaidElsewhere]) -> Iterator[list[SaidElsewhere]]:
    held: list[SaidElsewhere] = []
    for row in rows:
        held.append(row)
        if len(held) == ROWS_A_BATCH:
            yield held
            held = []
    if held:
        yield held

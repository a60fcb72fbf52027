"""Verdicts made elsewhere, brought in from CSV: leases are ignored, free slots filled, extra ones added."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from reviews import deriving, drawing, permitting, prefiltering, saying, slotting, standing_in
from reviews.errors import Unreadable, WinnowError
from reviews.formats import canonical, verdicts_csv
from reviews.formats.records import RefusedLine
from reviews.formats.verdicts_csv import SaidElsewhere
from reviews.models import (
    Assignment,
    Citation,
    Decision,
    Event,
    Member,
    Review,
    Role,
    Round,
    Trace,
    User,
    Verdict,
    statistics,
)

ROWS_A_BATCH = 200
MANY = 200  # from here on a database that plans with old numbers plans badly
# The key of an imported verdict is made of what it says, so that the same line again is the same review.
_KEYS = uuid.UUID("6f1d7a52-9f6e-4f5a-9c62-0d3b8f6f2b11")


@dataclass
class Imported:
    """What came of a file of verdicts."""

    recorded: int = 0
    known: int = 0
    refused: list[RefusedLine] = field(default_factory=list)


def run(
    round: Round,
    path: Path,
    *,
    by: User | None,
    kind: str = User.Kind.HUMAN,
    blind: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Imported:
    """Record every verdict of a CSV file; of several lines by one reviewer for one trace the last stands.

    Unknown reviewers become members without a login. blind: none of them knew what others had said; where they did,
    the verdicts decide all the same and never enter agreement. Raises Unreadable where the file is no such table.
    """
    permitting.require(by, round.project_id, Role.LEAD, doing=_("Bringing verdicts in"))
    found = Imported()
    try:
        with path.open("rb") as file:
            rows = list(verdicts_csv.read(file, path.name))
    except OSError as problem:
        raise Unreadable(f"{path} cannot be read: {problem.strerror}.") from None
    except verdicts_csv.UnreadableVerdicts as problem:
        raise Unreadable(f"{problem}.") from None
    found.refused = [row for row in rows if isinstance(row, RefusedLine)]
    last = {
        (row.trace_digest, row.identity, row.reviewer): row for row in rows if isinstance(row, SaidElsewhere)
    }
    done = len(rows) - len(last)
    found.known += sum(isinstance(row, SaidElsewhere) for row in rows) - len(last)
    for batch in _batches(last.values()):
        with transaction.atomic():
            _record(round, batch, path.name, kind, blind, found)
        done += len(batch)
        if progress:
            progress(done)
    with transaction.atomic():
        if found.recorded >= MANY:
            statistics.refresh(Review, Decision, Assignment)
        Event.objects.log(
            round.project_id,
            "reviews.imported",
            by,
            round,
            file=path.name,
            recorded=found.recorded,
            known=found.known,
            refused=len(found.refused),
            blind=blind,
        )
    return found


def _record(
    round: Round, rows: list[SaidElsewhere], name: str, kind: str, blind: bool, found: Imported
) -> None:
    people = _reviewers(round, {row.reviewer for row in rows}, kind)
    traces = _traces(round, rows)
    table = _Table(round, list({trace.pk: trace for trace in traces.values()}.values()), blind)
    for row in rows:
        trace = traces.get(row.trace_digest or canonical.digest(list(row.identity or ())))
        said = saying.Said(row.verdict, row.clauses, row.remarks, comment=row.comment)
        try:
            if trace is None:
                raise WinnowError("no such trace in this round")
            new = table.add(trace, said, people[row.reviewer])
        except WinnowError as refused:
            text = f"{row.reviewer},{row.verdict}".encode()
            found.refused.append(
                RefusedLine(name, row.line, getattr(refused, "field", None) or "", str(refused), text)
            )
            continue
        found.recorded += new
        found.known += not new
    table.write()


class _Table:
    """The verdicts of one batch, worked out in memory and written in a handful of statements."""

    def __init__(self, round: Round, traces: list[Trace], blind: bool) -> None:
        self.round, self.blind, self.now = round, blind, timezone.now()
        self.heads: dict[int, list[Review]] = {trace.pk: [] for trace in traces}
        for head in Review.objects.heads().filter(trace__in=traces).order_by("at", "pk"):
            self.heads[head.trace_id].append(head)
        self.slots: dict[int, list[Assignment]] = {trace.pk: [] for trace in traces}
        for slot in Assignment.objects.planned().filter(trace__in=traces).order_by("slot"):
            self.slots[slot.trace_id].append(slot)
        self.kept_out = prefiltering.left_out(round, traces)
        self.clauses = saying.clauses_of(round.spec_version)
        self.new: list[Review] = []
        self.cited: list[Citation] = []
        self.filled: list[tuple[Assignment, Review]] = []
        self.touched: dict[int, Trace] = {}

    def add(self, trace: Trace, said: saying.Said, by: User) -> bool:
        """Take one verdict in, unless it stands already; whether it is new. Raises Invalid, WinnowError."""
        if trace.pk in self.kept_out:
            raise WinnowError("the round's plan keeps this trace out of review")
        heads = self.heads[trace.pk]
        own = next((head for head in heads if head.reviewer_id == by.pk and deriving.is_reading(head)), None)
        digest = said.digest(trace, Review.Kind.REVIEW)
        if own is not None and bytes(own.body_digest) == digest:
            return False
        if own is not None and own.pk is None:
            raise WinnowError(
                "this reviewer and trace stand in the file twice, once by digest and once by its parts; "
                "name a trace one way"
            )
        cited = saying.citations(said, self.clauses, trace)
        slot = self._slot(trace, by, own) if by.kind == User.Kind.HUMAN else None
        review = Review(
            round=self.round,
            trace=trace,
            slot=slot.slot if slot else None,
            reviewer=by,
            reviewer_kind=by.kind,
            origin=Review.Origin.IMPORTED,
            blind=self.blind,
            verdict=said.verdict,
            spec_version=self.round.spec_version,
            comment=said.comment,
            body_digest=digest,
            supersedes=own,
            at=self.now,
            key=uuid.uuid5(_KEYS, f"{trace.pk} {digest.hex()} {own.pk if own else 0}"),
        )
        for citation in cited:
            citation.review = review
        self.heads[trace.pk] = [head for head in heads if head is not own] + [review]
        self.new.append(review)
        self.cited += cited
        if slot is not None:
            slot.leased_by = by  # taken: the next verdict of this batch looks for another
            self.filled.append((slot, review))
        self.touched[trace.pk] = trace
        return True

    def _slot(self, trace: Trace, by: User, own: Review | None) -> Assignment:
        """The slot of the verdict that this one replaces, else the reviewer's own, an open one, or a new one."""
        slots, filled = self.slots[trace.pk], {id(slot) for slot, _ in self.filled}
        if own is not None and own.verdict != Verdict.WITHDRAWN and own.slot is not None:
            return next(slot for slot in slots if slot.slot == own.slot)
        waiting = [slot for slot in slots if slot.closed_by_id is None and id(slot) not in filled]
        waiting.sort(key=lambda slot: (slot.leased_by_id != by.pk, slot.slot))
        for slot in waiting:
            if slot.leased_by_id in (None, by.pk):
                return slot
        number = max((slot.slot for slot in slots), default=-1) + 1
        planned = drawing.planned_readings(self.round, bytes(trace.digest))
        slots.append(
            Assignment(
                round=self.round,
                trace=trace,
                slot=number,
                kind=slotting.slot_kind(number, planned),
                place=slotting.behind_all(),
            )
        )
        return slots[-1]

    def write(self) -> None:
        """Insert the reviews, close their slots and derive the decisions of the traces they touch."""
        standing_in.dissolve(list(self.touched))
        Review.objects.bulk_create(self.new)
        Citation.objects.bulk_create(self.cited)
        for slot, review in self.filled:
            slot.closed_by, slot.leased_by, slot.leased_at, slot.leased_until = (
                review,
                review.reviewer,
                self.now,
                self.now,
            )
            slot.searched_to = slot.searched_epoch = None
        closed = [slot for slot, _ in self.filled]
        Assignment.objects.bulk_create(slot for slot in closed if slot.pk is None)
        Assignment.objects.bulk_update(
            [slot for slot in closed if slot.pk is not None],
            ["closed_by", "leased_by", "leased_at", "leased_until", "searched_to", "searched_epoch"],
        )
        bad = deriving.bad_prompts({trace.round_prompt_id for trace in self.touched.values()})
        for trace in self.touched.values():
            deriving.derive(
                trace,
                deriving.counting(self.heads[trace.pk]),
                trace.round_prompt_id in bad,
                slots=len(self.slots[trace.pk]),
            )


def _reviewers(round: Round, names: set[str], kind: str) -> dict[str, User]:
    people = {user.username: user for user in User.objects.filter(username__in=names)}
    for name in sorted(names - people.keys()):
        people[name] = User(username=name, kind=kind)
        people[name].set_unusable_password()
        people[name].save()
    here = set(
        Member.objects.filter(
            project=round.project_id, user__in=people.values(), role=Role.REVIEWER
        ).values_list("user", flat=True)
    )
    Member.objects.bulk_create(
        Member(project_id=round.project_id, user=user, role=Role.REVIEWER)
        for user in people.values()
        if user.pk not in here
    )
    return people


def _traces(round: Round, rows: list[SaidElsewhere]) -> dict[bytes, Trace]:
    """The traces that the rows name, by digest and by identity, those still standing."""
    digests = [row.trace_digest for row in rows if row.trace_digest]
    identities = [canonical.digest(list(row.identity)) for row in rows if row.identity]
    standing = (
        Trace.objects.filter(round=round)
        .standing()
        .select_related("round__spec_version", "batch__withdrawal")
        .defer("meta")
    )
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

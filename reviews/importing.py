"""Bringing traces in: good rows go in, bad rows come back, the same file again adds nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from reviews import deriving, holding_out, jobs, permitting, standing_in
from reviews.errors import Conflict, Invalid, Unreadable
from reviews.formats import canonical, canonical_traces, guessing, mapped_traces, opening
from reviews.formats.guessing import Guess
from reviews.formats.mapping import Mapping, MappingProblem
from reviews.formats.records import RefusedLine, Sample
from reviews.landing import Landed, Namer, Prepared, Writer
from reviews.lineages import adopting
from reviews.models import (
    Assignment,
    BatchWithdrawal,
    Decision,
    Event,
    ImportBatch,
    Prompt,
    Role,
    Round,
    RoundPrompt,
    Text,
    Trace,
    User,
    statistics,
)

ROWS_A_BATCH = 400
BYTES_A_BATCH = 8 * 2**20
MANY = 200  # from here on a database that plans with old numbers plans badly
ADVISORY_LOCK = 0x57494E4E  # one import writes at a time in the whole instance

Progress = Callable[[int], None]
Answer = Callable[["Landed"], None]


@dataclass
class Report:
    """The counts of one import and, where asked for, its refused lines. read = traces_new + traces_known + refused."""

    read: int = 0
    traces_new: int = 0
    traces_known: int = 0
    prompts_new: int = 0
    refused: int = 0
    warnings: int = 0
    by_format: dict[str, int] = field(default_factory=dict)

    def count(self, row: Landed) -> None:
        self.read += 1
        self.traces_new += row.state == "new"
        self.traces_known += row.state == "known"
        self.refused += row.state == "refused"
        self.warnings += bool(row.warning)


def begin(
    round: Round, path: Path, *, by: User | None, name: str = "", mapping: Mapping | None = None
) -> ImportBatch:
    """A batch for this file: a new one, or the unfinished one that the same file began, to be taken up again.

    Raises Unreadable where the file cannot be opened, Conflict where the same file's import was withdrawn and is
    still marked unfinished, NotAllowed.
    """
    permitting.require(by, round.project_id, Role.LEAD, doing=_("Importing traces"))
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").digest()
    except OSError as problem:
        raise Unreadable(f"{path} cannot be read: {problem.strerror}.") from None
    used = canonical.dump(mapping.as_dict() if mapping else {})
    same = ImportBatch.objects.filter(
        round=round, sha256=sha256, mapping=used, finished=False, withdrawal=None
    )
    if (unfinished := same.order_by("pk").last()) is not None:
        if str(path) != unfinished.path:
            ImportBatch.objects.filter(pk=unfinished.pk).update(path=str(path))
            unfinished.path = str(path)
        return unfinished
    return ImportBatch.objects.create(
        round=round,
        file=name or path.name,
        path=str(path),
        sha256=sha256,
        mapping=used,
        by=by,
        format=mapped_traces.NAME if mapping else canonical_traces.NAME,
    )


def run(batch: ImportBatch, *, progress: Progress | None = None, answer: Answer | None = None) -> Report:
    """Read the batch's file into its round, one transaction for each few hundred lines.

    A batch that was broken off goes on after its last committed line. progress: called with the lines done so far.
    answer: called for each line of this run, in order. Raises Unreadable where the file breaks off in the middle;
    what was read until then is in.
    """
    namer, told = Namer(), adopting.Told()
    if batch.lines:
        told.read_back(batch)
    holding_out.index(batch.round.project)
    prepared = _prepared(batch, namer)
    for rows in _batches(row for row in prepared if row.line > batch.lines):
        with transaction.atomic():
            _one_import_at_a_time()
            landed = Writer(batch, namer, told).write(rows)
            _count(batch, landed, last_line=rows[-1].line)
        if answer is not None:
            for one in landed:
                answer(one)
        if progress:
            progress(batch.lines)
    with transaction.atomic():
        batch.finished = True
        batch.save(update_fields=["finished"])
        adopting.attribute(batch, told)
        if batch.traces_new >= MANY:
            statistics.refresh(Trace, RoundPrompt, Prompt, Text, Decision, Assignment)
        Event.objects.log(
            batch.round.project_id,
            "traces.imported",
            batch.by,
            batch,
            file=batch.file,
            sha256=bytes(batch.sha256).hex(),
            **counts(batch),
        )
    return report(batch)


def try_out(
    round: Round,
    path: Path,
    *,
    by: User | None,
    name: str = "",
    mapping: Mapping | None = None,
    answer: Answer | None = None,
) -> Report:
    """What an import would do, with nothing written."""
    permitting.require(by, round.project_id, Role.LEAD, doing=_("Importing traces"))
    batch = ImportBatch(
        round=round,
        file=name or path.name,
        path=str(path),
        mapping=canonical.dump(mapping.as_dict() if mapping else {}),
        format=mapped_traces.NAME if mapping else canonical_traces.NAME,
    )
    namer, found, seen, prompts = Namer(), Report(), dict[bytes, bytes](), set[bytes]()
    for rows in _batches(_prepared(batch, namer)):
        for row in Writer(batch, namer).classify(rows, seen, prompts):
            found.count(row)
            if answer:
                answer(row)
    found.prompts_new, found.by_format = len(prompts), {batch.format: found.read - found.refused}
    return found


def counts(batch: ImportBatch) -> dict[str, int]:
    names = ("read", "traces_new", "traces_known", "prompts_new", "refused", "warnings")
    return {name: getattr(batch, name) for name in names}


def report(batch: ImportBatch) -> Report:
    found = Report(by_format={batch.format: batch.read - batch.refused})
    for name, count in counts(batch).items():
        setattr(found, name, count)
    return found


@transaction.atomic
def withdraw_batch(batch: ImportBatch, reason: str, *, by: User | None) -> int:
    """Take a wrong import back: its traces leave queue, counts and exports, and stay on record. How many.

    Raises Conflict where that was done before, Invalid without a reason.
    """
    permitting.require(by, batch.round.project_id, Role.LEAD, doing=_("Taking an import back"))
    if not reason.strip():
        raise Invalid("reason", _("Say why the import is taken back; the reason stays on record."))
    if BatchWithdrawal.objects.filter(batch=batch).exists():
        raise Conflict(_("Import %(number)s was taken back before.") % {"number": batch.pk})
    _one_import_at_a_time()
    BatchWithdrawal.objects.create(batch=batch, by=by, reason=reason)
    Assignment.objects.open().filter(trace__batch=batch, leased_by=None).delete()
    read_instead = standing_in.leave(batch)
    gone = Decision.objects.filter(trace__batch=batch).update(
        state=Decision.State.DROPPED, why=Decision.Why.BATCH_WITHDRAWN
    )
    for trace in read_instead:
        deriving.rederive(trace)
    Event.objects.log(batch.round.project_id, "import.withdrawn", by, batch, reason=reason, traces=gone)
    return gone


@transaction.atomic
def read_again(batch: ImportBatch, changed: dict[str, str], *, by: User | None) -> ImportBatch:
    """Take an import back and begin it again with other places for its fields. The file must still be there.

    changed: names of a mapping's fields and their new paths; an empty one means that there is none.
    Raises Invalid, which names the field; Unreadable, Conflict.
    """
    permitting.require(by, batch.round.project_id, Role.LEAD, doing=_("Importing traces"))
    try:
        mapping = Mapping.from_dict(
            {
                **batch.mapping_object,
                **{name: path or None for name, path in changed.items()},
                "split": changed.get("split") or "none",
            }
        )
    except MappingProblem as problem:
        raise Invalid(problem.field, f"{problem}") from None
    withdraw_batch(batch, "read again with other fields", by=by)
    return begin(batch.round, Path(batch.path), by=by, name=batch.file, mapping=mapping)


def _prepared(batch: ImportBatch, namer: Namer) -> Iterator[Prepared]:
    try:
        with opening.open_plain(Path(batch.path)) as file:
            for row in read(file, batch):
                if isinstance(row, RefusedLine):
                    yield Prepared(row.line, len(row.text), refused=row)
                else:
                    yield namer.name(row, len(row.reasoning) + len(row.answer or "") + 500)
    except (OSError, EOFError) as problem:
        why = getattr(problem, "strerror", None) or str(problem) or "it breaks off in the middle"
        raise Unreadable(
            f"{batch.file} cannot be read to its end: {why}. What was read until there is in."
        ) from None


def read(file: Any, batch: ImportBatch) -> Iterator[Sample | RefusedLine]:
    """The rows of a batch's file by its format."""
    if batch.format == mapped_traces.NAME:
        return mapped_traces.read(
            file, batch.file, settings.MAX_LINE_BYTES, Mapping.from_dict(batch.mapping_object)
        )
    return canonical_traces.read(file, batch.file, settings.MAX_LINE_BYTES)


def guess(path: Path, name: str = "") -> Guess:
    """Where prompt, reasoning and answer seem to stand in a file. Raises Unreadable where it cannot be opened."""
    try:
        with opening.open_plain(path) as file:
            return guessing.guess(file, name or path.name, settings.MAX_LINE_BYTES)
    except OSError as problem:
        raise Unreadable(f"{path} cannot be read: {problem.strerror or problem}.") from None


def read_by(path: Path, format: str, mapping: Path | None, name: str = "") -> tuple[Mapping | None, str]:
    """The mapping that a file is to be read by (None: canonical), and one sentence about it.

    format: canonical, guess or auto. mapping: a JSON file that says where the fields are, instead of a guess.
    Raises Unreadable where nothing fits, naming what was looked for.
    """
    if mapping is not None:
        try:
            return Mapping.from_dict(json.loads(mapping.read_bytes())), f"read by {mapping.name}"
        except OSError as problem:
            raise Unreadable(f"{mapping} cannot be read: {problem.strerror}.") from None
        except (ValueError, MappingProblem) as problem:
            raise Unreadable(f"{mapping} is no mapping: {problem}.") from None
    if format == "canonical":
        return None, "read as canonical traces"
    if format not in ("auto", "guess"):
        raise Invalid(
            "format", _("The format is auto, canonical or guess; got '%(format)s'.") % {"format": format}
        )
    found = guess(path, name)
    if not found.openable and format == "auto" and path.stat().st_size == 0:
        return None, "the file is empty"
    if not found.openable:
        raise Unreadable(" ".join([found.sentence, *found.missing]))
    return found.mapping, found.sentence


def _batches(rows: Iterable[Prepared]) -> Iterator[list[Prepared]]:
    """Cut where a line ends: the samples of one line are committed together, so a resume never splits them."""
    held: list[Prepared] = []
    size = 0
    for row in rows:
        if held and row.line != held[-1].line and (len(held) >= ROWS_A_BATCH or size >= BYTES_A_BATCH):
            yield held
            held, size = [], 0
        held.append(row)
        size += row.size
    if held:
        yield held


def _one_import_at_a_time() -> None:
    """SQLite has one writer anyway; on PostgreSQL an advisory lock keeps two imports from making the same text."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])


def _count(batch: ImportBatch, landed: list[Landed], last_line: int) -> None:
    now = report(batch)
    for row in landed:
        now.count(row)
    for name in ("read", "traces_new", "traces_known", "refused", "warnings"):
        setattr(batch, name, getattr(now, name))
    batch.lines = last_line
    batch.save(
        update_fields=["lines", "read", "traces_new", "traces_known", "refused", "warnings", "prompts_new"]
    )


def run_job(job_id: int) -> None:
    """Do the job of an uploaded file: what the task calls."""
    with jobs.running(job_id) as running:
        if running is None:
            return
        batch = ImportBatch.objects.select_related("round__project", "by").get(pk=running.job.subject)
        total = _lines_of(batch)
        run(batch, progress=lambda lines: running.advance(lines, max(total, lines)))
        running.write(done=batch.lines, total=batch.lines)


def _lines_of(batch: ImportBatch) -> int:
    """How many line ends the file has, unpacked. Raises Unreadable."""
    try:
        with opening.open_plain(Path(batch.path)) as file:
            return sum(piece.count(b"\n") for piece in iter(lambda: file.read(2**20), b""))
    except (OSError, EOFError):
        raise Unreadable(
            f"The uploaded file {batch.file} is gone or damaged. Upload it again: what was read stays, "
            "and the rest goes on from there."
        ) from None

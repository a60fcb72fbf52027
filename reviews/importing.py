"""Bringing traces in: good rows go in, bad rows come back, the same file again adds nothing."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from reviews import assigning, holding_out, jobs, permitting
from reviews.errors import Conflict, Invalid, Unreadable
from reviews.formats import canonical, canonical_traces, opening
from reviews.formats.records import RefusedLine, Sample
from reviews.models import (
    Assignment, BatchWithdrawal, Decision, Event, ImportBatch, Prompt, RefusedLine as StoredRefusal, Role, Round,
    RoundPrompt, Sampler, Text, Trace, User,
)

ROWS_A_BATCH = 400
BYTES_A_BATCH = 8 * 2**20
ADVISORY_LOCK = 0x57494E4E  # one import writes at a time in the whole instance

Progress = Callable[[int], None]
Answer = Callable[["Landed"], None]


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of one line: `new` or `known` with the trace's digest, or `refused` with field and reason."""

    line: int
    state: str
    digest: str = ""
    field: str = ""
    reason: str = ""
    warning: str = ""


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


def begin(round: Round, path: Path, *, by: User | None, name: str = "", mapping: dict[str, Any] | None = None) -> ImportBatch:
    """A batch for this file: a new one, or the unfinished one that the same file began, to be taken up again.

    Raises Unreadable where the file cannot be opened, Conflict where the same file's import was withdrawn and is
    still marked unfinished, NotAllowed.
    """
    permitting.require(by, round.project_id, Role.LEAD, doing="Importing traces")
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").digest()
    except OSError as problem:
        raise Unreadable(f"{path} cannot be read: {problem.strerror}.") from None
    used = canonical.dump(mapping or {})
    same = ImportBatch.objects.filter(round=round, sha256=sha256, mapping=used, finished=False, withdrawal=None)
    if (unfinished := same.order_by("pk").last()) is not None:
        if str(path) != unfinished.path:
            ImportBatch.objects.filter(pk=unfinished.pk).update(path=str(path))
            unfinished.path = str(path)
        return unfinished
    return ImportBatch.objects.create(
        round=round, file=name or path.name, path=str(path), sha256=sha256, mapping=used, by=by,
        format=str(mapping.get("format", "mapped")) if mapping else canonical_traces.NAME,
    )


def run(batch: ImportBatch, *, progress: Progress | None = None, answer: Answer | None = None) -> Report:
    """Read the batch's file into its round, one transaction for each few hundred lines.

    A batch that was broken off goes on after its last committed line. progress: called with the lines done so far.
    answer: called for each line of this run, in order. Raises Unreadable where the file breaks off in the middle;
    what was read until then is in.
    """
    namer = _Namer()
    prepared = _prepared(batch, namer)
    for rows in _batches(row for row in prepared if row.line > batch.lines):
        with transaction.atomic():
            _one_import_at_a_time()
            landed = _Writer(batch, namer).write(rows)
            _count(batch, landed, last_line=rows[-1].line)
        for one in landed if answer else ():
            answer(one)
        if progress:
            progress(batch.lines)
    with transaction.atomic():
        batch.finished = True
        batch.save(update_fields=["finished"])
        Event.objects.log(batch.round.project_id, "traces.imported", batch.by, batch, file=batch.file,
                          sha256=bytes(batch.sha256).hex(), **counts(batch))
    return report(batch)


def try_out(round: Round, path: Path, *, by: User | None, name: str = "", mapping: dict[str, Any] | None = None,
            answer: Answer | None = None) -> Report:
    """What an import would do, with nothing written."""
    permitting.require(by, round.project_id, Role.LEAD, doing="Importing traces")
    batch = ImportBatch(round=round, file=name or path.name, path=str(path), mapping=canonical.dump(mapping or {}),
                        format="mapped" if mapping else canonical_traces.NAME)
    namer, found, seen, prompts = _Namer(), Report(), dict[bytes, bytes](), set[bytes]()
    for rows in _batches(_prepared(batch, namer)):
        for row in _Writer(batch, namer).classify(rows, seen, prompts):
            found.count(row)
            if answer:
                answer(row)
    found.prompts_new, found.by_format = len(prompts), {batch.format: found.read - found.refused}
    return found


def counts(batch: ImportBatch) -> dict[str, int]:
    names = ("read", "traces_new", "traces_known", "prompts_new", "refused", "warnings")
    return {name: getattr(batch, name) for name in names}


def report(batch: ImportBatch) -> Report:
    return Report(**counts(batch), by_format={batch.format: batch.read - batch.refused})


@transaction.atomic
def withdraw_batch(batch: ImportBatch, reason: str, *, by: User | None) -> int:
    """Take a wrong import back: its traces leave queue, counts and exports, and stay on record. How many.

    Raises Conflict where that was done before, Invalid without a reason.
    """
    permitting.require(by, batch.round.project_id, Role.LEAD, doing="Taking an import back")
    if not reason.strip():
        raise Invalid("reason", "Say why the import is taken back; the reason stays on record.")
    if BatchWithdrawal.objects.filter(batch=batch).exists():
        raise Conflict(f"Import {batch.pk} was taken back before.")
    _one_import_at_a_time()
    BatchWithdrawal.objects.create(batch=batch, by=by, reason=reason)
    Assignment.objects.open().filter(trace__batch=batch, leased_by=None).delete()
    gone = Decision.objects.filter(trace__batch=batch).update(
        state=Decision.State.DROPPED, why=Decision.Why.BATCH_WITHDRAWN)
    Event.objects.log(batch.round.project_id, "import.withdrawn", by, batch, reason=reason, traces=gone)
    return gone


@dataclass(slots=True)
class _Prepared:
    """A line with its digests, ready to be held against what is stored."""

    line: int
    size: int
    refused: RefusedLine | None = None
    sample: Sample | None = None
    external_id: str = ""
    model: str = ""
    index: int = 0
    prompt_digest: bytes = b""
    identity: bytes = b""
    content: bytes = b""
    digest: bytes = b""


class _Namer:
    """Gives the parts of an identity that a file leaves out: id, model, and which sample of its prompt it is.

    Holds one small entry for each (prompt, model) whose rows carry no sample_index, and nothing for the others.
    """

    def __init__(self) -> None:
        self.before: dict[int, int] = {}

    def name(self, sample: Sample, size: int) -> _Prepared:
        messages = sample.messages
        prompt = canonical.digest(messages)
        external_id = sample.prompt_id if sample.prompt_id is not None else prompt.hex()[:12]
        model = sample.model if sample.model is not None else "unknown"
        index = sample.sample_index
        if index is None:
            place = hash((prompt, model))
            index = self.before.get(place, 0)
            self.before[place] = index + 1
        content = {"prompt": messages, "reasoning": sample.reasoning, "answer": sample.answer}
        named = {"prompt_id": external_id, "model": model, "sample_index": index}
        return _Prepared(
            line=sample.line, size=size, sample=sample, external_id=external_id, model=model, index=index,
            prompt_digest=prompt, identity=canonical.digest([external_id, model, index]),
            content=canonical.digest(content), digest=canonical.digest({**content, **named}),
        )


def _prepared(batch: ImportBatch, namer: _Namer) -> Iterator[_Prepared]:
    try:
        with opening.open_plain(Path(batch.path)) as file:
            for row in read(file, batch):
                if isinstance(row, RefusedLine):
                    yield _Prepared(row.line, len(row.text), refused=row)
                else:
                    yield namer.name(row, len(row.reasoning) + len(row.answer or "") + 500)
    except (OSError, EOFError) as problem:
        why = getattr(problem, "strerror", None) or str(problem) or "it breaks off in the middle"
        raise Unreadable(f"{batch.file} cannot be read to its end: {why}. What was read until there is in.") from None


def read(file: Any, batch: ImportBatch) -> Iterator[Sample | RefusedLine]:
    """The rows of a batch's file by its format."""
    return canonical_traces.read(file, batch.file, settings.MAX_LINE_BYTES)


def _batches(rows: Iterable[_Prepared]) -> Iterator[list[_Prepared]]:
    held: list[_Prepared] = []
    size = 0
    for row in rows:
        held.append(row)
        size += row.size
        if len(held) >= ROWS_A_BATCH or size >= BYTES_A_BATCH:
            yield held
            held, size = [], 0
    if held:
        yield held


def _one_import_at_a_time() -> None:
    """SQLite has one writer anyway; on PostgreSQL an advisory lock keeps two imports from making the same text."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])


def _count(batch: ImportBatch, landed: list[Landed], last_line: int) -> None:
    now = Report(**counts(batch))
    for row in landed:
        now.count(row)
    for name in ("read", "traces_new", "traces_known", "refused", "warnings"):
        setattr(batch, name, getattr(now, name))
    batch.lines = last_line
    batch.save(update_fields=["lines", "read", "traces_new", "traces_known", "refused", "warnings", "prompts_new"])


class _Writer:
    """Writes one batch of lines: what is stored is read first, then the new rows are inserted plainly."""

    def __init__(self, batch: ImportBatch, namer: _Namer) -> None:
        self.batch, self.round = batch, batch.round

    def classify(self, rows: list[_Prepared], seen: dict[bytes, bytes] | None = None,
                 prompts: set[bytes] | None = None) -> list[Landed]:
        """What would become of each line. seen: identities of earlier batches, where nothing was written."""
        known = seen if seen is not None else {}
        stored = Trace.objects.filter(round=self.round, identity__in=[row.identity for row in rows if row.sample])
        before = {bytes(trace.identity): trace for trace in stored.select_related("sampler").defer("meta")}
        landed = []
        for row in rows:
            landed.append(self._place(row, before.get(row.identity), known))
        if prompts is not None:
            fresh = {row.prompt_digest for row, at in zip(rows, landed, strict=True) if at.state == "new"}
            held = Prompt.objects.filter(project=self.round.project_id, digest__in=fresh).values_list("digest", flat=True)
            prompts |= fresh - {bytes(digest) for digest in held}
        return landed

    def _place(self, row: _Prepared, stored: Trace | None, known: dict[bytes, bytes]) -> Landed:
        if row.refused is not None:
            return Landed(row.line, "refused", field=row.refused.field, reason=row.refused.reason)
        assert row.sample is not None
        content = bytes(stored.content_digest) if stored else known.get(row.identity)
        if content is None:
            known[row.identity] = row.content
            return Landed(row.line, "new", digest=row.digest.hex())
        if content != row.content:
            reason = (f"contradicts what was imported before: {row.external_id}, {row.model}, sample {row.index} has "
                      "another text there")
            return Landed(row.line, "refused", field="sample_index", reason=reason)
        warning = ""
        if stored and bytes(stored.sampler.sampling) != canonical.dump(row.sample.sampling):
            warning = "known already, with another sampling; the one stored first stays"
        return Landed(row.line, "known", digest=row.digest.hex(), warning=warning)

    def write(self, rows: list[_Prepared]) -> list[Landed]:
        landed = self.classify(rows)
        new = [row for row, at in zip(rows, landed, strict=True) if at.state == "new"]
        StoredRefusal.objects.bulk_create(
            StoredRefusal(batch=self.batch, line=at.line, field=at.field, reason=at.reason, text=_kept(row))
            for row, at in zip(rows, landed, strict=True) if at.state == "refused"
        )
        if new:
            self._write_traces(new)
        return landed

    def _write_traces(self, rows: list[_Prepared]) -> None:
        prompts = self._prompts(rows)
        places = self._round_prompts(rows, prompts)
        samplers = self._samplers(rows)
        texts = self._texts(rows)
        traces = []
        for row in rows:
            sample = row.sample
            assert sample is not None
            usage = sample.meta.get("usage")
            tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
            finish = sample.meta.get("finish_reason")
            traces.append(Trace(
                round=self.round, batch=self.batch, sample_index=row.index, identity=row.identity,
                content_digest=row.content, digest=row.digest, prompt_was_text=isinstance(sample.prompt, str),
                round_prompt=places[_place_key(row)], sampler=samplers[_sampler_key(row)],
                reasoning=texts[canonical.text_digest(sample.reasoning)],
                answer=None if sample.answer is None else texts[canonical.text_digest(sample.answer)],
                raw=None if sample.raw is None else texts[canonical.text_digest(sample.raw)],
                split_rule=sample.split_rule, finish=_short(finish), meta=canonical.dump(sample.meta),
                tokens=tokens if type(tokens) is int and 0 <= tokens < 2**31 else None,
            ))
        assigning.open_slots(self.round, Trace.objects.bulk_create(traces))

    def _prompts(self, rows: list[_Prepared]) -> dict[bytes, Prompt]:
        stored = Prompt.objects.filter(project=self.round.project_id, digest__in={row.prompt_digest for row in rows})
        found = {bytes(prompt.digest): prompt for prompt in stored}
        fresh = {}
        for row in rows:
            if row.prompt_digest not in found and row.prompt_digest not in fresh:
                assert row.sample is not None
                messages = row.sample.messages
                fresh[row.prompt_digest] = Prompt(
                    project_id=self.round.project_id, digest=row.prompt_digest, messages=canonical.dump(messages),
                    bucket=holding_out.bucket(messages),
                )
        Prompt.objects.bulk_create(fresh.values())
        self.batch.prompts_new += len(fresh)
        return found | fresh

    def _round_prompts(self, rows: list[_Prepared], prompts: dict[bytes, Prompt]) -> dict[bytes, RoundPrompt]:
        stored = RoundPrompt.objects.filter(round=self.round, identity__in={_place_key(row) for row in rows})
        found = {bytes(place.identity): place for place in stored}
        fresh = {}
        for row in rows:
            key = _place_key(row)
            if key not in found and key not in fresh:
                assert row.sample is not None
                meta = row.sample.meta
                reference = meta.get("reference_answer")
                fresh[key] = RoundPrompt(
                    round=self.round, prompt=prompts[row.prompt_digest], external_id=row.external_id, identity=key,
                    domain=_text(meta.get("domain")), family=_text(meta.get("family")),
                    reference=None if reference is None else canonical.dump(reference),
                )
        RoundPrompt.objects.bulk_create(fresh.values())
        return found | fresh

    def _samplers(self, rows: list[_Prepared]) -> dict[bytes, Sampler]:
        stored = Sampler.objects.filter(round=self.round, identity__in={_sampler_key(row) for row in rows})
        found = {bytes(sampler.identity): sampler for sampler in stored}
        fresh = {}
        for row in rows:
            key = _sampler_key(row)
            if key not in found and key not in fresh:
                assert row.sample is not None
                fresh[key] = Sampler(round=self.round, model=row.model, identity=key,
                                     sampling=canonical.dump(row.sample.sampling))
        Sampler.objects.bulk_create(fresh.values())
        return found | fresh

    def _texts(self, rows: list[_Prepared]) -> dict[bytes, Text]:
        wanted = {}
        for sample in (row.sample for row in rows):
            assert sample is not None
            for text in (sample.reasoning, sample.answer, sample.raw):
                if text is not None:
                    wanted[canonical.text_digest(text)] = text
        found = {bytes(text.digest): text for text in Text.objects.filter(digest__in=wanted).defer("body")}
        fresh = {
            digest: Text(digest=digest, body=(body := text.encode()), chars=len(text), bytes=len(body))
            for digest, text in wanted.items() if digest not in found
        }
        Text.objects.bulk_create(fresh.values())
        return found | fresh


def _place_key(row: _Prepared) -> bytes:
    return canonical.digest([row.external_id, row.prompt_digest.hex()])


def _sampler_key(row: _Prepared) -> bytes:
    assert row.sample is not None
    return canonical.digest([row.model, row.sample.sampling])


def _kept(row: _Prepared) -> bytes:
    if row.refused is not None:
        return row.refused.text
    assert row.sample is not None
    shown = {"prompt_id": row.external_id, "model": row.model, "sample_index": row.index, "reasoning": row.sample.reasoning,
             "answer": row.sample.answer}
    return json.dumps(shown, ensure_ascii=False).encode()[:2000]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _short(value: Any) -> str:
    return value.replace("\0", "")[:40] if isinstance(value, str) else ""


def run_job(job_id: int) -> None:
    """Do the job of an uploaded file: what the task calls."""
    with jobs.running(job_id) as running:
        if running is None:
            return
        batch = ImportBatch.objects.select_related("round__project", "by").get(pk=running.job.subject)
        with Path(batch.path).open("rb") as file:
            total = sum(piece.count(b"\n") for piece in iter(lambda: file.read(2**20), b""))
        run(batch, progress=lambda lines: running.advance(lines, max(total, lines)))
        running.write(done=batch.lines, total=batch.lines)

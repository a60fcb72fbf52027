"""Exporting: membership is frozen first, then shards are written one by one, the manifest and card last."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, Max, Value, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils.translation import gettext as _

from reviews import describing, jobs, permitting, targeting, verifying
from reviews.errors import Conflict, Invalid, Unreadable
from reviews.formats import canonical, dataset_folder, parquet
from reviews.models import (
    Dataset,
    Decision,
    Dropped,
    Event,
    Membership,
    Override,
    Role,
    Round,
    Shard,
    Trace,
    User,
    statistics,
)
from reviews.reporting import report

Progress = Callable[[int, int | None], None]
ROWS_AT_ONCE = 200
GATES_TO_OVERRIDE = "dose and evidence"


@transaction.atomic
def draft(
    round: Round, formats: str, *, by: User | None, folder: Path | None = None, override: str = ""
) -> Dataset:
    """A draft of everything accepted in a round. Raises Invalid for an unknown format, Unreadable for a full folder."""
    permitting.require(by, round.project_id, Role.LEAD, doing=_("Exporting a data set"))
    names = [name.strip() for name in formats.split(",") if name.strip()]
    for name in names:
        if name not in dataset_folder.FORMATS:
            raise Invalid(
                "format",
                _("'%(name)s' is no format that can be exported; there is %(known)s.")
                % {"name": name, "known": ", ".join(dataset_folder.FORMATS)},
            )
    if not names:
        raise Invalid("format", _("Name at least one format."))
    Round.objects.select_for_update().get(pk=round.pk)
    last = Dataset.objects.filter(project=round.project_id).aggregate(last=Max("number"))["last"] or 0
    dataset = Dataset(
        project_id=round.project_id, round=round, number=last + 1, created_by=by, formats=",".join(names)
    )
    dataset.folder = str((folder or settings.EXPORTS / dataset.name).absolute())
    require_empty(Path(dataset.folder))
    nearest = next(place for place in Path(dataset.folder).parents if place.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise Unreadable(f"{dataset.folder} cannot be made: this user may not write in {nearest}.")
    dataset.save()
    if override.strip():
        Override.objects.create(dataset=dataset, gate=GATES_TO_OVERRIDE, by=by, reason=override)
    Event.objects.log(round.project_id, "dataset.drafted", by, dataset, formats=dataset.formats)
    return dataset


def require_empty(folder: Path) -> None:
    """Raise Unreadable unless the folder is free to be made: a data set never mixes with what lies there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Unreadable(
            f"{folder} is not empty. A data set gets a folder of its own: name another one, or empty it."
        )


def build(dataset: Dataset, *, progress: Progress | None = None) -> Dataset:
    """Build a data set to its end, from wherever an earlier attempt stopped. Safe to run again.

    progress: called with rows done and rows in all. Raises Conflict where nothing is accepted, Unreadable where the
    folder cannot be written.
    """
    if dataset.state == Dataset.State.READY:
        return dataset
    if dataset.rows is None:
        freeze(dataset)
        dataset.refresh_from_db()
    work = Path(dataset.folder + ".building")
    total = (dataset.rows or 0) * len(dataset.formats.split(","))
    try:
        work.mkdir(parents=True, exist_ok=True)
        done = 0
        for shard in dataset.shards.all():
            _write_shard(dataset, shard, work, _counting_on(progress, done, total))
            done += shard.last - shard.first + 1
        _finish(dataset, work)
    except OSError as problem:
        raise Unreadable(
            f"{problem.filename or work} cannot be written: {problem.strerror}. "
            "What was finished is kept; start the export again to go on."
        ) from None
    if progress:
        progress(total, total)
    return dataset


def _counting_on(progress: Progress | None, before: int, total: int) -> Callable[[int], None]:
    """Tells `progress` of the rows of one shard, on top of those before it."""

    def tell(rows: int) -> None:
        if progress is not None:
            progress(before + rows, total)

    return tell


@transaction.atomic
def freeze(dataset: Dataset) -> None:
    """Write the membership of a draft by one INSERT … SELECT, in the order of the raw trace digests.

    Raises Conflict where nothing that may go out is accepted.
    """
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if dataset.rows is not None:
        return
    chosen = (
        may_go_out(dataset.round)
        .order_by()
        .values_list(
            Value(dataset.pk),
            Window(RowNumber(), order_by=F("digest").asc()) - 1,
            F("pk"),
            Value("train"),
            Value("selected"),
        )
    )
    sql, params = chosen.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Membership._meta.db_table} (dataset_id, ordinal, trace_id, split, part) {sql}",
            params,
        )
    statistics.refresh(Membership)
    rows = dataset.memberships.count()
    if not rows:
        raise Conflict(
            _(
                "Nothing can be exported: no trace of this round is accepted, outside the held-out prompts. "
                "Review some, or finish the round without exporting."
            )
        )
    digests = dataset.memberships.order_by("ordinal").values_list("trace__digest", flat=True)
    Dropped.objects.bulk_create(
        Dropped(dataset=dataset, reason=reason, n=n) for reason, n in left_out(dataset.round).items()
    )
    _plan_shards(dataset)
    dataset.rows = rows
    Dataset.objects.filter(pk=dataset.pk).update(
        rows=rows,
        state=Dataset.State.BUILDING,
        figures=canonical.dump(describing.figures(dataset)),
        membership_digest=canonical.digest([bytes(digest).hex() for digest in digests.iterator()]),
    )


def may_go_out(round: Round) -> Any:
    """The one door to an export: accepted, not held out, and its import not taken back."""
    return (
        Trace.objects.filter(round=round, decision__state=Decision.State.ACCEPTED).not_held_out().standing()
    )


def left_out(round: Round) -> dict[str, int]:
    """How many traces of a round stay out, by reason. Sums with those that go out to all that were sampled."""
    traces = Trace.objects.filter(round=round)
    counts: dict[str, int] = {}
    for held_out, rows in ((True, traces.held_out()), (False, traces.not_held_out())):
        states = rows.values_list("decision__state", "decision__why").annotate(n=Count("pk")).order_by()
        for state, why, n in states:
            dropped = state == Decision.State.DROPPED
            reason = why if dropped else "held-out" if held_out else state
            if reason != Decision.State.ACCEPTED:
                counts[reason] = counts.get(reason, 0) + n
    return dict(sorted(counts.items()))


def _plan_shards(dataset: Dataset) -> None:
    """Cut the membership into ranges of about SHARD_BYTES of text: a rule on the rows, so that it is always the same."""
    sizes = dataset.memberships.order_by("ordinal").values_list(
        "ordinal", F("trace__reasoning__bytes") + Coalesce(F("trace__answer__bytes"), 0)
    )
    cuts, size = [0], 0
    for ordinal, weight in sizes.iterator():
        if size and size + weight > settings.SHARD_BYTES:
            cuts.append(ordinal)
            size = 0
        size += weight
    cuts.append(dataset.memberships.count())
    Shard.objects.bulk_create(
        Shard(dataset=dataset, format=name, split="train", index=index, first=first, last=last - 1)
        for name in dataset.formats.split(",")
        for index, (first, last) in enumerate(itertools.pairwise(cuts))
    )


def rows_of(dataset: Dataset, shard: Shard) -> Iterator[dict[str, Any]]:
    """The rows of one shard as the database has them, in order, a few hundred in memory at a time.

    Read page by page, never through an open cursor: on SQLite that would hold an old view of the database, in which
    the job cannot note its progress once someone else has written.
    """
    members = dataset.memberships.order_by("ordinal").defer("trace__meta")
    traces = members.select_related("trace__reasoning", "trace__answer", "trace__round_prompt__prompt")
    with targeting.rows_as(shard.format, targeting.of(dataset)) as row_of:
        for start in range(shard.first, shard.last + 1, ROWS_AT_ONCE):
            end = min(start + ROWS_AT_ONCE - 1, shard.last)
            for member in list(traces.filter(ordinal__gte=start, ordinal__lte=end)):
                verifying.require_unchanged(member.trace)
                yield row_of(member.trace)


def _write_shard(dataset: Dataset, shard: Shard, work: Path, after: Callable[[int], None]) -> None:
    """Write one shard, or leave it where it stands whole from an earlier attempt."""
    if (
        shard.file
        and shard.sha256
        and (work / shard.file).exists()
        and parquet.file_digest(work / shard.file) == bytes(shard.sha256)
    ):
        after(shard.last - shard.first + 1)
        return
    count = dataset.shards.filter(format=shard.format, split=shard.split).count()
    fresh = work / f".{shard.format}-{shard.split}-{shard.index:05}.{os.getpid()}.tmp"
    written = 0

    def note(rows: int) -> None:
        nonlocal written
        written += rows
        after(written)

    schema = dataset_folder.FORMATS[shard.format].SCHEMA
    made = parquet.write(fresh, rows_of(dataset, shard), schema, note)
    name = dataset_folder.shard_name(shard.format, shard.split, shard.index, count, made.sha256)
    (work / name).parent.mkdir(parents=True, exist_ok=True)
    _settle(fresh, work / name)
    shard.file, shard.rows, shard.bytes = name, made.rows, made.size
    shard.sha256, shard.logical = made.sha256, made.logical
    shard.save()


def _finish(dataset: Dataset, work: Path) -> None:
    """Manifest and card, the read-back through `datasets`, then the folder under its own name: last and at once."""
    for leftover in work.glob(".*.tmp"):
        leftover.unlink()
    dataset.refresh_from_db()
    manifest = describing.manifest(dataset)
    if blocked := [gate["key"] for gate in manifest["gates"] if gate["verdict"] == "block"]:
        raise Conflict(
            _("The gate %(blocked)s blocks this data set, and no override lifts it. Nothing was released.")
            % {"blocked": blocked[0]}
        )
    files = {
        "manifest.json": describing.as_json(manifest),
        "README.md": describing.card(dataset, manifest).encode(),
        "report.html": report.report_of(dataset.round, at=dataset.created_at).encode(),
    }
    for name, content in files.items():
        (work / f".{name}.tmp").write_bytes(content)
        _settle(work / f".{name}.tmp", work / name)
    verifying.read_back(dataset, work)
    folder = Path(dataset.folder)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    if not (folder / "manifest.json").exists():
        require_empty(folder)
        shutil.move(work, folder)
    with transaction.atomic():
        Dataset.objects.filter(pk=dataset.pk).exclude(state=Dataset.State.READY).update(
            state=Dataset.State.READY,
            digest=bytes.fromhex(manifest["digest"]),
            verdict=manifest["verdict"],
            manifest=canonical.dump(manifest),
        )
        dataset.refresh_from_db()
        Event.objects.log(
            dataset.project_id,
            "dataset.exported",
            dataset.created_by,
            dataset,
            rows=dataset.rows,
            digest=manifest["digest"],
        )


def _settle(fresh: Path, final: Path) -> None:
    """Give a finished file its name once it is on the disk, so that no half-written file ever has it."""
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(final)


def unfinished(round: Round, formats: str, folder: Path) -> Dataset | None:
    """An export of this round into this folder that was broken off, to be taken up again."""
    begun = Dataset.objects.filter(round=round, formats=formats, folder=str(folder.absolute()))
    return begun.filter(state=Dataset.State.BUILDING).order_by("pk").last()


def run_job(job_id: int, progress: Progress | None = None) -> None:
    """Do the job of an export: what the task and the command call."""
    with jobs.running(job_id) as running:
        if running is None:
            return
        dataset = Dataset.objects.select_related("project", "round__spec_version").get(pk=running.job.subject)

        def advance(done: int, total: int | None) -> None:
            running.advance(done, total)
            if progress:
                progress(done, total)

        build(dataset, progress=advance)


def require_may_go_on(dataset: Dataset, *, by: User | None) -> None:
    """Raise NotAllowed, or Conflict where the data set is finished."""
    permitting.require(by, dataset.project_id, Role.LEAD, doing=_("Exporting a data set"))
    if dataset.state == Dataset.State.READY:
        raise Conflict(_("This data set is finished; there is nothing to go on with."))

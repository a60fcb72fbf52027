"""Exporting: membership is frozen first, then shards are written one by one, the manifest and card last."""

from __future__ import annotations

import itertools
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from reviews import drafting, governing, jobs, permitting, targeting, verifying
from reviews.checking import drafts, report
from reviews.checking.facts import Facts, gather
from reviews.checking.gate import Gate
from reviews.describing import card, certificate, counting
from reviews.describing import manifest as manifests
from reviews.errors import Conflict, Unreadable
from reviews.formats import canonical, dataset_folder, parquet
from reviews.lineages import booking
from reviews.models import (
    Dataset,
    Decision,
    Dropped,
    Event,
    Membership,
    Role,
    Round,
    Shard,
    Trace,
    User,
    statistics,
)
from reviews.policies.documents import Policy
from reviews.reporting import report as audit_report

Progress = Callable[[int, int | None], None]
ROWS_AT_ONCE = 200
MEMBERS_AT_ONCE = 2000


class Blocked(Conflict):
    """Gates stop the export. `gates`: their keys."""

    code = "blocked"

    def __init__(self, gates: list[Gate]) -> None:
        self.gates = [gate.key for gate in gates]
        what = "; ".join(f"{gate.key}: {gate.why}" for gate in gates)
        super().__init__(
            _("Nothing was released. %(n)d gates stop this export: %(what)s.")
            % {"n": len(gates), "what": what}
        )


def build(dataset: Dataset, *, progress: Progress | None = None) -> Dataset:
    """Build a data set to its end, from wherever an earlier attempt stopped. Safe to run again.

    progress: called with rows done and rows in all. Raises Blocked where a gate stops it, Conflict where nothing may go
    out, Unreadable where the folder cannot be written.
    """
    if dataset.state == Dataset.State.READY:
        return dataset
    if dataset.state == Dataset.State.DECLINED:
        raise Conflict(_("This draft was finished without exporting. Draft another one."))
    if dataset.rows is None:
        require_no_gate(dataset, report.of(dataset.round, dataset=dataset, policy=policy_of(dataset)))
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
        _finish(dataset, work, progress)
    except OSError as problem:
        raise Unreadable(
            f"{problem.filename or work} cannot be written: {problem.strerror}. "
            "What was finished is kept; start the export again to go on."
        ) from None
    if progress:
        progress(total, total)
    return dataset


def policy_of(dataset: Dataset) -> Policy:
    """The lines that a data set was drafted under."""
    return governing.of(dataset.policy_version or governing.in_force(dataset.round))


def require_no_gate(dataset: Dataset, found: report.Report) -> None:
    """Raise Blocked where a gate stops the data set that nobody has overridden, Conflict where nothing may go out."""
    if not found.facts.going.size:
        raise Conflict(
            _(
                "Nothing can be exported: no trace of this round is accepted, outside the held-out prompts. "
                "Review some, or finish the round without exporting."
            )
        )
    if stopping := drafting.standing_in_the_way(dataset, found):
        raise Blocked(stopping)


def _counting_on(progress: Progress | None, before: int, total: int) -> Callable[[int], None]:
    """Tells `progress` of the rows of one shard, on top of those before it."""

    def tell(rows: int) -> None:
        if progress is not None:
            progress(before + rows, total)

    return tell


@transaction.atomic
def freeze(dataset: Dataset) -> None:
    """Write the membership of a draft, in the order of the raw trace digests: later verdicts change nothing."""
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if dataset.rows is not None:
        return
    round = Round.objects.select_related("project", "spec_version").get(pk=dataset.round_id)
    facts = gather(round, policy_of(dataset), drafts.of_dataset(dataset))
    members = [
        Membership(
            dataset=dataset,
            ordinal=ordinal,
            trace_id=int(facts.base.trace[place]),
            part="mixed" if facts.draft.mixed[place] else "selected",
        )
        for ordinal, place in enumerate(facts.going)
    ]
    Membership.objects.bulk_create(members, batch_size=MEMBERS_AT_ONCE)
    statistics.refresh(Membership)
    digests = dataset.memberships.order_by("ordinal").values_list("trace__digest", flat=True)
    Dropped.objects.bulk_create(
        Dropped(dataset=dataset, reason=reason, n=n) for reason, n in left_out(round, facts).items() if n
    )
    _plan_shards(dataset)
    dataset.rows = len(members)
    Dataset.objects.filter(pk=dataset.pk).update(
        rows=len(members),
        state=Dataset.State.BUILDING,
        figures=canonical.dump(counting.figures(dataset)),
        membership_digest=canonical.digest([bytes(digest).hex() for digest in digests.iterator()]),
    )
    Event.objects.log(
        dataset.project_id,
        "dataset.frozen",
        dataset.created_by,
        dataset,
        rows=len(members),
    )


def left_out(round: Round, facts: Facts) -> dict[str, int]:
    """How many traces of a round stay out, by reason. Sums with those that go out to all that were sampled."""
    traces = Trace.objects.filter(round=round)
    counts: Counter[str] = Counter()
    for held_out, rows in ((True, traces.held_out()), (False, traces.not_held_out())):
        states = rows.values_list("decision__state", "decision__why").annotate(n=Count("pk")).order_by()
        for state, why, n in states:
            dropped = state == Decision.State.DROPPED
            reason = why if dropped else "held-out" if held_out else state
            if reason != Decision.State.ACCEPTED:
                counts[reason] += n
    people, draft = facts.people, facts.draft
    counts["not-admitted"] = int((people.accepted & draft.barred).sum())
    counts["not-drawn"] = int((people.accepted & ~draft.barred & ~draft.going).sum())
    mixed_in = people.trace[draft.going & ~people.accepted].tolist()
    for start in range(0, len(mixed_in), MEMBERS_AT_ONCE):
        some = Decision.objects.filter(trace__in=mixed_in[start : start + MEMBERS_AT_ONCE])
        for state, why in some.values_list("state", "why"):
            counts[why if state == Decision.State.DROPPED else state] -= 1
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


def _finish(dataset: Dataset, work: Path, progress: Progress | None) -> None:
    """The gates once more, manifest and card, the read-back, then the folder under its own name: last and at once.

    The gates are checked on the frozen membership immediately before the manifest: the ledger may have grown meanwhile.
    """
    for leftover in work.glob(".*.tmp"):
        leftover.unlink()
    dataset.refresh_from_db()
    rendered = targeting.checked(dataset, progress)
    found = report.of(
        dataset.round, dataset=dataset, policy=policy_of(dataset), rendered=rendered, thorough=True
    )
    require_no_gate(dataset, found)
    dataset.report = canonical.dump(certificate.of(dataset, found))
    Dataset.objects.filter(pk=dataset.pk).update(report=dataset.report)
    _name(dataset)
    manifest = manifests.manifest(dataset)
    files = {
        "manifest.json": manifests.as_json(manifest),
        "README.md": card.card(dataset, manifest).encode(),
        "report.html": audit_report.report_of(
            dataset.round, at=dataset.created_at, overrides=manifest["overrides"]
        ).encode(),
        "policy.json": manifests.as_json(policy_of(dataset).document),
        "train.py": card.train(dataset, manifest).encode(),
    }
    for name, content in files.items():
        (work / f".{name}.tmp").write_bytes(content)
        _settle(work / f".{name}.tmp", work / name)
    verifying.read_back(dataset, work)
    folder = Path(dataset.folder)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    if not (folder / "manifest.json").exists():
        drafting.require_empty(folder)
        shutil.move(work, folder)
    _release(dataset, manifest, found)


@transaction.atomic
def _release(dataset: Dataset, manifest: dict[str, Any], found: report.Report) -> None:
    """The state, the ledger and the log, in one transaction."""
    changed = (
        Dataset.objects.filter(pk=dataset.pk)
        .exclude(state=Dataset.State.READY)
        .update(
            state=Dataset.State.READY,
            digest=bytes.fromhex(manifest["digest"]),
            verdict=manifest["verdict"],
            manifest=canonical.dump(manifest),
        )
    )
    dataset.refresh_from_db()
    if not changed:
        return
    lifted = {"verdict": manifest["verdict"], "overridden_gates": manifest["overridden_gates"]}
    reasons = [f"override of {one['gate']} by {one['by']}: {one['reason']}" for one in manifest["overrides"]]
    booking.book(
        dataset,
        {**manifest["ledger"]["figures"], **lifted},
        by=dataset.created_by,
        reason="; ".join(reasons),
    )
    Event.objects.log(
        dataset.project_id,
        "dataset.exported",
        dataset.created_by,
        dataset,
        rows=dataset.rows,
        digest=manifest["digest"],
        verdict=manifest["verdict"],
        overridden=manifest["overridden_gates"],
    )


def _name(dataset: Dataset) -> None:
    """An uncertified data set carries that in its name; a folder that someone named keeps its own."""
    before = Path(dataset.folder)
    own = settings.EXPORTS / dataset.plain_name
    if dataset.name != dataset.plain_name and before == own.absolute():
        work = Path(dataset.folder + ".building")
        dataset.folder = str(before.with_name(dataset.name))
        Dataset.objects.filter(pk=dataset.pk).update(folder=dataset.folder)
        if work.exists():
            shutil.move(work, dataset.folder + ".building")


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

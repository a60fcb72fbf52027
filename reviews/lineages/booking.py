"""Booking: what a lineage receives goes into the ledger, append-only, each entry with the hash of the one before."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from reviews import permitting
from reviews.errors import Conflict, Invalid, NotAllowed
from reviews.formats import canonical
from reviews.lineages import registering
from reviews.models import Checkpoint, Dataset, Event, LedgerEntry, Project, Role, Sampler, User, UseReport

FIRST = bytes(32)  # what the first entry of a project follows
KINDS = ("grader-saw-chains", "monitor-in-reward", "trained-on-chains", "other")


@transaction.atomic
def book(
    dataset: Dataset, figures: dict[str, Any], *, by: User | None, reason: str = ""
) -> list[LedgerEntry]:
    """Book a finished data set to each checkpoint that sampled it; once, however often it is called.

    figures: {"domains": {name: {"pooled_d_inf": nats, "hard_prompts": nats}}, "traces": n, "tokens": n or None, …},
    of the whole data set: whoever was sampled, the child is trained on all of it. Where nobody has said which
    checkpoint a sampler was, the entry has none, and what that lineage received is unknown from then on.
    Whether `by` may export was asked when the draft was made: they may have left since, and it is theirs all the same.
    reason: what was written against the gates, where it was.
    """
    if booked := list(dataset.ledger_entries.filter(kind=LedgerEntry.Kind.APPLIED).order_by("number")):
        return booked
    return [
        _append(
            dataset.project,
            LedgerEntry.Kind.APPLIED,
            by=by,
            figures={**figures, "arm": dataset.arm, "round": f"{dataset.project.slug}/{dataset.round.name}"},
            checkpoint=checkpoint,
            dataset=dataset,
            reason=reason,
        )
        for checkpoint in checkpoints_of(dataset)
    ]


@transaction.atomic
def book_external(
    checkpoint: Checkpoint,
    kind: str,
    *,
    by: User | None,
    source: str,
    share: float | None = None,
    reason: str = "",
    nats: float | None = None,
) -> LedgerEntry:
    """Book pressure that was put on the chain outside Winnow: a grader saw it, a monitor was in the reward.

    share: of the stage's samples or episodes, 0 to 1. Without nats the lineage's dose is unknown: it is not zero.
    Raises Invalid, NotAllowed.
    """
    doing = _("Booking what happened elsewhere")
    permitting.require(by, checkpoint.project_id, Role.LEAD, Role.TRAINER, doing=doing)
    if kind not in KINDS:
        raise Invalid("kind", _("The kind is one of %(known)s.") % {"known": ", ".join(KINDS)})
    if not source.strip():
        raise Invalid("source", _("Say where it is known from: a report, a page, a person."))
    if share is not None and not 0 <= share <= 1:
        raise Invalid("share", _("%(field)s is a share, from 0 to 1.") % {"field": "share"})
    if nats is not None and not 0 <= nats <= 100:
        raise Invalid("nats", _("Nats are a number from 0 to 100."))
    known = {} if nats is None else {"all": {"pooled_d_inf": nats, "hard_prompts": nats}}
    figures = {
        "what": kind,
        "share": share,
        "source": source.strip(),
        "domains": known,
        "traces": 0,
        "tokens": 0,
    }
    external = LedgerEntry.Kind.EXTERNAL
    return _append(checkpoint.project, external, by=by, figures=figures, checkpoint=checkpoint, reason=reason)


@transaction.atomic
def counter(entry: LedgerEntry, reason: str, *, by: User | None) -> LedgerEntry:
    """Book that a data set was exported and not used. It needs a trainer's report, or a second person.

    Whoever exported it cannot say so alone; a report that it was used stands against it, also later.
    Raises NotAllowed, Conflict, Invalid.
    """
    permitting.require(by, entry.project_id, Role.LEAD, Role.TRAINER, doing=_("Booking a counter-entry"))
    if entry.kind != LedgerEntry.Kind.APPLIED or entry.dataset is None:
        raise Invalid("entry", _("Only what was exported from here can be booked as not used."))
    if not reason.strip():
        raise Invalid("reason", _("Say how it is known that it was not used; the reason stays on record."))
    if entry.countered_by.exists():
        raise Conflict(_("Entry %(number)s is countered already.") % {"number": entry.number})
    reports = UseReport.objects.filter(dataset=entry.dataset)
    if reports.filter(used=True).exists():
        raise Conflict(_("A trainer reported that this data set was used. It cannot be booked as not used."))
    exporter = entry.dataset.created_by_id
    reported = reports.filter(used=False).exclude(by=None).exclude(by=exporter).exists()
    second = by is not None and by.pk != exporter and entry.by_id != by.pk
    if not (reported or second):
        raise NotAllowed(
            _("Booking your own export as not used"), _("trainer who reports it, or a second person")
        )
    return _append(
        entry.project,
        LedgerEntry.Kind.COUNTER,
        by=by,
        figures={},
        checkpoint=entry.checkpoint,
        dataset=entry.dataset,
        counters=entry,
        reason=reason.strip(),
    )


@transaction.atomic
def report_use(
    dataset: Dataset,
    *,
    by: User | None,
    used: bool = True,
    checkpoint: Checkpoint | None = None,
    epochs: float | None = None,
    tokens: int | None = None,
    learning_rate: float | None = None,
    stage_samples: int | None = None,
    note: str = "",
) -> UseReport:
    """Write what a trainer did with a data set: which child came of it, or that it was not used. Raises Invalid."""
    permitting.require(by, dataset.project_id, Role.TRAINER, Role.LEAD, doing=_("Reporting use"))
    if dataset.state != Dataset.State.READY:
        raise Invalid("dataset", _("This data set is not finished: nobody can have used it."))
    if checkpoint is not None and checkpoint.project_id != dataset.project_id:
        raise Invalid("checkpoint", _("The checkpoint is of another project."))
    if not used and checkpoint is not None:
        raise Invalid("checkpoint", _("What was not used made no checkpoint."))
    if stage_samples is not None and stage_samples < (dataset.rows or 0):
        raise Invalid("stage_samples", _("The stage's samples include those of the data set."))
    made = UseReport.objects.create(
        dataset=dataset,
        used=used,
        checkpoint=checkpoint,
        epochs=epochs,
        tokens=tokens,
        learning_rate=learning_rate,
        stage_samples=stage_samples,
        note=note,
        by=by,
    )
    Event.objects.log(
        dataset.project_id,
        "use.reported",
        by,
        dataset,
        used=used,
        checkpoint=checkpoint.name if checkpoint else None,
        epochs=epochs,
        tokens=tokens,
        stage_samples=stage_samples,
    )
    return made


def checkpoints_of(dataset: Dataset) -> list[Checkpoint | None]:
    """The checkpoints that the exported traces' samplers were, by name; None, last, where one of them is unknown."""
    samplers = Sampler.objects.filter(traces__memberships__dataset=dataset).distinct().order_by("pk")
    found = {registering.checkpoint_of(sampler) for sampler in samplers}
    known = sorted((one for one in found if one is not None), key=lambda one: one.name)
    return [*known, None] if None in found else list(known)


def problems(project: Project) -> list[str]:
    """What is wrong with a project's chain of entries, a sentence each; nothing where it is as it was booked."""
    found, previous = [], FIRST
    entries = LedgerEntry.objects.filter(project=project).order_by("number")
    for number, entry in enumerate(entries.select_related("checkpoint", "dataset", "counters"), start=1):
        if entry.number != number:
            found.append(f"{project.slug}: ledger entry {number} is missing")
            break
        if bytes(entry.previous) != previous or bytes(entry.digest) != _digest(project, entry):
            found.append(f"{project.slug}: ledger entry {number} is not what was booked")
        previous = bytes(entry.digest)
    return found


def _append(
    project: Project,
    kind: str,
    *,
    by: User | None,
    figures: dict[str, Any],
    checkpoint: Checkpoint | None = None,
    dataset: Dataset | None = None,
    counters: LedgerEntry | None = None,
    reason: str = "",
) -> LedgerEntry:
    Project.objects.select_for_update().get(pk=project.pk)  # one at a time: each follows the one before
    last = LedgerEntry.objects.filter(project=project).order_by("-number").first()
    entry = LedgerEntry(
        project=project,
        number=last.number + 1 if last else 1,
        checkpoint=checkpoint,
        dataset=dataset,
        kind=kind,
        counters=counters,
        figures=canonical.dump(figures),
        reason=reason,
        by=by,
        at=timezone.now(),
        previous=bytes(last.digest) if last else FIRST,
    )
    entry.digest = _digest(project, entry)
    entry.save()
    Event.objects.log(project.pk, f"ledger.{kind}", by, entry, number=entry.number, digest=entry.digest.hex())
    return entry


def _digest(project: Project, entry: LedgerEntry) -> bytes:
    """SHA-256 over all that the entry says, the digest of the one before included."""
    return canonical.digest(
        {
            "project": project.slug,
            "number": entry.number,
            "kind": entry.kind,
            "checkpoint": [entry.checkpoint.name, entry.checkpoint.weights_digest]
            if entry.checkpoint
            else None,
            "dataset": [entry.dataset.number, bytes(entry.dataset.membership_digest or b"").hex()]
            if entry.dataset
            else None,
            "counters": entry.counters.number if entry.counters else None,
            "figures": bytes(entry.figures).decode(),
            "reason": entry.reason,
            "by": entry.by_id,
            "at": entry.at.isoformat(),
            "previous": bytes(entry.previous).hex(),
        }
    )

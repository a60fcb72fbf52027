"""The ledger: what a lineage has received, append-only, each entry carrying the hash of the one before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

from reviews.models.fields import DigestField
from reviews.models.frozen import Frozen
from reviews.models.lineages import Checkpoint
from reviews.models.projects import Project, Role, User, projects_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(project__in=projects_of(user, Role.LEAD, Role.AUDITOR, Role.TRAINER))


class LedgerEntry(models.Model):
    """One dose: a data set that went out, what happened elsewhere, or a correction of either."""

    frozen = Frozen()

    class Kind(models.TextChoices):
        APPLIED = "applied"  # a data set of ours was exported
        EXTERNAL = "external"  # pressure that was put on the chain outside Winnow
        COUNTER = "counter"  # exported but not used

    project = models.ForeignKey(Project, models.PROTECT, related_name="ledger_entries")
    number = models.PositiveIntegerField()
    # Null where nobody has said which checkpoint the sampler was: its history is then unknown, not zero.
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, null=True, related_name="ledger_entries")
    dataset = models.ForeignKey("reviews.Dataset", models.PROTECT, null=True, related_name="ledger_entries")
    kind = models.CharField(max_length=8, choices=Kind)
    counters = models.ForeignKey("self", models.PROTECT, null=True, related_name="countered_by")
    figures = models.BinaryField()  # canonical JSON: nats by domain, traces, tokens, share
    reason = models.TextField(blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    previous = DigestField()
    digest = DigestField()

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="ledger_entry_number_once"),
            models.UniqueConstraint(fields=["project", "previous"], name="ledger_entry_follows_one"),
            models.UniqueConstraint(
                fields=["dataset", "checkpoint"],
                condition=Q(kind="applied"),
                name="ledger_entry_once_a_dataset",
            ),
            models.UniqueConstraint(
                fields=["counters"], condition=Q(kind="counter"), name="ledger_entry_countered_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"

    @property
    def figures_object(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(bytes(self.figures))
        return found


class Seal(models.Model):
    """A stretch of the log, hashed: no event in it can be changed, added or taken away unseen."""

    frozen = Frozen()

    project = models.ForeignKey(Project, models.PROTECT, related_name="seals")
    number = models.PositiveIntegerField()
    first = models.PositiveBigIntegerField()  # the ids of the events, both ends included
    last = models.PositiveBigIntegerField()
    n = models.PositiveIntegerField()
    digest = DigestField()
    previous = DigestField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="seal_number_once"),
            models.UniqueConstraint(fields=["project", "previous"], name="seal_follows_one"),
        ]

    def __str__(self) -> str:
        return f"seal {self.number}"

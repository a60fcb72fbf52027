"""Data sets: what is exported is frozen as membership rows first, then written in shards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from django.db import models

from reviews.models.fields import DigestField
from reviews.models.frozen import Frozen
from reviews.models.policies import PolicyVersion
from reviews.models.projects import Project, Role, User, projects_of
from reviews.models.rounds import Round
from reviews.models.traces import Trace

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Not for reviewers: a data set tells which traces were accepted."""
        return self.filter(project__in=projects_of(user, Role.LEAD, Role.AUDITOR, Role.TRAINER))


class Dataset(models.Model):
    """One export: a draft, then a job, then a folder with a manifest. Built once, then frozen."""

    frozen = Frozen(once="OLD.state IN ('ready', 'declined')")

    class State(models.TextChoices):
        DRAFT = "draft"
        BUILDING = "building"
        READY = "ready"
        DECLINED = "declined"  # looked at, and ended without exporting: a good end

    class Arm(models.TextChoices):
        SELECTED = "selected"
        RANDOM_CONTROL = "random-control"
        OUTCOME_ONLY = "outcome-only"

    project = models.ForeignKey(Project, models.PROTECT, related_name="datasets")
    round = models.ForeignKey(Round, models.PROTECT, related_name="datasets")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    arm = models.CharField(max_length=20, choices=Arm, default=Arm.SELECTED)
    matches = models.ForeignKey("self", models.PROTECT, null=True, related_name="arms")  # whose control it is
    # The four written lines that a draft begins with.
    matters = models.TextField(blank=True)
    not_outcomes = models.TextField(blank=True)
    expected = models.TextField(blank=True)
    stop_when = models.TextField(blank=True)
    options = models.BinaryField(default=b"{}")  # the declared and random reductions, canonical JSON
    policy_version = models.ForeignKey(PolicyVersion, models.PROTECT, null=True, related_name="datasets")
    target = models.ForeignKey("reviews.Target", models.PROTECT, null=True, related_name="datasets")
    max_length = models.PositiveIntegerField(null=True)  # in tokens, of the trainer
    report = models.BinaryField(null=True)  # every gate with its figures, as checked on the frozen membership
    formats = models.CharField(max_length=200, default="sft")
    folder = models.TextField(blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    rows = models.PositiveIntegerField(null=True)
    figures = models.BinaryField(null=True)  # counts and pressure at the moment of freezing
    membership_digest = DigestField(null=True)
    digest = DigestField(null=True)
    verdict = models.CharField(max_length=12, blank=True)
    manifest = models.BinaryField(null=True)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="dataset_number_once")]

    def __str__(self) -> str:
        return f"data set {self.number}"

    @property
    def plain_name(self) -> str:
        return f"{self.project.slug}-{self.number}"

    @property
    def name(self) -> str:
        """With UNCERTIFIED in it where so many gates that would have blocked were overridden."""
        certified = not (self.report_object or {}).get("uncertified")
        return self.plain_name if certified else f"{self.plain_name}-UNCERTIFIED"

    @property
    def report_object(self) -> dict[str, Any] | None:
        return json.loads(bytes(self.report)) if self.report else None

    @property
    def files(self) -> list[str]:
        """The files of a finished data set, as paths inside its folder."""
        manifest = self.manifest_object or {}
        shards = [shard["file"] for shard in manifest.get("shards", [])]
        beside = [name for name in ("policy.json", "train.py") if name in manifest.get("beside", [])]
        report = [manifest["report"]["file"]] if "report" in manifest else []
        return ["README.md", "manifest.json", *report, *beside, *shards] if shards else []

    @property
    def manifest_object(self) -> dict[str, Any] | None:
        return json.loads(bytes(self.manifest)) if self.manifest else None


class Membership(models.Model):
    """The traces of a data set in their order. Frozen: later verdicts change nothing."""

    frozen = Frozen()

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="memberships")
    ordinal = models.PositiveIntegerField()
    trace = models.ForeignKey(Trace, models.PROTECT, related_name="memberships")
    split = models.CharField(max_length=12, default="train")
    part = models.CharField(max_length=8, default="selected")  # or "mixed": drawn whatever its decision

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "ordinal"], name="membership_ordinal_once"),
            models.UniqueConstraint(fields=["dataset", "trace"], name="membership_trace_once"),
        ]

    def __str__(self) -> str:
        return f"{self.ordinal} of {self.dataset_id}"


class Dropped(models.Model):
    """How many traces of the round stayed out of a data set, by reason."""

    frozen = Frozen()

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="dropped")
    reason = models.CharField(max_length=40)
    n = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "reason"], name="dropped_reason_once")]

    def __str__(self) -> str:
        return f"{self.n} {self.reason}"


class Override(models.Model):
    """A lead's written reason for exporting against the gates; it stays in manifest and card for ever."""

    frozen = Frozen()

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="overrides")
    gate = models.CharField(max_length=40)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.TextField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "gate"], name="override_gate_once")]

    def __str__(self) -> str:
        return self.gate


class Shard(models.Model):
    """One file of a data set: planned as a range of ordinals, then written once, whoever writes it."""

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="shards")
    format = models.CharField(max_length=20)
    split = models.CharField(max_length=12)
    index = models.PositiveIntegerField()
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    file = models.CharField(max_length=200, blank=True)
    rows = models.PositiveIntegerField(null=True)
    bytes = models.PositiveBigIntegerField(null=True)
    sha256 = DigestField(null=True)
    logical = DigestField(null=True)

    class Meta:
        ordering = ["dataset", "format", "split", "index"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "format", "split", "index"], name="shard_index_once")
        ]

    def __str__(self) -> str:
        return f"{self.format} {self.split} {self.index}"

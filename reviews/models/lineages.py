"""Checkpoints and what is known of them: a tree, measurements with their dates, what happened elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from reviews.models.fields import DigestField
from reviews.models.frozen import Frozen
from reviews.models.projects import Project, Role, User, projects_of
from reviews.models.traces import Sampler

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class CheckpointQuerySet(models.QuerySet["Checkpoint"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Not for reviewers: a checkpoint tells who sampled what."""
        return self.filter(project__in=projects_of(user, Role.LEAD, Role.AUDITOR, Role.TRAINER))


class Checkpoint(models.Model):
    """A model at a moment. Its weights' digest is who it is, in whatever project; its parents make the lineage."""

    frozen = Frozen()

    class Stage(models.TextChoices):
        BASE = "base"
        SFT = "sft"
        PREFERENCE = "preference"
        RL = "rl"
        UNKNOWN = "unknown"

    class Arm(models.TextChoices):
        """What a child was trained on: the selected traces, or a control of them."""

        SELECTED = "selected"
        RANDOM_CONTROL = "random-control"
        OUTCOME_ONLY = "outcome-only"
        NONE = ""

    project = models.ForeignKey(Project, models.PROTECT, related_name="checkpoints")
    name = models.CharField(max_length=200)
    # As an imported file named them: later steps of one lineage hang on the step before.
    lineage = models.CharField(max_length=200, blank=True)
    step = models.PositiveBigIntegerField(null=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    weights_digest = models.CharField(max_length=128, blank=True)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.UNKNOWN)
    fraction = models.FloatField(null=True)  # of the planned training, 0 to 1
    rl_steps = models.PositiveIntegerField(null=True)
    arm = models.CharField(max_length=14, choices=Arm, blank=True)
    note = models.TextField(blank=True)
    registered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    registered_at = models.DateTimeField(auto_now_add=True)

    objects = CheckpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="checkpoint_name_once"),
            models.CheckConstraint(
                condition=Q(fraction=None) | Q(fraction__gte=0, fraction__lte=1),
                name="checkpoint_fraction_0_to_1",
            ),
        ]
        indexes = [models.Index(fields=["weights_digest"], name="checkpoint_by_weights")]

    def __str__(self) -> str:
        return self.name

    @property
    def identity(self) -> str:
        """Who it is wherever it is registered: its weights' digest; without one, its project and name."""
        return self.weights_digest or f"{self.project.slug}/{self.name}"


class Attribution(models.Model):
    """Which checkpoint a sampler was, as someone says. The newest counts."""

    frozen = Frozen()

    sampler = models.ForeignKey(Sampler, models.PROTECT, related_name="attributions")
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="attributions")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.sampler_id} is {self.checkpoint_id}"


class Measurement(models.Model):
    """What someone measured of a checkpoint, with its interval, its date and its file."""

    frozen = Frozen()

    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="measurements")
    key = models.CharField(max_length=60)
    value = models.FloatField()
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    n = models.PositiveIntegerField(null=True)
    measured_on = models.DateField()
    file_name = models.CharField(max_length=200, blank=True)
    file_digest = DigestField(null=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.key} of {self.checkpoint_id}"


class UseReport(models.Model):
    """What a trainer says was done with a data set: which child came of it, or that it was not used."""

    frozen = Frozen()

    dataset = models.ForeignKey("reviews.Dataset", models.PROTECT, related_name="use_reports")
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, null=True, related_name="use_reports")
    used = models.BooleanField(default=True)
    epochs = models.FloatField(null=True)
    tokens = models.PositiveBigIntegerField(null=True)
    learning_rate = models.FloatField(null=True)
    stage_samples = models.PositiveBigIntegerField(
        null=True
    )  # all samples of the training stage, these included
    note = models.TextField(blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"use of {self.dataset_id}"

"""Held-out monitors and probes. Nothing here can be reached from a trace: no reviewer and no decision sees a score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from reviews.models.fields import DigestField, ExactTextField
from reviews.models.frozen import Frozen
from reviews.models.lineages import Checkpoint
from reviews.models.projects import Project, Role, User, projects_of
from reviews.models.traces import Trace

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class ProbeQuerySet(models.QuerySet["Probe"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Leads, auditors and trainers; whoever only reviews finds none."""
        return self.filter(project__in=projects_of(user, Role.LEAD, Role.AUDITOR, Role.TRAINER))


class Monitor(models.Model):
    """Who reads held-out chains and flags them: a model under a prompt, or a program."""

    frozen = Frozen()

    project = models.ForeignKey(Project, models.PROTECT, related_name="monitors")
    name = models.CharField(max_length=120)
    model = models.CharField(max_length=200, blank=True)
    prompt_digest = DigestField(null=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="monitor_name_once")]

    def __str__(self) -> str:
        return self.name


class Probe(models.Model):
    """A set of tasks in which a program decides whether a behaviour happened."""

    frozen = Frozen()

    class Against(models.TextChoices):
        TRAINED = "trained"  # training selected against this behaviour
        HELD_OUT = "held-out"  # it did not
        UNKNOWN = "unknown"

    project = models.ForeignKey(Project, models.PROTECT, related_name="probes")
    name = models.CharField(max_length=120)
    behaviour = models.TextField(blank=True)  # what counts as the behaviour, in words
    against = models.CharField(max_length=8, choices=Against, default=Against.UNKNOWN)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = ProbeQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="probe_name_once")]

    def __str__(self) -> str:
        return self.name


class ProbeResult(models.Model):
    """One item of a probe on one checkpoint. Null is not measured: an answer that could not be parsed, a flag not set."""

    frozen = Frozen()

    probe = models.ForeignKey(Probe, models.PROTECT, related_name="results")
    monitor = models.ForeignKey(Monitor, models.PROTECT, null=True, related_name="results")
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="probe_results")
    item = (
        ExactTextField()
    )  # the same question has the same item on every checkpoint: results are paired by it
    item_digest = DigestField()
    behaviour = models.BooleanField(null=True)
    flag = models.BooleanField(null=True)
    undetected = models.BooleanField(null=True)  # the behaviour happened and nothing in the chain shows it
    score = models.FloatField(null=True)
    correct = models.BooleanField(null=True)
    trace = models.ForeignKey(Trace, models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["probe", "checkpoint", "item_digest"], name="probe_result_once_an_item"
            )
        ]

    def __str__(self) -> str:
        return f"{self.probe_id} on {self.checkpoint_id}"

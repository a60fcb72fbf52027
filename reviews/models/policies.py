"""Policies: the thresholds of the six cautions, in frozen versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from django.db import models

from reviews.models.fields import DigestField
from reviews.models.frozen import Frozen
from reviews.models.projects import Project, Role, User, projects_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Not for reviewers: a threshold tells what accepts are worth."""
        return self.filter(project__in=projects_of(user, Role.LEAD, Role.AUDITOR, Role.TRAINER))


class PolicyVersion(models.Model):
    """One version of a project's policy. The newest is in force; the others stay for what was checked by them."""

    frozen = Frozen()

    project = models.ForeignKey(Project, models.PROTECT, related_name="policy_versions")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=40)
    document = models.BinaryField()  # canonical JSON, hashed as it stands
    digest = DigestField()
    reason = models.TextField(blank=True)  # why it is laxer than the one before, where it is
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="policy_version_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.number}"

    @property
    def as_document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(bytes(self.document))
        return found


class Look(models.Model):
    """One configuration that someone saw the figures of. The bounds of what goes out pay for each (C3)."""

    frozen = Frozen()

    class Kind(models.TextChoices):
        DRAFT = "draft"
        HELD_OUT = "held-out"

    project = models.ForeignKey(Project, models.PROTECT, related_name="looks")
    round = models.ForeignKey("reviews.Round", models.PROTECT, null=True, related_name="looks")
    kind = models.CharField(max_length=8, choices=Kind)
    configuration = models.BinaryField()  # canonical JSON of what was looked at
    digest = DigestField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["round", "digest"], condition=models.Q(kind="draft"), name="look_once_a_configuration"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} look {bytes(self.digest).hex()[:12]}"

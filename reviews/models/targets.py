"""What a trainer will render a data set with: a chat template, its special tokens and, where known, its tokenizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from reviews.models.fields import DigestField
from reviews.models.frozen import Frozen
from reviews.models.projects import Project, Role, User, projects_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class TargetQuerySet(models.QuerySet["Target"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(project__in=projects_of(user, Role.LEAD, Role.AUDITOR, Role.TRAINER))


class Target(models.Model):
    """One template under one name. Another template is another target: five revisions of one model's differ."""

    frozen = Frozen()

    project = models.ForeignKey(Project, models.PROTECT, related_name="targets")
    name = models.CharField(max_length=200)
    template = models.BinaryField()
    special = models.BinaryField(default=b"{}")  # JSON: bos_token, eos_token and the like
    tokenizer = models.BinaryField(null=True)  # tokenizer.json, where it was given
    digest = DigestField()  # over all three
    checkpoint = models.ForeignKey(
        "reviews.Checkpoint", models.PROTECT, null=True, related_name="targets"
    )  # whose own it is
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = TargetQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "digest"], name="target_once_in_a_project")]

    def __str__(self) -> str:
        return self.name

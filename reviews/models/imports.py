"""Imports: which file brought which traces, what was refused, and what was taken back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from django.db import models

from reviews.models.fields import DigestField, ExactTextField
from reviews.models.frozen import Frozen
from reviews.models.projects import Role, User, projects_of
from reviews.models.rounds import Round

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class ImportBatchQuerySet(models.QuerySet["ImportBatch"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(round__project__in=projects_of(user, Role.LEAD, Role.AUDITOR))


class ImportBatch(models.Model):
    """One file brought into one round. `lines` counts those whose outcome is committed: a resume starts there."""

    round = models.ForeignKey(Round, models.PROTECT, related_name="batches")
    file = ExactTextField()
    path = models.TextField(blank=True)
    sha256 = DigestField()
    format = models.CharField(max_length=40, default="canonical")
    mapping = models.BinaryField(default=b"{}")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    finished = models.BooleanField(default=False)
    lines = models.PositiveBigIntegerField(default=0)
    read = models.PositiveBigIntegerField(default=0)
    traces_new = models.PositiveBigIntegerField(default=0)
    traces_known = models.PositiveBigIntegerField(default=0)
    prompts_new = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    warnings = models.PositiveBigIntegerField(default=0)

    objects = ImportBatchQuerySet.as_manager()

    def __str__(self) -> str:
        return f"import {self.pk} of {self.file}"

    @property
    def mapping_object(self) -> dict[str, Any]:
        """Where the fields were read from; empty for canonical files."""
        found: dict[str, Any] = json.loads(bytes(self.mapping))
        return found


class BatchWithdrawal(models.Model):
    """A wrong import taken back: its traces leave queue, counts and exports, and stay on record."""

    frozen = Frozen()

    batch = models.OneToOneField(ImportBatch, models.PROTECT, related_name="withdrawal")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.TextField()
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"withdrawal of {self.batch_id}"


class RefusedLine(models.Model):
    """A line that did not go in, with the reason and the text, so that nothing is lost."""

    frozen = Frozen()

    batch = models.ForeignKey(ImportBatch, models.PROTECT, related_name="refused_lines")
    line = models.PositiveBigIntegerField()
    field = ExactTextField(blank=True)
    reason = ExactTextField()
    text = models.BinaryField()

    class Meta:
        ordering = ["batch", "line", "pk"]  # one line of a mapped file may hold several samples

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"

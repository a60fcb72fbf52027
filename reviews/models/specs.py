"""Specs: what is wanted of a trace, published in frozen versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from reviews.models.fields import DigestField
from reviews.models.frozen import Frozen
from reviews.models.projects import Project, User, projects_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class SpecVersionQuerySet(models.QuerySet["SpecVersion"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Everyone in a project may read what it wants."""
        return self.filter(project__in=projects_of(user))


class SpecVersion(models.Model):
    """One published version of a project's spec, in Markdown as it was written."""

    frozen = Frozen()

    project = models.ForeignKey(Project, models.PROTECT, related_name="spec_versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    text = models.TextField()
    digest = DigestField()
    form_selects = models.BooleanField(default=False)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)

    objects = SpecVersionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="spec_version_number_once")]

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"


class Clause(models.Model):
    """One question of a spec. Its purpose and relation are never shown while someone judges."""

    frozen = Frozen()

    class Purpose(models.TextChoices):
        OUTCOME_ALIGNMENT = "outcome-alignment"
        INTENT_ALIGNMENT = "intent-alignment"
        PROCESS_CORRECTNESS = "process-correctness"
        FORM = "form"
        MONITOR_FACING = "monitor-facing"

    class Relation(models.TextChoices):
        ALIGNED = "aligned"
        ORTHOGONAL = "orthogonal"
        IN_CONFLICT = "in-conflict"

    spec_version = models.ForeignKey(SpecVersion, models.PROTECT, related_name="clauses")
    key = models.CharField(max_length=20)
    ordinal = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    purpose = models.CharField(max_length=24, choices=Purpose)
    relation = models.CharField(max_length=12, choices=Relation)

    class Meta:
        ordering = ["spec_version", "ordinal"]
        constraints = [models.UniqueConstraint(fields=["spec_version", "key"], name="clause_key_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.title}"

    @property
    def selects(self) -> bool:
        """Whether a trace may be rejected for this clause. Form is a remark unless the spec says otherwise."""
        return self.purpose != self.Purpose.FORM or self.spec_version.form_selects


class ClauseOpinion(models.Model):
    """How one person classifies a clause. Two who agree are what `production` asks for (C8); the newest of each counts."""

    frozen = Frozen()

    clause = models.ForeignKey(Clause, models.PROTECT, related_name="opinions")
    purpose = models.CharField(max_length=24, choices=Clause.Purpose)
    relation = models.CharField(max_length=12, choices=Clause.Relation)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.clause_id} as {self.purpose}"

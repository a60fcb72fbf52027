"""Traces whose right decision is known: mixed in unmarked, to see how well readers judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from reviews.models.frozen import Frozen
from reviews.models.projects import Role, User, projects_of
from reviews.models.traces import Trace

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class GoldQuerySet(models.QuerySet["Gold"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(trace__round__project__in=projects_of(user, Role.LEAD, Role.AUDITOR))

    def standing(self) -> Self:
        """Those that no later row retires or replaces."""
        return self.filter(retired_by=None).exclude(verdict="")


class Gold(models.Model):
    """The decision that a trace should get, and why. A later row retires it; one without a verdict only retires."""

    frozen = Frozen()

    trace = models.ForeignKey(Trace, models.PROTECT, related_name="gold")
    verdict = models.CharField(max_length=6, blank=True)  # accept or reject
    clauses = models.CharField(max_length=400, blank=True)  # keys with a space between
    reason = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    retires = models.OneToOneField("self", models.PROTECT, null=True, related_name="retired_by")

    objects = GoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=["accept", "reject"]) | Q(verdict="", retires__isnull=False),
                name="gold_says_accept_or_reject",
            ),
            models.UniqueConstraint(fields=["trace"], condition=Q(retires=None), name="gold_one_chain"),
        ]

    def __str__(self) -> str:
        return f"gold {self.verdict or 'retired'} of {self.trace_id}"

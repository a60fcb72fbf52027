"""Rounds: one pass of rejection sampling, with its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from reviews.models.projects import Member, Project, Role, User, acting, projects_of
from reviews.models.specs import SpecVersion

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class RoundQuerySet(models.QuerySet["Round"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Rounds of the user's projects; a trainer sees data sets only."""
        return self.filter(project__in=projects_of(user, Role.REVIEWER, Role.LEAD, Role.AUDITOR))

    def for_reader(self, user: User | AnonymousUser) -> Self:
        """With what the desk asks of a round, in the same query.

        reads_here: whether the user may judge in it. searched: how far their last search of the queue got, this epoch.
        """
        from reviews.models.queue import Assignment

        mine = Assignment.objects.filter(
            leased_by=user.pk,
            round=OuterRef("pk"),
            searched_epoch=OuterRef("epoch"),
            searched_to__isnull=False,
        )
        reviewer = Member.objects.filter(acting(user, Role.REVIEWER), project=OuterRef("project"))
        return self.select_related("spec_version", "project").annotate(
            reads_here=Exists(reviewer),
            searched=Subquery(mine.order_by("-searched_to").values("searched_to")[:1]),
        )


class Round(models.Model):
    """Prompts, K samples each, a spec version, and who reads what how often."""

    class State(models.TextChoices):
        OPEN = "open"
        PAUSED = "paused"
        CLOSED = "closed"

    class Rule(models.TextChoices):
        AGREE = "agree"
        MAJORITY = "majority"
        FIRST = "first"

    project = models.ForeignKey(Project, models.PROTECT, related_name="rounds")
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    spec_version = models.ForeignKey(SpecVersion, models.PROTECT, null=True, related_name="rounds")
    overlap = models.PositiveSmallIntegerField(default=1)
    double_share = models.FloatField(default=0.2)
    rule = models.CharField(max_length=8, choices=Rule, default=Rule.AGREE)
    k = models.PositiveIntegerField(null=True)
    seed = models.CharField(max_length=64)
    lease_minutes = models.PositiveSmallIntegerField(default=20)
    # Raised whenever slots may have appeared before a place that a reviewer has already passed.
    epoch = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    reads_here: bool  # set by for_reader
    searched: int | None

    objects = RoundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="round_name_once"),
            models.CheckConstraint(
                condition=Q(overlap__gte=1, overlap__lte=20), name="round_overlap_1_to_20"
            ),
            models.CheckConstraint(
                condition=Q(double_share__gte=0, double_share__lte=1), name="round_share_0_to_1"
            ),
        ]

    def __str__(self) -> str:
        return self.name

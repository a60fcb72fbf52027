"""What a reader asks the lead about a trace, and what the lead says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from reviews.models.frozen import Frozen
from reviews.models.projects import Role, User, projects_of
from reviews.models.rounds import Round
from reviews.models.traces import Trace

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class QuestionQuerySet(models.QuerySet["Question"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """All of a project's for leads and auditors; their own and the answers to them for reviewers."""
        return self.filter(
            Q(round__project__in=projects_of(user, Role.LEAD, Role.AUDITOR))
            | Q(round__project__in=projects_of(user, Role.REVIEWER))
            & (Q(by=user.pk) | Q(answers__by=user.pk))
        )

    def asked(self) -> Self:
        return self.filter(answers=None)

    def waiting(self) -> Self:
        """Questions that no one has answered yet."""
        return self.asked().filter(answered_by=None)


class Question(models.Model):
    """One question, or with `answers` the answer to one."""

    frozen = Frozen()

    round = models.ForeignKey(Round, models.PROTECT, related_name="questions")
    trace = models.ForeignKey(Trace, models.PROTECT, related_name="questions")
    slot = models.PositiveSmallIntegerField(null=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    text = models.TextField()
    at = models.DateTimeField()
    answers = models.OneToOneField("self", models.PROTECT, null=True, related_name="answered_by")

    objects = QuestionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["by", "trace"], name="question_by_reviewer")]

    def __str__(self) -> str:
        return self.text[:60]

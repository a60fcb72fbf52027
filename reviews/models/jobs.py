"""Long work as rows: the row is the truth, a message to a worker is only the doorbell."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from reviews.models.projects import Project, Role, User, projects_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(project__in=projects_of(user, Role.LEAD, Role.AUDITOR, Role.TRAINER))

    def unfinished(self) -> Self:
        return self.filter(state__in=[Job.State.WAITING, Job.State.RUNNING])

    def abandoned(self, now: datetime) -> Self:
        """Unfinished ones that nobody works at: their heartbeat is old, or no worker ever took them up."""
        stale = now - timedelta(seconds=settings.JOB_STALE_SECONDS)
        return self.unfinished().filter(
            Q(heartbeat_at__lt=stale) | Q(heartbeat_at=None, created_at__lt=stale)
        )


class Job(models.Model):
    """One piece of long work. `attempt` is a fencing token: a worker that was given up can write nothing more."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Kind(models.TextChoices):
        IMPORT_TRACES = "import-traces"
        BUILD_DATASET = "build-dataset"
        RENDER_TEXTS = "render-texts"
        INDEX_TEXTS = "index-texts"

    project = models.ForeignKey(Project, models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=20, choices=Kind)
    subject = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    unit = models.CharField(max_length=20, default="rows")
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True)
    # Where this attempt began to count, so that a resumed job's rate is its own.
    done_at_start = models.PositiveBigIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    cancel = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(state__in=["waiting", "running"]),
                name="job_one_unfinished_for_each_subject",
            )
        ]
        indexes = [models.Index(fields=["state", "heartbeat_at"], name="job_by_heartbeat")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    @property
    def finished(self) -> bool:
        return self.state not in (self.State.WAITING, self.State.RUNNING)

    @property
    def rate(self) -> float | None:
        """Units a second in this attempt, or None before there is anything to go by."""
        if not self.started_at or not (until := self.finished_at or self.heartbeat_at):
            return None
        seconds = (until - self.started_at).total_seconds()
        done = self.done - self.done_at_start
        return done / seconds if seconds >= 1 and done > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """How long at this attempt's rate, or None where that cannot be said."""
        if self.finished or self.total is None or not (rate := self.rate):
            return None
        return max(self.total - self.done, 0) / rate


class WorkerBeat(models.Model):
    """When each worker was last heard of. The pages say so when none is alive."""

    name = models.CharField(max_length=200, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def alive(cls, now: datetime) -> bool:
        return cls.objects.filter(
            seen_at__gte=now - timedelta(seconds=settings.WORKER_STALE_SECONDS)
        ).exists()

"""Running a job: taking it up, telling how far it is, stopping it, and finding those that were left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from reviews import permitting
from reviews.errors import WinnowError
from reviews.models import Job, Role, User

log = structlog.get_logger("winnow.jobs")


class Cancelled(Exception):
    """Someone asked the job to stop."""


class GivenUp(Exception):
    """Another worker took the job up meanwhile: this one must write nothing more."""


class Running:
    """A job in the hands of one worker. Call `advance` after each finished piece."""

    def __init__(self, job: Job) -> None:
        self.job, self.attempt = job, job.attempt
        self._written = 0.0

    def advance(self, done: int, total: int | None = None) -> None:
        """Note how far the job is, about once a second. Raises Cancelled or GivenUp."""
        now = time.monotonic()
        if now - self._written < settings.JOB_HEARTBEAT_SECONDS and done != total:
            return
        self._written = now
        self.write(done=done, heartbeat_at=timezone.now(), **({} if total is None else {"total": total}))
        if Job.objects.filter(pk=self.job.pk, cancel=True).exists():
            raise Cancelled

    def write(self, **values: Any) -> None:
        """Change the row, as long as it is still this worker's. Raises GivenUp."""
        mine = Job.objects.filter(pk=self.job.pk, attempt=self.attempt, state=Job.State.RUNNING)
        if not mine.update(**values):
            raise GivenUp
        for name, value in values.items():
            setattr(self.job, name, value)


def start(
    kind: str, project_id: int, subject: int, *, by: User | None, unit: str, total: int | None = None
) -> Job:
    """The row of a new job, or the unfinished one for the same subject."""
    job, _ = Job.objects.get_or_create(
        kind=kind,
        subject=subject,
        state__in=[Job.State.WAITING, Job.State.RUNNING],
        defaults={
            "project_id": project_id,
            "created_by": by,
            "unit": unit,
            "total": total,
            "state": Job.State.WAITING,
        },
    )
    return job


@contextmanager
def running(job_id: int) -> Iterator[Running | None]:
    """Take a job up and end it by how the block ends. None where there is nothing to do: finished, or just running.

    A WinnowError is the job's failure and its sentence goes to the page; anything else is a bug: the row says that
    the log has it, and the error goes on.
    """
    job = _take_up(job_id)
    if job is None:
        yield None
        return
    held = Running(job)
    try:
        yield held
    except Cancelled:
        _end(held, Job.State.CANCELLED)
    except GivenUp:
        log.info("job given up", job=job_id, attempt=held.attempt)
    except WinnowError as refused:
        _end(held, Job.State.FAILED, str(refused))
    except Exception as bug:
        log.exception("job failed", job=job_id)
        _end(
            held,
            Job.State.FAILED,
            f"Something went wrong in Winnow itself ({type(bug).__name__}); the log has it. "
            "What was finished is kept: start it again to go on.",
        )
        raise
    else:
        _end(held, Job.State.DONE)


def cancel(job: Job, *, by: User | None) -> Job:
    """Ask a job to stop after its present piece; one that waits for a worker stops at once."""
    permitting.require(by, job.project_id, Role.LEAD, doing=_("Cancelling a job"))
    waiting = Job.objects.filter(pk=job.pk, state=Job.State.WAITING)
    if not waiting.update(state=Job.State.CANCELLED, cancel=True, finished_at=timezone.now()):
        Job.objects.unfinished().filter(pk=job.pk).update(cancel=True)
    job.refresh_from_db()
    return job


def to_ring_again() -> list[Job]:
    """Unfinished jobs that nobody works at, for the sweep."""
    return list(Job.objects.abandoned(timezone.now()))


def release_all() -> list[Job]:
    """Every unfinished job, freed of its dead worker: for a supervisor that owns the only worker, when that died."""
    Job.objects.filter(state=Job.State.RUNNING).update(heartbeat_at=None, state=Job.State.WAITING)
    return list(Job.objects.unfinished())


def _take_up(job_id: int) -> Job | None:
    now = timezone.now()
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None or job.finished:
            return None
        fresh = now - timedelta(seconds=settings.JOB_STALE_SECONDS)
        if job.state == Job.State.RUNNING and job.heartbeat_at and job.heartbeat_at > fresh:
            return None  # the bell was rung twice
        if job.cancel:
            Job.objects.filter(pk=job.pk).update(state=Job.State.CANCELLED, finished_at=now)
            return None
        Job.objects.filter(pk=job.pk).update(
            attempt=F("attempt") + 1,
            state=Job.State.RUNNING,
            started_at=now,
            heartbeat_at=now,
            error="",
            done_at_start=F("done"),
        )
        job.refresh_from_db()
    return job


def _end(held: Running, state: str, error: str = "") -> None:
    try:
        held.write(state=state, error=error, finished_at=timezone.now())
    except GivenUp:
        log.info("job given up at its end", job=held.job.pk, attempt=held.attempt)

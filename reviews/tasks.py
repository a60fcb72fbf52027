"""Celery tasks: doorbells. Ids in, one verb, progress out; each is safe to run twice."""

from __future__ import annotations

from celery import shared_task

from reviews import exporting, importing, jobs
from reviews.models import Job


@shared_task(acks_late=True)
def import_traces(job_id: int) -> None:
    """Bring an uploaded file in. Safe to run again: it goes on after the last committed line."""
    importing.run_job(job_id)


@shared_task(acks_late=True)
def build_dataset(job_id: int) -> None:
    """Build one data set. Safe to run again: a shard that stands is not written twice."""
    exporting.run_job(job_id)


@shared_task
def sweep_jobs() -> None:
    """Ring again for jobs that nobody works at any more."""
    for job in jobs.to_ring_again():
        ring(job)


BELLS = {Job.Kind.IMPORT_TRACES: import_traces, Job.Kind.BUILD_DATASET: build_dataset}


def ring(job: Job) -> None:
    """Tell a worker that this job waits, once the caller's transaction is committed.

    A broker that is away loses nothing: the job's row stands, and the sweep rings again.
    """
    BELLS[Job.Kind(job.kind)].delay_on_commit(job.pk)

"""Celery tasks: doorbells. Ids in, one verb, progress out; each is safe to run twice."""

from __future__ import annotations

import structlog
from celery import shared_task
from kombu.exceptions import OperationalError

from reviews import exporting, importing, jobs, preparing, sealing, searching
from reviews.models import ImportBatch, Job

log = structlog.get_logger("winnow.tasks")


@shared_task(acks_late=True)
def import_traces(job_id: int) -> None:
    """Bring an uploaded file in. Safe to run again: it goes on after the last committed line."""
    importing.run_job(job_id)
    job = Job.objects.get(pk=job_id)
    if job.state == Job.State.DONE:
        prepare(ImportBatch.objects.get(pk=job.subject).round_id, job.project_id)


def prepare(round_id: int, project_id: int) -> None:
    """Ring for what a round's new texts need: the index of words, and after it rendering.

    One after the other, so that of two worker processes one stays free for what a person waits for.
    """
    ring(jobs.start(Job.Kind.INDEX_TEXTS, project_id, round_id, by=None, unit="texts"))


@shared_task(acks_late=True)
def render_texts(job_id: int) -> None:
    """Render the texts of a round. Safe to run again: what is rendered is passed over."""
    preparing.run_job(job_id)


@shared_task(acks_late=True)
def index_texts(job_id: int) -> None:
    """Index the words of new texts. Safe to run again: it goes on after the last committed text."""
    searching.run_job(job_id)
    job = Job.objects.get(pk=job_id)
    if job.state == Job.State.DONE:
        ring(jobs.start(Job.Kind.RENDER_TEXTS, job.project_id, job.subject, by=None, unit="texts"))


@shared_task
def render_trace(trace_id: int) -> None:
    """Render one trace that someone reads now."""
    preparing.render_trace(trace_id)


@shared_task(acks_late=True)
def build_dataset(job_id: int) -> None:
    """Build one data set. Safe to run again: a shard that stands is not written twice."""
    exporting.run_job(job_id)


def ring_for_rendering(trace_id: int) -> None:
    """Ask a worker to render a trace that someone reads. Without a broker the page shows plain steps, which is enough."""
    try:
        render_trace.delay(trace_id)
    except OperationalError as away:
        log.warning("no broker to ring for a rendering", trace=trace_id, error=str(away))


@shared_task
def sweep_jobs() -> None:
    """Ring again for jobs that nobody works at any more, and for texts that a command brought in."""
    for job in jobs.to_ring_again():
        ring(job)
    for round in searching.rounds_behind():
        prepare(round.pk, round.project_id)


@shared_task
def seal_log() -> None:
    """Seal what the log has gained since the last time. Safe to run twice: a seal begins where the last one ends."""
    sealing.seal_all()


BELLS = {
    Job.Kind.IMPORT_TRACES: import_traces,
    Job.Kind.BUILD_DATASET: build_dataset,
    Job.Kind.RENDER_TEXTS: render_texts,
    Job.Kind.INDEX_TEXTS: index_texts,
}


def ring(job: Job) -> None:
    """Tell a worker that this job waits, once the caller's transaction is committed.

    A broker that is away loses nothing: the job's row stands, and the sweep rings again.
    """
    BELLS[Job.Kind(job.kind)].delay_on_commit(job.pk)

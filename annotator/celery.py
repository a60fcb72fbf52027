"""The Celery application, and the heartbeat by which the pages know that a worker is alive."""

from __future__ import annotations

import os
import socket
import threading
from datetime import timedelta
from typing import Any

import structlog
from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings")
app = Celery("winnow")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
log = structlog.get_logger("winnow.worker")

BEAT_SECONDS = 1.5
_stopped = threading.Event()


@signals.setup_logging.connect
def keep_our_logging(**signal: Any) -> None:
    """Connected at all, this keeps Celery from setting up logging of its own."""


@signals.worker_ready.connect
def start_beating(**signal: Any) -> None:
    threading.Thread(target=_beat, name="worker-beat", daemon=True).start()


@signals.worker_shutting_down.connect
def stop_beating(**signal: Any) -> None:
    _stopped.set()


@signals.worker_process_init.connect
def end_with_the_worker(**signal: Any) -> None:
    """A pool process whose worker was killed must not go on: its job is someone else's by then."""
    from annotator.supervising import die_with_parent

    die_with_parent()


def _beat() -> None:
    from django.db import DatabaseError, connection
    from django.utils import timezone

    from reviews.models import WorkerBeat

    name = f"{socket.gethostname()}:{os.getpid()}"
    while not _stopped.wait(BEAT_SECONDS):
        now = timezone.now()
        try:
            WorkerBeat.objects.update_or_create(name=name, defaults={"seen_at": now})
            WorkerBeat.objects.filter(seen_at__lt=now - timedelta(hours=1)).delete()
        except DatabaseError:
            log.warning("worker beat not written", exc_info=True)
        connection.close()  # the pool forks: no open connection may be carried over
    WorkerBeat.objects.filter(name=name).delete()
    connection.close()

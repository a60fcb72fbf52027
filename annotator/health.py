"""`/healthz`: this process answers. `/readyz`: everything that the main job needs is there."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from kombu.exceptions import OperationalError

from annotator.celery import app
from reviews.models import WorkerBeat

LEAST_FREE_BYTES = 256 * 2**20


def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers."""
    return JsonResponse({"ok": True})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 where database, broker, a worker and room on the disk are there; 503 and what is missing otherwise."""
    found = {name: check() for name, check in CHECKS.items()}
    ready = all(state == "ok" for state in found.values())
    return JsonResponse({"ok": ready, **found}, status=200 if ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM reviews_project LIMIT 1")
    except DatabaseError:
        return "does not answer, or is not migrated"
    return "ok"


def _broker() -> str:
    try:
        with app.connection_for_write(connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    except (OperationalError, OSError):
        return "does not answer"
    return "ok"


def _worker() -> str:
    try:
        return "ok" if WorkerBeat.alive(timezone.now()) else "none was heard of in the last seconds"
    except DatabaseError:
        return "unknown, because the database does not answer"


def _disk() -> str:
    try:
        free = shutil.disk_usage(settings.DATA).free
    except OSError:
        return f"{settings.DATA} cannot be read"
    return "ok" if free >= LEAST_FREE_BYTES else f"only {free // 2**20} MiB are free in {settings.DATA}"


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "broker": _broker,
    "worker": _worker,
    "disk": _disk,
}

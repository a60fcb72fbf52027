"""What every answer gets: a line in the log, and the content security policy."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger("winnow.http")
Answer = Callable[[HttpRequest], HttpResponse]


class RequestLog:
    """Log one line for each request, with an id that every line written meanwhile carries too."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=uuid.uuid4().hex[:12])
        response = self.get_response(request)
        # The path without its query; and a link's secret stands in the path, so that is cut too.
        secret = next((start for start in ("/enter/", "/invitations/") if request.path.startswith(start)), "")
        path = f"{secret}…" if secret else request.path
        log.info(
            "request",
            method=request.method,
            path=path,
            status=response.status_code,
            seconds=round(time.perf_counter() - started, 4),
        )
        return response


class ContentSecurityPolicy:
    """No inline script or style, nothing from another origin: a trace is hostile text."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        return response

"""One shape for every error of the API: RFC 9457 problem details, with the fields at fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from reviews.errors import Invalid, WinnowError

TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Wrong method",
    409: "Conflict",
    410: "Gone",
    415: "Wrong kind of content",
    422: "Refused",
    429: "Too many calls",
}


class ProblemRenderer(JSONRenderer):
    media_type = "application/problem+json"


def answer(problem: Exception, context: dict[str, Any]) -> Response | None:
    """The Response for an exception, or None for a bug, which stays a bug."""
    headers: dict[str, str] = {}
    if isinstance(problem, WinnowError):
        fields = (
            [{"field": problem.field, "detail": str(problem)}]
            if isinstance(problem, Invalid) and problem.field
            else []
        )
        body = _body(problem.status, problem.code, str(problem), fields)
    elif isinstance(problem, Http404):
        body = _body(404, "not-found", "There is nothing here that you may see.")
    elif isinstance(problem, PermissionDenied):
        body = _body(403, "not-allowed", "You may not do this.")
    elif isinstance(problem, exceptions.ValidationError):
        body = _body(
            422, "invalid", "The body has fields that cannot be taken.", list(_fields(problem.detail))
        )
    elif isinstance(problem, exceptions.APIException):
        body = _body(problem.status_code, str(problem.default_code).replace("_", "-"), str(problem.detail))
        if isinstance(problem, exceptions.Throttled):
            headers["Retry-After"] = str(int(problem.wait or 1))
        if challenge := getattr(problem, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
    else:
        return None
    set_rollback()
    response = Response(body, status=body["status"], headers=headers, content_type="application/problem+json")
    request = context.get("request")
    if request is not None:
        request.accepted_renderer, request.accepted_media_type = ProblemRenderer(), "application/problem+json"
    return response


def _body(status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
    }
    return {**body, "errors": errors} if errors else body


def _fields(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """`spans.0.start` and what is wrong with it, for each fault."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _fields(inner, f"{path}.{own}".strip("."))
    elif isinstance(detail, list) and any(isinstance(inner, (dict, list)) for inner in detail):
        for place, inner in enumerate(detail):
            yield from _fields(inner, f"{path}.{place}".strip("."))
    else:
        for sentence in detail if isinstance(detail, list) else [detail]:
            yield {"field": path, "detail": str(sentence)}

"""The API's page for people: its OpenAPI description as plain HTML, because ours is a strict CSP."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator


@login_required
def browse(request: HttpRequest) -> HttpResponse:
    """Every call with what it takes and gives."""
    described: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    calls = [
        {"method": method.upper(), "path": path, **operation}
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    ]
    return render(request, "reviews/api.html", {"calls": calls})

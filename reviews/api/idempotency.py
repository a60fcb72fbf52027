"""`Idempotency-Key`: the same key and body gives the stored answer, another body is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from reviews.errors import Conflict, Invalid
from reviews.models import Idempotency, User
from reviews.recording import KeyReused

ABANDONED = timedelta(minutes=2)


class InProgress(Conflict):
    code = "in-progress"


def key_of(request: Request) -> UUID | None:
    """The key that the client made, where it sent one. Raises Invalid for what is no UUID."""
    return key_required(request) if "Idempotency-Key" in request.headers else None


def key_required(request: Request) -> UUID:
    """The key that the client made. Raises Invalid where it is missing or no UUID."""
    text = request.headers.get("Idempotency-Key", "")
    try:
        return UUID(text)
    except ValueError:
        sentence = f"Send the header with a UUID, a new one for each decision or write; got '{text}'."
        raise Invalid("Idempotency-Key", sentence) from None


def idempotent(view: Callable[..., Response]) -> Callable[..., Response]:
    """Honour the key on a write: answer a repeat from what is stored. Answers of 500 and above are not stored."""

    @wraps(view)
    def wrapped(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = key_of(request)
        if key is None:
            return view(self, request, *args, **kwargs)
        body = hashlib.sha256(JSONRenderer().render(request.data)).digest()
        mine = claim(cast(User, request.user), key, request.path, body)
        if isinstance(mine, Response):
            return mine
        try:
            response = view(self, request, *args, **kwargs)
        except Exception:
            mine.delete()  # nothing was done, so the same key may try again
            raise
        mine.status, mine.answer = response.status_code, JSONRenderer().render(response.data)
        mine.save(update_fields=["status", "answer"])
        return response

    return wrapped


def claim(user: User, key: UUID, route: str, body_digest: bytes) -> Idempotency | Response:
    """The key's fresh row, or the stored answer. Raises KeyReused for another body, InProgress while one runs."""
    try:
        with transaction.atomic():
            return Idempotency.objects.create(user=user, key=key, route=route, body_digest=body_digest)
    except IntegrityError:
        stored = Idempotency.objects.get(user=user, key=key)
    if stored.route != route or bytes(stored.body_digest) != body_digest:
        raise KeyReused
    if stored.status is None:
        now = timezone.now()
        left = Idempotency.objects.filter(pk=stored.pk, status=None, at__lt=now - ABANDONED)
        if left.update(at=now):  # whoever began it died before the answer: begin it again
            return stored
        raise InProgress(
            "A request with this Idempotency-Key is still being answered. Try again in a moment."
        )
    return Response(json.loads(bytes(stored.answer or b"null")), status=stored.status)

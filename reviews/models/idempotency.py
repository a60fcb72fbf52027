"""Answers kept so that a repeated request is answered, not done again."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from reviews.models.fields import DigestField
from reviews.models.projects import User


class Idempotency(models.Model):
    """The stored answer to one write under one `Idempotency-Key`."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.UUIDField()
    route = models.CharField(max_length=300)
    body_digest = DigestField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.BinaryField(null=True)
    content_type = models.CharField(max_length=80, default="application/json")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return str(self.key)

"""Whether an answer is right, as some checker says. Hidden while people judge unless the round shows it."""

from __future__ import annotations

from django.db import models

from reviews.models.frozen import Frozen
from reviews.models.traces import Trace


class Outcome(models.Model):
    """What one source says of a trace's answer."""

    frozen = Frozen()

    class Value(models.TextChoices):
        CORRECT = "correct"
        WRONG = "wrong"
        UNKNOWN = "unknown"

    trace = models.ForeignKey(Trace, models.PROTECT, related_name="outcomes")
    source = models.CharField(max_length=40)  # "file": as the imported line said
    value = models.CharField(max_length=7, choices=Value)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trace", "source"], name="outcome_once_a_source")]

    def __str__(self) -> str:
        return self.value

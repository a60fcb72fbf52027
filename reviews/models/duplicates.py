"""Exact repeats of a sample: judged once, counted each."""

from __future__ import annotations

from django.db import models

from reviews.models.traces import Trace


class StandIn(models.Model):
    """A trace with the very texts of an earlier one of its prompt and sampler, whose decision is its own. Derived.

    A repeat that someone judged by itself (a verdict made elsewhere) stands for itself and has no row.
    """

    trace = models.OneToOneField(Trace, models.CASCADE, primary_key=True, related_name="stand_in")
    stands_for = models.ForeignKey(Trace, models.CASCADE, related_name="stood_in_for_by")

    def __str__(self) -> str:
        return f"{self.trace_id} as {self.stands_for_id}"

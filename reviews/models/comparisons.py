"""Samples of one prompt that a reader saw beside each other, in the order in which they stood."""

from __future__ import annotations

from django.db import models

from reviews.models.frozen import Frozen
from reviews.models.projects import User
from reviews.models.rounds import Round
from reviews.models.traces import RoundPrompt, Trace


class Comparison(models.Model):
    """One reader's look at several samples of a prompt at once. `mode` says whether its verdicts are relative."""

    frozen = Frozen()

    round = models.ForeignKey(Round, models.PROTECT, related_name="comparisons")
    round_prompt = models.ForeignKey(RoundPrompt, models.PROTECT, related_name="comparisons")
    reviewer = models.ForeignKey(User, models.PROTECT, related_name="+")
    mode = models.CharField(max_length=12, choices=Round.Mode)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.mode} by {self.reviewer_id} on {self.round_prompt_id}"


class ComparisonTrace(models.Model):
    """A trace's place in a comparison, from the left."""

    frozen = Frozen()

    comparison = models.ForeignKey(Comparison, models.PROTECT, related_name="places")
    trace = models.ForeignKey(Trace, models.PROTECT, related_name="+")
    side = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["comparison", "side"]
        constraints = [models.UniqueConstraint(fields=["comparison", "side"], name="comparison_side_once")]

    def __str__(self) -> str:
        return f"{self.side} of {self.comparison_id}"

"""What was going to be sampled, said before it was; and the families of tasks that are held out whole."""

from __future__ import annotations

import json
from typing import Any

from django.db import models

from reviews.models.fields import DigestField, ExactTextField
from reviews.models.frozen import Frozen
from reviews.models.projects import Project, User
from reviews.models.rounds import Round
from reviews.models.traces import Prompt, Trace


class SamplingPlan(models.Model):
    """Prompts by K samples, hashed before the first trace: a cell that never came is not accepted (C11)."""

    frozen = Frozen()

    round = models.OneToOneField(Round, models.PROTECT, related_name="sampling_plan")
    document = (
        models.BinaryField()
    )  # canonical JSON: {"k", "prompts": [ids], "models": [names], "seeds": [one an index]}
    digest = DigestField()
    traces_before = (
        models.PositiveIntegerField()
    )  # how many traces the round had when it was registered; 0 is a plan
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:12]

    @property
    def as_document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(bytes(self.document))
        return found


class HeldOutFamily(models.Model):
    """A family of tasks that never goes out, drawn at random from those that were declared."""

    frozen = Frozen()

    project = models.ForeignKey(Project, models.PROTECT, related_name="held_out_families")
    family = ExactTextField()
    family_digest = DigestField()
    drawn_from = models.PositiveIntegerField()  # how many families were declared at the draw
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "family_digest"], name="held_out_family_once")
        ]

    def __str__(self) -> str:
        return str(self.family)


class Style(models.Model):
    """How a chain looks rather than what it says. Derived from its text; made again where it is missing."""

    trace = models.OneToOneField(Trace, models.CASCADE, primary_key=True, related_name="style")
    version = models.PositiveSmallIntegerField()
    words = models.PositiveIntegerField()
    sentences = models.PositiveIntegerField()
    lines = models.PositiveIntegerField()
    marks = models.PositiveIntegerField()  # headings, list items, bold: Markdown that shows
    reading_ease = models.FloatField()  # Flesch
    spec_words = models.PositiveIntegerField()  # mentions of spec, guidelines, policy, rules

    def __str__(self) -> str:
        return f"style of {self.trace_id}"


class PromptBand(models.Model):
    """A piece of a prompt's MinHash: prompts that share one are looked at as near copies. Derived from its text."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="bands")
    band = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["project", "band"], name="prompt_band")]

    def __str__(self) -> str:
        return f"band of {self.prompt_id}"

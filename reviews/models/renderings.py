"""Texts made ready to read, by the worker. Derived from the texts; an old version of the renderer is made again."""

from __future__ import annotations

from django.db import models

from reviews.models.fields import DigestField
from reviews.models.traces import Prompt, Text


class Rendering(models.Model):
    """One text, cut into one set of steps and rendered. `split` is the digest of the source's own steps, if any."""

    text = models.ForeignKey(Text, models.CASCADE, related_name="renderings")
    split = DigestField()
    version = models.CharField(max_length=20)
    document = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["text", "split", "version"], name="rendering_once_a_version")
        ]

    def __str__(self) -> str:
        return f"rendering {self.version} of {self.text_id}"


class PromptRendering(models.Model):
    """The messages of one prompt, each rendered as a text of its own: a JSON array of documents, null for system."""

    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="renderings")
    version = models.CharField(max_length=20)
    documents = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prompt", "version"], name="prompt_rendering_once_a_version")
        ]

    def __str__(self) -> str:
        return f"rendering {self.version} of prompt {self.prompt_id}"

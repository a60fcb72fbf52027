"""Prompts, samplers, texts and traces: what was sampled, byte for byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from reviews.models.fields import DigestField, ExactTextField
from reviews.models.frozen import Frozen
from reviews.models.projects import Project, Role, User, projects_of
from reviews.models.rounds import Round

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from reviews.models.imports import ImportBatch


def held_out(prompt: str, project: str) -> Q:
    """The one rule of what is held out, for a query: by its keyed bucket, or as one of a family that is held out whole.

    prompt, project: the paths from the row to them; "" for a prompt itself. A prompt that stands in such a family in
    any round of its project is held out in all of them.
    """
    from reviews.models.plans import HeldOutFamily

    at = f"{prompt}__" if prompt else ""
    families = HeldOutFamily.objects.filter(project=OuterRef(project))
    named = HeldOutFamily.objects.filter(project=OuterRef(OuterRef(project))).values("family")
    in_family = RoundPrompt.objects.filter(prompt=OuterRef(f"{at}pk"), family__in=named)
    by_hash = Q(**{f"{at}bucket__lt": F(f"{project}__held_out_below")})
    # Most projects hold out no family: for them the first question is the last.
    return by_hash | (Q(Exists(families)) & Q(Exists(in_family)))


class PromptQuerySet(models.QuerySet["Prompt"]):
    def held_out(self) -> Self:
        return self.filter(held_out("", "project"))


class Prompt(models.Model):
    """What was asked, as chat messages in canonical JSON. `bucket` is a keyed hash: nobody sets it by hand."""

    frozen = Frozen()

    project = models.ForeignKey(Project, models.PROTECT, related_name="prompts")
    digest = DigestField()
    messages = models.BinaryField()
    bucket = models.PositiveSmallIntegerField()

    objects = PromptQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "digest"], name="prompt_once_in_a_project")]

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:12]

    @property
    def as_messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(bytes(self.messages))
        return found


class RoundPrompt(models.Model):
    """A prompt's place in a round, under the name that its file gave it."""

    frozen = Frozen()

    round = models.ForeignKey(Round, models.PROTECT, related_name="round_prompts")
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="round_prompts")
    external_id = ExactTextField()
    identity = DigestField()
    domain = ExactTextField(blank=True)
    family = ExactTextField(blank=True)
    reference = models.BinaryField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "identity"], name="round_prompt_once")]

    def __str__(self) -> str:
        return str(self.external_id)


class Sampler(models.Model):
    """Who produced traces in a round: a model under one sampling configuration."""

    frozen = Frozen()

    class Provenance(models.TextChoices):
        SAMPLED_HERE = "sampled-here"
        LOG_PROB_VERIFIED = "log-prob-verified"
        DECLARED = "declared"

    round = models.ForeignKey(Round, models.PROTECT, related_name="samplers")
    model = ExactTextField()
    identity = DigestField()
    sampling = models.BinaryField()
    provenance = models.CharField(max_length=20, choices=Provenance, default=Provenance.DECLARED)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "identity"], name="sampler_once")]

    def __str__(self) -> str:
        return str(self.model)


class Text(models.Model):
    """A long text as its UTF-8 bytes. Stands alone so that lists, queue and counts never read it."""

    frozen = Frozen(may_change=("body",))  # `purge` empties it; the digest stays

    digest = DigestField(unique=True)
    body = models.BinaryField()
    chars = models.PositiveIntegerField()
    bytes = models.PositiveIntegerField()

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:12]

    @property
    def as_text(self) -> str:
        return bytes(self.body).decode()


class TraceQuerySet(models.QuerySet["Trace"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Leads and auditors; a reviewer meets a trace only through an assignment, blind."""
        return self.filter(round__project__in=projects_of(user, Role.LEAD, Role.AUDITOR))

    def standing(self) -> Self:
        """Those whose import was not taken back."""
        from reviews.models.imports import BatchWithdrawal

        return self.exclude(Exists(BatchWithdrawal.objects.filter(batch=OuterRef("batch"))))

    def in_subset(self) -> Self:
        """Without those that the plan's own random draw left out of review: they alone may leave the denominators (C2)."""
        from reviews.models.reviews import Decision

        return self.exclude(decision__why=Decision.Why.OUTSIDE_SUBSET)

    def held_out(self) -> Self:
        return self.filter(held_out("round_prompt__prompt", "round__project"))

    def not_held_out(self) -> Self:
        return self.exclude(held_out("round_prompt__prompt", "round__project"))

    def with_texts(self) -> Self:
        """With everything that a reader sees, in one query."""
        return self.select_related("reasoning", "answer", "round_prompt__prompt", "sampler")


class Trace(models.Model):
    """One draw of a sampler for a prompt. Immutable; what is learnt about it later stands elsewhere."""

    frozen = Frozen()

    round = models.ForeignKey(Round, models.PROTECT, related_name="traces")
    round_prompt = models.ForeignKey(RoundPrompt, models.PROTECT, related_name="traces")
    sampler = models.ForeignKey(Sampler, models.PROTECT, related_name="traces")
    batch: models.ForeignKey[ImportBatch, ImportBatch] = models.ForeignKey(
        "reviews.ImportBatch", models.PROTECT, related_name="traces"
    )
    sample_index = models.PositiveIntegerField()
    identity = DigestField()
    # How many of the same identity were imported and taken back before: a wrong import does not block the right one.
    generation = models.PositiveSmallIntegerField(default=0)
    content_digest = DigestField()
    digest = DigestField()
    prompt_was_text = models.BooleanField()  # the file gave one text, not chat messages
    reasoning = models.ForeignKey(Text, models.PROTECT, related_name="+")
    answer = models.ForeignKey(Text, models.PROTECT, null=True, related_name="+")
    raw = models.ForeignKey(Text, models.PROTECT, null=True, related_name="+")
    split_rule = models.CharField(max_length=40, blank=True)
    finish = models.CharField(max_length=40, blank=True)
    tokens = models.PositiveIntegerField(null=True)
    meta = models.BinaryField()

    objects = TraceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["round", "identity", "generation"], name="trace_identity_once"),
            models.UniqueConstraint(fields=["round", "digest", "generation"], name="trace_digest_once"),
        ]
        indexes = [
            models.Index(fields=["digest"], name="trace_by_digest"),
            models.Index(fields=["round_prompt", "sampler", "content_digest"], name="trace_siblings"),
        ]

    def __str__(self) -> str:
        return self.digest_hex[:12]

    @property
    def digest_hex(self) -> str:
        return bytes(self.digest).hex()

    @property
    def prompt_as_given(self) -> str | list[dict[str, Any]]:
        """The prompt in the shape it was imported in: one text, or chat messages."""
        messages = self.round_prompt.prompt.as_messages
        return str(messages[0]["content"]) if self.prompt_was_text else messages

    @property
    def meta_object(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(bytes(self.meta))
        return found

"""Which prompts are held out: a keyed hash decides, and a draw among families, never a person."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from reviews import permitting
from reviews.errors import Conflict
from reviews.measures import near_copies
from reviews.models import Event, HeldOutFamily, Project, Prompt, PromptBand, Role, RoundPrompt, User
from reviews.models.projects import HELD_OUT_BUCKETS

CANDIDATES = 40  # at most so many stored prompts are held against a new one
INDEXED_AT_ONCE = 500


@dataclass(frozen=True)
class Family:
    """A family of tasks that files declare: how many prompts it has, and whether it is held out whole."""

    name: str
    prompts: int
    held_out: bool


def bucket(messages: list[dict[str, Any]]) -> int:
    """0 to 9,999 for a prompt, from HMAC-SHA-256 under the instance's key over its normalised text."""
    return _bucket(normal(messages))


def _bucket(text: str) -> int:
    mark = hmac.new(settings.HELD_OUT_KEY, text.encode(), hashlib.sha256).digest()
    return int.from_bytes(mark[:8]) % HELD_OUT_BUCKETS


def normal(messages: list[dict[str, Any]]) -> str:
    """A prompt's text with white space and case evened out.

    The system prompt counts only where there is nothing else: the same question under two system prompts stays on one
    side.
    """
    asked = [message for message in messages if message["role"] != "system"] or messages
    return " ".join(" ".join(message["content"] for message in asked).split()).casefold()


def settle(project_id: int, prompts: Iterable[Prompt]) -> list[PromptBand]:
    """Give new prompts their buckets: each its own, or the lowest of those that it is a near copy of.

    The lowest, so that a prompt goes out only where nothing like it is held out. The bands are what finds later copies;
    they are to be stored once the prompts are.
    """
    new = list(prompts)
    texts = [normal(prompt.as_messages) for prompt in new]
    found = [near_copies.shingles(text) for text in texts]
    marks = [near_copies.bands(one) for one in found]
    stored = _stored(project_id, marks)
    in_batch: dict[int, list[int]] = {}
    for place, (prompt, text, own, bands) in enumerate(zip(new, texts, found, marks, strict=True)):
        like = {prompt_id for band in bands for prompt_id in stored.by_band.get(band, ())}
        near = [
            stored.bucket[prompt_id]
            for prompt_id in sorted(like)[:CANDIDATES]
            if near_copies.similarity(own, stored.shingles(prompt_id)) >= near_copies.LIKE
        ]
        before = {earlier for band in bands for earlier in in_batch.get(band, ())}
        near += [
            new[earlier].bucket
            for earlier in sorted(before)[:CANDIDATES]
            if near_copies.similarity(own, found[earlier]) >= near_copies.LIKE
        ]
        prompt.bucket = min(near) if near else _bucket(text)
        for band in bands:
            in_batch.setdefault(band, []).append(place)
    return [
        PromptBand(project_id=project_id, prompt=prompt, band=band)
        for prompt, bands in zip(new, marks, strict=True)
        for band in bands
    ]


class _Stored:
    """Stored prompts that share a band with a new one; their texts are read only where they are looked at."""

    def __init__(self, by_band: dict[int, list[int]], prompts: dict[int, Prompt]) -> None:
        self.by_band, self.prompts = by_band, prompts
        self.bucket = {pk: prompt.bucket for pk, prompt in prompts.items()}
        self._shingles: dict[int, Any] = {}

    def shingles(self, prompt_id: int) -> Any:
        if prompt_id not in self._shingles:
            text = normal(self.prompts[prompt_id].as_messages)
            self._shingles[prompt_id] = near_copies.shingles(text)
        return self._shingles[prompt_id]


def _stored(project_id: int, marks: list[list[int]]) -> _Stored:
    wanted = {band for bands in marks for band in bands}
    rows = PromptBand.objects.filter(project=project_id, band__in=wanted).order_by("prompt_id")
    by_band: dict[int, list[int]] = {}
    for band, prompt_id in rows.values_list("band", "prompt_id"):
        if len(by_band.setdefault(band, [])) < CANDIDATES:
            by_band[band].append(prompt_id)
    ids = {prompt_id for held in by_band.values() for prompt_id in held}
    return _Stored(by_band, Prompt.objects.in_bulk(ids))


def index(project: Project) -> None:
    """Store the bands of prompts that have none: those of a project that is older than the bands."""
    while prompts := list(Prompt.objects.filter(project=project, bands=None)[:INDEXED_AT_ONCE]):
        PromptBand.objects.bulk_create(
            PromptBand(project=project, prompt=prompt, band=band)
            for prompt in prompts
            for band in near_copies.bands(near_copies.shingles(normal(prompt.as_messages)))
        )


def is_held_out(prompt: Prompt) -> bool:
    return Prompt.objects.filter(pk=prompt.pk).held_out().exists()


def key_state(project: Project) -> Literal["ok", "lost", "empty"]:
    """Whether the instance's key is the one that the project's prompts were held out with.

    Its first prompt is nobody's copy, so its bucket is its own. With another key, copies would fall on both sides.
    """
    first = Prompt.objects.filter(project=project).order_by("pk").first()
    if first is None:
        return "empty"
    return "ok" if first.bucket == bucket(first.as_messages) else "lost"


def root(project: Project) -> str:
    """Merkle root (SHA-256, pairs in order, an odd one carried up) of the digests of the project's held-out prompts.

    Leaves are sorted by their bytes. Empty: SHA-256 of nothing.
    """
    held = Prompt.objects.filter(project=project).held_out().values_list("digest", flat=True)
    level = sorted(bytes(digest) for digest in held)
    while len(level) > 1:
        level = list(_paired(level))
    return (level[0] if level else hashlib.sha256(b"").digest()).hex()


def _paired(level: list[bytes]) -> Iterator[bytes]:
    for place in range(0, len(level), 2):
        pair = level[place : place + 2]
        yield hashlib.sha256(b"".join(pair)).digest() if len(pair) == 2 else pair[0]


def families(project: Project) -> list[Family]:
    """The families that the project's files declare, by name."""
    held = set(project.held_out_families.values_list("family", flat=True))
    counted = (
        RoundPrompt.objects.filter(round__project=project)
        .exclude(family="")
        .values_list("family")
        .annotate(n=Count("prompt", distinct=True))
        .order_by("family")
    )
    return [Family(name, n, name in held) for name, n in counted]


@transaction.atomic
def draw_family(project: Project, *, by: User | None) -> HeldOutFamily:
    """Hold out one more family, drawn at random from those declared. Nobody chooses it, and it is never given back.

    Raises Conflict where fewer than two are left: a draw from one is a choice.
    """
    permitting.require(by, project.pk, Role.LEAD, doing=_("Holding out a family"))
    Project.objects.select_for_update().get(pk=project.pk)
    declared = families(project)
    left = [family.name for family in declared if not family.held_out]
    if len(left) < 2:
        raise Conflict(
            _(
                "%(n)s declared families are not held out; a draw needs two. Files declare them as meta.family."
            )
            % {"n": len(left)}
        )
    name = secrets.choice(left)
    made = HeldOutFamily.objects.create(
        project=project,
        family=name,
        family_digest=hashlib.sha256(name.encode()).digest(),
        drawn_from=len(left),
        by=by,
    )
    Event.objects.log(project.pk, "family.held-out", by, made, family=name, drawn_from=len(left))
    return made

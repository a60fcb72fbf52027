"""What a round's figures are of, as arrays: every trace that was ever sampled for its prompts, held-out ones apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from django.core.cache import cache
from django.db.models import Count, F, Max, OuterRef, Subquery
from numpy.typing import NDArray

from reviews import drawing
from reviews.models import (
    Attribution,
    BatchWithdrawal,
    Decision,
    Outcome,
    Review,
    Round,
    Sampler,
    Trace,
)

Found = TypeVar("Found")

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BYTES_A_TOKEN = 4  # where nobody counted: said to be an estimate wherever it is shown
SECONDS = 24 * 3600
VALUES = {Outcome.Value.CORRECT: 0, Outcome.Value.WRONG: 1, Outcome.Value.UNKNOWN: 2}
NO_OUTCOME = -1
SHAPE = 1  # of what is kept in the cache; raised when Base changes


@dataclass(frozen=True)
class Base:
    """The traces of a round that stand and are not held out, in the order of their digests.

    Of shape (traces,): trace, the primary keys; prompt, sampler, cell, the places of each trace's prompt, sampler and
    (prompt, sampler); accepted; judged, whether anyone has read it; tokens; counted, whether a sampler counted them;
    outcome, 0 correct, 1 wrong, 2 unknown, -1 nobody said; draw, the number from 0 to 1 that the seed gave it.
    Of shape (cells,): cell_prompt; elsewhere, how many more samples other rounds of the project hold of it (C3).
    prompts, samplers: the primary keys by place; domains, families: names by prompt's place, "" where none.
    """

    trace: Ints
    prompt: Ints
    sampler: Ints
    cell: Ints
    accepted: Flags
    judged: Flags
    tokens: Ints
    counted: Flags
    outcome: Ints
    draw: Floats
    cell_prompt: Ints
    elsewhere: Ints
    prompts: list[int]
    samplers: list[int]
    domains: list[str]
    families: list[str]

    @property
    def sampled(self) -> Ints:
        """K of each cell: what this round holds and what other rounds do."""
        return np.bincount(self.cell, minlength=len(self.elsewhere)) + self.elsewhere

    @property
    def taken(self) -> Ints:
        """k of each cell: how many of this round's traces are accepted."""
        return np.bincount(self.cell[self.accepted], minlength=len(self.elsewhere))

    def by_prompt(self, of_cells: Ints) -> Ints:
        """Sums over the samplers of a prompt: intervals cluster by prompt, whoever sampled it."""
        found = np.bincount(self.cell_prompt, weights=of_cells, minlength=len(self.prompts))
        return np.asarray(np.rint(found), dtype=np.int64)


def of(round: Round) -> Base:
    """The arrays of a round, kept until a verdict, an import or a decision changes them."""
    return kept(round, "base", lambda: _read(round))


def kept(round: Round, what: str, work_out: Callable[[], Found]) -> Found:
    """Figures of a round's traces and verdicts, kept until one of them changes."""
    key = "checking:" + hashlib.sha256(f"{SHAPE}:{what}:{round.pk}:{_mark(round)}".encode()).hexdigest()
    found: Any = cache.get(key)
    if found is None:
        found = work_out()
        cache.set(key, found, SECONDS)
    return found  # type: ignore[no-any-return]


def _mark(round: Round) -> str:
    """Another one whenever something that the arrays are of has changed; everything counted here is append-only."""
    counts = [
        Trace.objects.filter(round__project=round.project_id).aggregate(n=Count("pk"), last=Max("pk")),
        Review.objects.filter(round=round).aggregate(n=Count("pk"), last=Max("pk")),
        BatchWithdrawal.objects.filter(batch__round__project=round.project_id).aggregate(
            n=Count("pk"), last=Max("pk")
        ),
        Attribution.objects.filter(sampler__round__project=round.project_id).aggregate(
            n=Count("pk"), last=Max("pk")
        ),
        Outcome.objects.filter(trace__round=round).aggregate(n=Count("pk"), last=Max("pk")),
        round.project.held_out_families.aggregate(n=Count("pk"), last=Max("pk")),
    ]
    marks = "-".join(f"{mark['n']}.{mark['last']}" for mark in counts)
    return f"{marks}-{round.project.held_out_below}-{round.spec_version_id}"


def _read(round: Round) -> Base:
    rows = list(
        Trace.objects.filter(round=round)
        .not_held_out()
        .standing()
        .order_by("digest")
        .values_list(
            "pk",
            "digest",
            "round_prompt__prompt",
            "sampler",
            "decision__state",
            "decision__readings",
            "tokens",
            F("reasoning__bytes"),
            F("answer__bytes"),
            "round_prompt__domain",
            "round_prompt__family",
        )
    )
    prompts = sorted({row[2] for row in rows})
    samplers = sorted({row[3] for row in rows})
    at_prompt = {pk: place for place, pk in enumerate(prompts)}
    at_sampler = {pk: place for place, pk in enumerate(samplers)}
    domains, families = [""] * len(prompts), [""] * len(prompts)
    for row in rows:
        place = at_prompt[row[2]]
        domains[place] = domains[place] or str(row[9])
        families[place] = families[place] or str(row[10])
    prompt = np.array([at_prompt[row[2]] for row in rows], dtype=np.int64)
    sampler = np.array([at_sampler[row[3]] for row in rows], dtype=np.int64)
    pairs, cell = np.unique(prompt * max(1, len(samplers)) + sampler, return_inverse=True)
    outcomes = _outcomes(round)
    size = max(1, len(samplers))
    return Base(
        trace=np.array([row[0] for row in rows], dtype=np.int64),
        prompt=prompt,
        sampler=sampler,
        cell=np.asarray(cell, dtype=np.int64).reshape(-1),
        accepted=np.array([row[4] == Decision.State.ACCEPTED for row in rows], dtype=np.bool_),
        judged=np.array([bool(row[5]) for row in rows], dtype=np.bool_),
        tokens=np.array(
            [row[6] if row[6] is not None else -(-(row[7] + (row[8] or 0)) // BYTES_A_TOKEN) for row in rows],
            dtype=np.int64,
        ),
        counted=np.array([row[6] is not None for row in rows], dtype=np.bool_),
        outcome=np.array([outcomes.get(row[0], NO_OUTCOME) for row in rows], dtype=np.int64),
        draw=np.array([drawing.draw(round.seed, "export", bytes(row[1])) for row in rows], dtype=np.float64),
        cell_prompt=np.asarray(pairs // size, dtype=np.int64),
        elsewhere=_elsewhere(round, prompts, samplers, pairs, size),
        prompts=prompts,
        samplers=samplers,
        domains=domains,
        families=families,
    )


def _outcomes(round: Round) -> dict[int, int]:
    """What the first source said of each answer."""
    found: dict[int, int] = {}
    rows = Outcome.objects.filter(trace__round=round).order_by("-pk").values_list("trace", "value")
    for trace, value in rows.iterator():
        found[trace] = VALUES[Outcome.Value(value)]
    return found


def who(project_id: int) -> dict[int, str]:
    """Who each sampler of a project was: its checkpoint's weights where somebody said so, else the model's name."""
    newest = Attribution.objects.filter(sampler=OuterRef("pk")).order_by("-pk")
    rows = Sampler.objects.filter(round__project=project_id).annotate(
        checkpoint=Subquery(newest.values("checkpoint")[:1]),
        weights=Subquery(newest.values("checkpoint__weights_digest")[:1]),
    )
    found = {}
    for sampler in rows:
        known = f"weights {sampler.weights}" if sampler.weights else f"checkpoint {sampler.checkpoint}"
        found[sampler.pk] = known if sampler.checkpoint else f"model {sampler.model}"
    return found


def _elsewhere(round: Round, prompts: list[int], samplers: list[int], pairs: Ints, size: int) -> Ints:
    """How many further samples of each cell the project's other rounds hold; the same trace in two rounds is one (C3)."""
    more = np.zeros(len(pairs), dtype=np.int64)
    others = Trace.objects.filter(round__project=round.project_id).exclude(round=round)
    if not others.exists():
        return more
    identity = who(round.project_id)
    mine: dict[str, int] = {}
    for place, pk in enumerate(samplers):
        mine.setdefault(identity[pk], place)
    here = Trace.objects.filter(round=round).values("digest")
    at_prompt = {pk: place for place, pk in enumerate(prompts)}
    at_cell = {int(pair): place for place, pair in enumerate(pairs)}
    rows = (
        others.standing()
        .filter(round_prompt__prompt__round_prompts__round=round)
        .exclude(digest__in=here)
        .order_by()
        .values_list("round_prompt__prompt", "sampler", "digest")
        .distinct()
    )
    seen: set[tuple[int, str, bytes]] = set()
    for prompt, sampler, digest in rows.iterator():
        key = (prompt, identity[sampler], bytes(digest))
        if key in seen or identity[sampler] not in mine or prompt not in at_prompt:
            continue
        seen.add(key)
        at = at_cell.get(at_prompt[prompt] * size + mine[identity[sampler]])
        if at is not None:
            more[at] += 1
    return more

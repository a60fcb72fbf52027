"""What a round's figures are of, as arrays: every trace that was ever sampled for its prompts, held-out ones apart."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from django.db.models import Count, Max, OuterRef, Subquery
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
VALUES = {Outcome.Value.CORRECT: 0, Outcome.Value.WRONG: 1, Outcome.Value.UNKNOWN: 2}
NO_OUTCOME = -1
TAKEN = ("trace", "prompt", "sampler", "accepted", "judged", "tokens", "counted", "outcome")
NONE = np.zeros(0, dtype=np.int64)
MOST_KEPT = 64  # figures of a few rounds: arrays are kept as they are, which a cache that pickles would copy
_KEPT: OrderedDict[tuple[str, str], Any] = OrderedDict()
_LOCK = Lock()


@dataclass(frozen=True)
class Base:
    """The traces of a round that stand, are not held out and not outside its random subset, in the order of their digests.

    What a pre-filter kept out of the queue is among them, as not accepted (docs/pressure.md).

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

    @cached_property
    def sampled(self) -> Ints:
        """K of each cell: what this round holds and what other rounds do."""
        return np.bincount(self.cell, minlength=len(self.elsewhere)) + self.elsewhere

    @cached_property
    def taken(self) -> Ints:
        """k of each cell: how many of this round's traces are accepted."""
        return np.bincount(self.cell[self.accepted], minlength=len(self.elsewhere))

    def by_prompt(self, of_cells: Ints) -> Ints:
        """Sums over the samplers of a prompt: intervals cluster by prompt, whoever sampled it."""
        found = np.bincount(self.cell_prompt, weights=of_cells, minlength=len(self.prompts))
        return np.asarray(np.rint(found), dtype=np.int64)


def of(round: Round, mark: str) -> Base:
    """The arrays of a round, kept until a verdict, an import or a decision changes them."""
    return kept(mark, "base", lambda: _read(round))


def kept(mark: str, what: str, work_out: Callable[[], Found]) -> Found:
    """Figures of a round's traces and verdicts, kept in this process for as long as their mark stays."""
    key = (mark, what)
    with _LOCK:
        if key in _KEPT:
            _KEPT.move_to_end(key)
            return _KEPT[key]  # type: ignore[no-any-return]
    found = work_out()
    with _LOCK:
        _KEPT[key] = found
        while len(_KEPT) > MOST_KEPT:
            _KEPT.popitem(last=False)
    return found


def mark_of(round: Round) -> str:
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
    return f"{round.pk}-{round.seed}-{marks}-{round.project.held_out_below}-{round.spec_version_id}"


COLUMNS = (
    "pk",
    "digest",
    "round_prompt__prompt",
    "sampler",
    "decision__state",
    "decision__readings",
    "tokens",
    "reasoning__bytes",
    "answer__bytes",
    "round_prompt__domain",
    "round_prompt__family",
)
ROWS_AT_ONCE = 5000


def _read(round: Round) -> Base:
    """Row by row into packed columns: a million rows as Python objects would be a gigabyte."""
    outcomes, draws = _outcomes(round), array("d")
    columns: dict[str, array[int]] = {name: array("q") for name in TAKEN}
    domains: dict[int, str] = {}
    families: dict[int, str] = {}
    rows = (
        Trace.objects.filter(round=round)
        .not_held_out()
        .in_subset()
        .standing()
        .order_by("digest")
        .values_list(*COLUMNS)
    )
    for pk, digest, prompt, sampler, state, readings, tokens, chain, answer, domain, family in rows.iterator(
        chunk_size=ROWS_AT_ONCE
    ):
        values = (
            pk,
            prompt,
            sampler,
            state == Decision.State.ACCEPTED,
            bool(readings),
            tokens if tokens is not None else -(-(chain + (answer or 0)) // BYTES_A_TOKEN),
            tokens is not None,
            outcomes.get(pk, NO_OUTCOME),
        )
        for name, value in zip(TAKEN, values, strict=True):
            columns[name].append(value)
        draws.append(drawing.draw(round.seed, "export", bytes(digest)))
        domains[prompt] = domains.get(prompt) or str(domain)
        families[prompt] = families.get(prompt) or str(family)
    found = {
        name: np.frombuffer(column, dtype=np.int64) if column else NONE for name, column in columns.items()
    }
    prompts, prompt_at = np.unique(found["prompt"], return_inverse=True)
    samplers, sampler_at = np.unique(found["sampler"], return_inverse=True)
    size = max(1, len(samplers))
    pairs, cell = np.unique(prompt_at.reshape(-1) * size + sampler_at.reshape(-1), return_inverse=True)
    return Base(
        trace=found["trace"],
        prompt=prompt_at.reshape(-1).astype(np.int64),
        sampler=sampler_at.reshape(-1).astype(np.int64),
        cell=cell.reshape(-1).astype(np.int64),
        accepted=found["accepted"].astype(np.bool_),
        judged=found["judged"].astype(np.bool_),
        tokens=found["tokens"],
        counted=found["counted"].astype(np.bool_),
        outcome=found["outcome"],
        draw=np.array(draws, dtype=np.float64),
        cell_prompt=np.asarray(pairs // size, dtype=np.int64),
        elsewhere=_elsewhere(round, prompts.tolist(), samplers.tolist(), pairs, size),
        prompts=prompts.tolist(),
        samplers=samplers.tolist(),
        domains=[domains[prompt] for prompt in prompts.tolist()],
        families=[families[prompt] for prompt in prompts.tolist()],
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


def same_sampler(project_id: int, samplers: Iterable[int]) -> list[int]:
    """Every sampler of a project that was one of these, in whatever round."""
    identity = who(project_id)
    mine = {identity[pk] for pk in samplers}
    return [pk for pk, name in identity.items() if name in mine]


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
    here = Trace.objects.filter(round=round).in_subset().values("digest")
    at_prompt = {pk: place for place, pk in enumerate(prompts)}
    at_cell = {int(pair): place for place, pair in enumerate(pairs)}
    rows = (
        others.standing()
        .in_subset()
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

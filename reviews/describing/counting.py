"""What is counted of a data set and its round: how many of what, pressure as of all verdicts, licences, the held-out root."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from django.db.models import Count, Q

from reviews.measures import pressure
from reviews.models import Dataset, Decision, Round, Trace


def figures(dataset: Dataset) -> dict[str, Any]:
    """Counts and pressure as they are now: taken when the membership is frozen, because verdicts go on."""
    return {"counts": counts(dataset), "pressure": pressures(dataset.round)}


def counts(dataset: Dataset) -> dict[str, Any]:
    """How many were sampled, read, accepted and exported, and why the others stayed out."""
    round = dataset.round
    states = dict(
        Decision.objects.filter(round=round).values_list("state").annotate(n=Count("pk")).order_by()
    )
    exported = dataset.memberships.aggregate(prompts=Count("trace__round_prompt", distinct=True))
    content = dataset.memberships.values("trace__content_digest").distinct().count()
    return {
        "planned": round.k * round.round_prompts.count() if round.k else None,
        "sampled": Trace.objects.filter(round=round).count(),
        "reviewed": Decision.objects.filter(round=round, readings__gt=0).count(),
        "accepted": states.get(Decision.State.ACCEPTED, 0),
        "exported": dataset.rows,
        "exported_prompts": exported["prompts"],
        "exact_repeats": (dataset.rows or 0) - content,
        "left_out": {dropped.reason: dropped.n for dropped in dataset.dropped.order_by("reason")},
    }


def pressures(round: Round) -> dict[str, Any]:
    """Selection pressure in nats over all that was sampled outside the held-out prompts, by (prompt, sampler).

    What has no verdict is not accepted; nothing leaves the denominators but held-out prompts, withdrawn
    imports and what the plan's own random subset left out.
    """
    accepted = Count("pk", filter=Q(decision__state=Decision.State.ACCEPTED))
    rows = (
        Trace.objects.filter(round=round)
        .not_held_out()
        .in_subset()
        .standing()
        .values("round_prompt__prompt", "sampler")
        .annotate(sampled=Count("pk"), accepted=accepted)
        .order_by()
    )
    cells = list(rows.values_list("round_prompt__prompt", "accepted", "sampled"))
    by_prompt: dict[int, tuple[int, int]] = {}
    for prompt, taken, sampled in cells:  # intervals cluster by prompt, whoever sampled it
        before = by_prompt.get(prompt, (0, 0))
        by_prompt[prompt] = (before[0] + taken, before[1] + sampled)
    found = np.array(list(by_prompt.values()), dtype=np.int64).reshape(-1, 2)
    measured = pressure.total_pressure(found[:, 0], found[:, 1]) if len(found) else None
    return {
        **(
            asdict(measured) if measured else {"state": "nothing-sampled", "total": None, "total_upper": None}
        ),
        "unit": "nats",
        # Picked as the best of several, log(sampled / accepted) overstates the divergence, and is said to.
        "selection": "relative" if round.mode == Round.Mode.PICK_BEST else "absolute",
        "samplers_in_round": round.samplers.count(),
    }


def licences(round: Round) -> list[str]:
    """The licences that the traces' files state, most frequent first; read in one pass over the small columns."""
    seen: dict[str, int] = {}
    for meta in (
        Trace.objects.filter(round=round, decision__state=Decision.State.ACCEPTED)
        .values_list("meta", flat=True)
        .iterator()
    ):
        licence = json.loads(bytes(meta)).get("licence")
        if isinstance(licence, str):
            seen[licence] = seen.get(licence, 0) + 1
    return sorted(seen, key=lambda name: (-seen[name], name))

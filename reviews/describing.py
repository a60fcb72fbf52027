"""What a data set says of itself: the manifest for programs, the card for people."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow
from django.conf import settings
from django.db.models import Count, F, Q

from reviews.audit import tables
from reviews.formats import canonical, dataset_folder
from reviews.measures import pressure
from reviews.models import Dataset, Decision, Prompt, Round, Trace

FORMAT_VERSION = 1
REPORT = "report.html"
UNMEASURED = {
    "integrity": ["licence", "template"],
    "dose": [
        "samples-per-prompt",
        "selection",
        "admission",
        "behaviour-floor",
        "form",
        "purpose",
        "domains",
        "exposure",
        "lineage",
    ],
    "evidence": [
        "on-policy",
        "cot-given-outcome",
        "answer-first",
        "confounders",
        "agreement",
        "reviewers",
        "stage",
        "load-bearing",
        "monitor",
    ],
}


def manifest(dataset: Dataset) -> dict[str, Any]:
    """Everything that is known of a data set, as one JSON object. Its `digest` is over the shards' logical digests."""
    round, shards = dataset.round, list(dataset.shards.all())
    overrides = [
        {
            "gate": override.gate,
            "by": override.by.username if override.by else "command line",
            "reason": override.reason,
        }
        for override in dataset.overrides.select_related("by").order_by("pk")
    ]
    logical = [[shard.format, shard.split, bytes(shard.logical or b"").hex()] for shard in shards]
    spec = round.spec_version
    return {
        "name": dataset.name,
        "manifest_version": FORMAT_VERSION,
        "digest": canonical.digest(logical).hex(),
        "membership_digest": bytes(dataset.membership_digest or b"").hex(),
        "arm": dataset.arm,
        "project": dataset.project.slug,
        "round": round.name,
        "seed": round.seed,
        "k": round.k,
        "checkpoint": None,  # unknown is said, not left out
        "lineage": None,
        "looks": None,
        "formats": {name: dataset_folder.FORMATS[name].VERSION for name in dataset.formats.split(",")},
        "shards": [
            {
                "file": shard.file,
                "format": shard.format,
                "split": shard.split,
                "rows": shard.rows,
                "bytes": shard.bytes,
                "sha256": bytes(shard.sha256 or b"").hex(),
                "logical": bytes(shard.logical or b"").hex(),
            }
            for shard in shards
        ],
        "shard_bytes": settings.SHARD_BYTES,
        "report": {"file": REPORT, "rows_digest": tables.digest(round)},
        "spec": {"version": spec.number, "title": spec.title, "digest": bytes(spec.digest).hex()}
        if spec
        else None,
        "samplers": [
            {
                "model": sampler.model,
                "sampling": json.loads(bytes(sampler.sampling)),
                "provenance": sampler.provenance,
            }
            for sampler in round.samplers.order_by("identity")
        ],
        "plan": {
            "overlap": round.overlap,
            "double_share": round.double_share,
            "rule": round.rule,
            "mode": round.mode,
            "answer_first_share": round.answer_first_share,
            "full_clause_share": round.full_clause_share,
            "gold_rate": round.gold_rate,
            "repeat_rate": round.repeat_rate,
            "shows_reference": round.shows_reference,
            "shows_outcome": round.shows_outcome,
        },
        **json.loads(bytes(dataset.figures or b"{}")),
        "held_out": {"below": dataset.project.held_out_below, "of": 10_000, "root": held_out_root(dataset)},
        "gates": gates(dataset),
        "verdict": "insufficient",
        "policy": None,
        "overridden": bool(overrides),
        "overrides": overrides,
        "software": {
            "winnow": importlib.metadata.version("winnow") if _installed() else "source",
            "pyarrow": pyarrow.__version__,
        },
    }


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

    What has no verdict is not accepted; nothing leaves the denominators but held-out prompts and withdrawn imports.
    """
    accepted = Count("pk", filter=Q(decision__state=Decision.State.ACCEPTED))
    rows = (
        Trace.objects.filter(round=round)
        .not_held_out()
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


def held_out_root(dataset: Dataset) -> str:
    """Merkle root (SHA-256, pairs in order, an odd one carried up) of the digests of the project's held-out prompts.

    Leaves are sorted by their bytes. Empty: SHA-256 of nothing.
    """

    held = Prompt.objects.filter(project=dataset.project, bucket__lt=dataset.project.held_out_below)
    level = sorted(bytes(digest) for digest in held.values_list("digest", flat=True))
    while len(level) > 1:
        level = [
            hashlib.sha256(b"".join(level[place : place + 2])).digest()
            if place + 1 < len(level)
            else level[place]
            for place in range(0, len(level), 2)
        ]
    return (level[0] if level else hashlib.sha256(b"").digest()).hex()


def as_json(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def card(dataset: Dataset, manifest: dict[str, Any]) -> str:
    """The README.md of the folder."""
    made, nats = manifest["counts"], manifest["pressure"]
    selected = "not measured: nothing was accepted" if nats["total"] is None else f"{nats['total']:.3f} nats"
    upper = nats["total_upper"]
    bound = f", at most {upper:.3f}" if upper is not None else ""
    exception = (
        " A lead overrode the gates in writing; the manifest has the reason."
        if manifest["overridden"]
        else ""
    )
    paragraph = (
        f"Rejection-sampled reasoning traces: {made['exported']:,} of {made['sampled']:,} sampled, from "
        f"{made['exported_prompts']:,} prompts, each accepted by people against a written spec and exported exactly as "
        f"sampled. Selection pressure {selected}{bound} (−ln of {nats.get('accepted', 0):,} accepted in {nats.get('sampled', 0):,} sampled "
        f"outside the held-out prompts; one-sided 95 %, clustered by prompt; {nats.get('total_standing', nats['state'])}). "
        f"Where the traces came from is as declared by whoever imported them. The dose and evidence gates were not "
        f"measured, so this data set is not certified.{exception}"
    )
    facts = [
        ("Project, round", f"{manifest['project']}, {manifest['round']}"),
        (
            "Spec",
            f"{manifest['spec']['title']}, version {manifest['spec']['version']}"
            if manifest["spec"]
            else "none",
        ),
        ("Models", ", ".join(dict.fromkeys(sampler["model"] for sampler in manifest["samplers"]))),
        ("Held out", f"{manifest['held_out']['below'] / 100:g} % of prompts, none of them here"),
        ("Left out", ", ".join(f"{n:,} {reason}" for reason, n in made["left_out"].items()) or "nothing"),
        ("Digest", f"`{manifest['digest']}`"),
    ]
    shards = [
        dataset_folder.ShardFile(
            shard["format"], shard["split"], shard["file"], shard["rows"], shard["bytes"]
        )
        for shard in manifest["shards"]
    ]
    return dataset_folder.card(
        dataset.name,
        shards,
        paragraph,
        [(key, _cell(value)) for key, value in facts],
        licences(dataset.round),
    )


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


def gates(dataset: Dataset) -> list[dict[str, Any]]:
    """Each gate with what is known of it. One that was not measured is `insufficient`, never a pass.

    `integrity` holds once the rows were compared with their digests (exporting.rows_of) and read back
    (verifying.read_back); a data set for which either fails is not released.
    """
    # Joined along its keys: as a subquery over all traces, PostgreSQL without statistics takes minutes for thousands.
    held_out = dataset.memberships.filter(
        trace__round_prompt__prompt__bucket__lt=F("dataset__project__held_out_below")
    ).count()
    why = "every row equals its trace's digest and was read back after writing"
    found = [
        {"key": "integrity", "tier": "integrity", "verdict": "pass", "n": dataset.rows, "why": why},
        {
            "key": "held-out",
            "tier": "integrity",
            "verdict": "block" if held_out else "pass",
            "value": held_out,
            "n": dataset.rows,
            "why": f"{held_out} of the exported traces have a held-out prompt",
        },
    ]
    return found + [
        {"key": key, "tier": tier, "verdict": "insufficient", "why": "not measured by this version"}
        for tier, keys in UNMEASURED.items()
        for key in keys
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("\0", "")


def _installed() -> bool:
    try:
        importlib.metadata.version("winnow")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True

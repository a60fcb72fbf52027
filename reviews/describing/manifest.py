"""The manifest: everything that is known of a data set, for programs."""

from __future__ import annotations

import importlib.metadata
import json
from typing import Any

import pyarrow
from django.conf import settings

from reviews import holding_out, sealing
from reviews.audit import tables
from reviews.formats import canonical, dataset_folder
from reviews.models import Dataset

FORMAT_VERSION = 2
REPORT = "report.html"
BESIDE = ("policy.json", "train.py")
OF_THE_REPORT = (
    "gates",
    "verdict",
    "stopping",
    "looks",
    "level",
    "policy",
    "overridden",
    "overridden_gates",
    "overrides",
    "uncertified",
    "checkpoint",
    "lineage",
    "ledger",
    "template",
    "match",
    "draft",
    "mentions",
    "authorship",
    "rounds_on_checkpoint",
)


def manifest(dataset: Dataset) -> dict[str, Any]:
    """Everything that is known of a data set, as one JSON object. Its `digest` is over the shards' logical digests."""
    round, shards = dataset.round, list(dataset.shards.all())
    checked = dataset.report_object or {}
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
        **{key: checked.get(key) for key in OF_THE_REPORT},  # unknown is said, not left out
        "configuration": checked.get("configuration"),
        "lines": {
            "matters": dataset.matters,
            "not_outcomes": dataset.not_outcomes,
            "expected": dataset.expected,
            "stop_when": dataset.stop_when,
        },
        "matches": dataset.matches.name if dataset.matches else None,
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
            "prefilter": round.prefilter,
            "subset_share": round.subset_share,
            "shows_reference": round.shows_reference,
            "shows_outcome": round.shows_outcome,
        },
        **json.loads(bytes(dataset.figures or b"{}")),
        "held_out": {
            "below": dataset.project.held_out_below,
            "of": 10_000,
            "root": holding_out.root(dataset.project),
        },
        "log": {"sealed_to": sealing.head(dataset.project)},
        "beside": list(BESIDE),
        "software": {
            "winnow": importlib.metadata.version("winnow") if _installed() else "source",
            "pyarrow": pyarrow.__version__,
        },
    }


def as_json(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _installed() -> bool:
    try:
        importlib.metadata.version("winnow")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True

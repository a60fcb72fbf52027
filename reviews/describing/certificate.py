"""The certificate: what the gates said of a frozen data set, who lifted which, and the dose that it is."""

from __future__ import annotations

from typing import Any

from django.db.models import Count

from reviews import drafting, linting
from reviews.checking import base as bases
from reviews.checking import history
from reviews.checking.report import Report
from reviews.lineages import dosing
from reviews.models import Dataset, LedgerEntry, Review, Round

UNCERTIFIED_FROM = 3  # overridden gates that would have blocked


def of(dataset: Dataset, found: Report) -> dict[str, Any]:
    """What is kept of a report, in the manifest and for the ledger: nothing in it is worked out again later."""
    lifted = drafting.overridden(dataset, found)
    version = dataset.policy_version
    facts = found.facts
    document = found.document
    figures = history.figures(facts)
    mentions = linting.mentions_of(dataset)
    section = dosing.section(dataset, figures)
    return {
        "gates": document["gates"],
        "verdict": document["verdict"],
        "stopping": document["stopping"],
        "looks": facts.looks,
        "level": facts.level,
        "configuration": document["configuration"],
        "draft": document["counts"],
        "policy": {
            "name": facts.policy.name,
            "version": version.number if version else None,
            "digest": facts.policy.digest.hex(),
            "reason": version.reason if version else "",
        },
        "overridden": bool(lifted) or dataset.overrides.exists(),
        "overridden_gates": lifted,
        "overrides": [
            {
                "gate": one.gate,
                "by": one.by.username if one.by else "command line",
                "reason": one.reason,
                "at": one.at.isoformat(),
            }
            for one in dataset.overrides.select_related("by").order_by("pk")
        ],
        "uncertified": len(lifted) >= UNCERTIFIED_FROM,
        "checkpoint": [one["name"] for one in section["checkpoints"]],
        "lineage": [[node["identity"] for node in one["path"]] for one in section["checkpoints"]],
        "ledger": section,
        "template": facts.rendered,
        "mentions": {"traces": mentions.traces, "by_term": mentions.by_term},
        "match": history.match(facts) if dataset.arm != Dataset.Arm.SELECTED else None,
        "authorship": authorship(dataset),
        "rounds_on_checkpoint": rounds_on_checkpoint(dataset),
    }


def authorship(dataset: Dataset) -> dict[str, Any]:
    """Who drafted, who judged, and whether that is one and the same person."""
    people = list(
        Review.objects.counting()
        .filter(round=dataset.round)
        .order_by()
        .values_list("reviewer", "reviewer__username")
        .annotate(n=Count("pk"))
    )
    author = dataset.created_by
    return {
        "drafted_by": author.username if author else "command line",
        "reviewers": len(people),
        "approved_by_its_own_author": author is not None and [pk for pk, _, _ in people] == [author.pk],
    }


def rounds_on_checkpoint(dataset: Dataset) -> dict[str, int]:
    """Which round on this checkpoint it is, of how many, and how many of them sent nothing out (C3)."""
    samplers = bases.same_sampler(dataset.project_id, dataset.round.samplers.values_list("pk", flat=True))
    rounds = list(
        Round.objects.filter(samplers__in=samplers).distinct().order_by("pk").values_list("pk", flat=True)
    )
    unused = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.COUNTER).values("dataset")
    sent = set(
        Dataset.objects.filter(round__in=rounds, state=Dataset.State.READY)
        .exclude(pk__in=unused)
        .values_list("round", flat=True)
    ) | {dataset.round_id}
    return {
        "place": rounds.index(dataset.round_id) + 1 if dataset.round_id in rounds else 1,
        "of": max(1, len(rounds)),
        "not_used": len(set(rounds) - sent),
    }

"""What one checkpoint has received so far, with this draft on top: exposure and the lineage's dose."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import Any

import numpy as np

from reviews.checking import base as bases
from reviews.checking import drafts
from reviews.checking.base import Ints
from reviews.checking.facts import Facts
from reviews.checking.gate import Gate, Verdict, limited, worse
from reviews.lineages import dosing, registering
from reviews.measures import doses
from reviews.measures.doses import Dose
from reviews.measures.exported import hard_percentile
from reviews.measures.ranking import top_most
from reviews.models import (
    Checkpoint,
    Dataset,
    LedgerEntry,
    Membership,
    Round,
    Sampler,
    Trace,
    UseReport,
)


def _exported_before(facts: Facts) -> tuple[dict[bytes, int], list[int]]:
    """Tokens by digest of every trace that went out of the same checkpoints for the same arm, and the data sets.

    A data set whose entries were countered, exported but not used, is not among them.
    """
    samplers = bases.same_sampler(facts.round.project_id, facts.base.samplers)
    unused = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.COUNTER).values("dataset")
    sets = Dataset.objects.filter(
        project=facts.round.project_id, state=Dataset.State.READY, arm=facts.configuration.arm
    ).exclude(pk__in=unused)
    if facts.dataset is not None:
        sets = sets.exclude(pk=facts.dataset.pk)
    rows = Membership.objects.filter(dataset__in=sets, trace__sampler__in=samplers)
    tokens = {}
    columns = ("trace__digest", "trace__tokens", "trace__reasoning__bytes", "trace__answer__bytes")
    for digest, counted, reasoning, answer in rows.values_list(*columns).iterator():
        estimate = -(-(reasoning + (answer or 0)) // bases.BYTES_A_TOKEN)
        tokens[bytes(digest)] = counted if counted is not None else estimate
    used = rows.order_by().values_list("dataset", flat=True).distinct()
    return tokens, list(used)


def exposure(facts: Facts) -> Gate:
    """Traces and tokens over all exports of one checkpoint, a trace that went out twice counted once (C10)."""
    policy = facts.policy
    most, most_tokens = policy.line("exposure", "traces"), policy.line("exposure", "tokens")
    before, sets = _exported_before(facts)
    pks = facts.base.trace[facts.going].tolist()
    digests = dict(Trace.objects.filter(pk__in=pks).values_list("pk", "digest")) if before else {}
    fresh = [place for place in facts.going if bytes(digests.get(facts.base.trace[place], b"")) not in before]
    traces = len(before) + len(fresh)
    tokens = sum(before.values()) + int(facts.base.tokens[fresh].sum())
    if not facts.going.size and not before:
        return Gate("exposure", "insufficient", "nothing goes out", unit="traces", threshold=most)
    verdict: Verdict = "pass"
    if most is not None:
        verdict = worse(verdict, limited(traces, None, most)[0])
    if most_tokens is not None:
        verdict = worse(verdict, limited(tokens, None, most_tokens)[0])
    estimated = int((~facts.base.counted[facts.going]).sum())
    lines = [
        f"{traces:,} distinct traces with this one, of {len(sets)} earlier data sets and {len(fresh):,} new here",
        f"{tokens:,} tokens"
        + (f", a quarter of the bytes for {estimated:,} traces that nobody counted" if estimated else ""),
    ]
    verdict, share_said = _share(facts, verdict, sets, traces)
    return Gate(
        "exposure",
        verdict,
        f"{traces:,} traces and {tokens:,} tokens over all exports of this checkpoint{share_said}",
        value=float(traces),
        threshold=most,
        unit="traces",
        n=len(sets) + 1,
        block=most,
        workings=tuple(lines),
        to_know="The trainer reports the size of the stage (use report)."
        if verdict == "insufficient"
        else "",
        details={"tokens": tokens, "tokens_threshold": most_tokens, "tokens_estimated": bool(estimated)},
    )


def _share(facts: Facts, verdict: Verdict, sets: list[int], traces: int) -> tuple[Verdict, str]:
    """The share of the training stage, where the policy has a line for it."""
    warn, block = (facts.policy.line("exposure", name) for name in ("warn", "block"))
    if warn is None and block is None:
        return verdict, ""
    samplers = bases.same_sampler(facts.round.project_id, facts.base.samplers)
    reports = UseReport.objects.filter(dataset__round__samplers__in=samplers, stage_samples__isnull=False)
    newest = reports.order_by("-pk").first()
    if newest is None or not newest.stage_samples:
        return worse(verdict, "insufficient"), "; nobody has reported the size of the stage"
    share = traces / newest.stage_samples
    said = f"; {100 * share:.2f} of 100 samples of the stage, as reported"
    return worse(verdict, limited(share, warn, block)[0]), said


def lineage(facts: Facts) -> Gate:
    """The dose along the path to the root with this draft on top: pooled and on hard prompts, worst domain (C10)."""
    policy = facts.policy
    warn, block = (policy.line("lineage", name) for name in ("warn", "block"))
    common: dict[str, Any] = {"unit": "nats", "warn": warn, "block": block}
    if not facts.going.size:
        return Gate("lineage", "insufficient", "nothing goes out", threshold=block, **common)
    found = {checkpoint: with_draft(facts, checkpoint) for checkpoint in checkpoints_of(facts)}
    checkpoint, dose = max(found.items(), key=lambda one: max(one[1].pooled, one[1].hard))
    worst = max(dose.pooled, dose.hard)
    rounds = policy.line("lineage", "rounds")
    verdict, line = limited(worst, warn, block)
    why = (
        f"{dose.pooled:.2f} nats pooled and {dose.hard:.2f} on hard prompts along the path to the root, worst domain, "
        "with this draft"
    )
    if rounds is not None and dose.rounds > rounds:
        verdict, why = (
            worse(verdict, "block"),
            f"{dose.rounds} rounds along the path; the policy has {rounds:g}. " + why,
        )
    if any(one.unknown for one in found.values()):
        missing: Verdict = "insufficient" if policy.asks("lineage", "known") else "warn"
        verdict = worse(verdict, missing)
        reasons = dict.fromkeys(reason for one in found.values() for reason in one.why)
        why += f"; unknown, which is not zero: {'; '.join(reasons)}"
    return Gate(
        "lineage",
        verdict,
        why,
        value=worst,
        threshold=line,
        n=dose.rounds,
        workings=(
            f"checkpoint: {checkpoint.name if checkpoint else 'nobody has said which'}; {dose.entries} ledger entries, "
            f"{dose.rounds} rounds, {dose.traces:,} traces",
            *(
                f"{name or 'no domain'}: pooled {nats.pooled:.4f}, hard prompts {nats.hard:.4f}"
                for name, nats in sorted(dose.domains.items())
            ),
            "pooled: ln of the most that one exported trace is likelier than it was sampled; hard: 95th percentile over "
            "exported prompts of -ln(k/K), which fewer than 5 in 100 prompts do not move",
            "what goes out for one child is one union: its dose is the largest of its data sets, not their sum",
        ),
        to_know="Say which checkpoint the sampler was, and register its parents." if dose.unknown else "",
        **common,
    )


def checkpoints_of(facts: Facts) -> list[Checkpoint | None]:
    """The checkpoints that what goes out is from; None among them where nobody has said."""
    places = np.unique(facts.base.sampler[facts.going])
    samplers = Sampler.objects.in_bulk([facts.base.samplers[place] for place in places])
    return list(dict.fromkeys(registering.checkpoint_of(sampler) for sampler in samplers.values()))


def with_draft(facts: Facts, checkpoint: Checkpoint | None) -> Dose:
    """The dose of the next child of a checkpoint, were this draft what it is trained on."""
    arm = facts.configuration.arm
    mine = doses.of_figures(
        checkpoint.identity if checkpoint else None,
        figures(facts),
        membership=f"draft of round {facts.round.pk}",
        round=f"{facts.round.project.slug}/{facts.round.name}",
        arm=arm,
    )
    if checkpoint is None:
        return replace(doses.union([mine]), why=("nobody has said which checkpoint sampled it",))
    known = dosing.Lineages.around(checkpoint.project)
    booked = (
        bytes(facts.dataset.membership_digest).hex()
        if facts.dataset and facts.dataset.membership_digest
        else ""
    )
    applied = [one for one in known.applied if one.membership != booked or not booked]
    return doses.of_path(known.path(checkpoint), [*applied, mine], arm=arm)


def figures(facts: Facts) -> dict[str, Any]:
    """What the ledger keeps of a draft: D-infinity by domain, pooled and on hard prompts; traces and tokens."""
    base = facts.base
    k, n, e = base.taken, base.sampled, facts.exported
    names = np.array(base.domains, dtype=object)[base.cell_prompt].astype(str)
    domains = {}
    for name in np.unique(names[e > 0]):
        mine = names == name
        hard = hard_percentile(e[mine], k[mine], n[mine])
        domains[str(name)] = {
            "pooled_d_inf": _most(facts, e[mine], k[mine], n[mine]),
            "hard_prompts": _ranked(facts, n[mine][e[mine] > 0], hard or 0.0),
        }
    return {
        "domains": domains,
        "traces": int(facts.going.size),
        "tokens": int(base.tokens[facts.going].sum()),
        "tokens_counted": int(base.counted[facts.going].sum()),
    }


def _most(facts: Facts, e: Ints, k: Ints, n: Ints) -> float:
    """ln of the most that one exported trace is likelier than it was sampled: max over prompts of (e/k) (sum K / sum e).

    Without caps it is -ln(sum k / sum K), over all prompts that were sampled. Mixed with a share of everything sampled,
    ln((1 - lambda) times that + lambda). Source: science.md 1.1 and C10, the max-divergence of the exported law.
    """
    out = e > 0
    ratio = float((e[out] / k[out]).max() * n.sum() / e.sum())
    share = facts.configuration.mix
    pooled = max(0.0, log((1 - share) * ratio + share))
    return _ranked(facts, n[out], pooled)


def _ranked(facts: Facts, sampled: Ints, nats: float) -> float:
    """Picked as the best of K, one trace is as much as K times likelier: ln K, whatever its prompt's rate (C10)."""
    if facts.round.mode != Round.Mode.PICK_BEST or not len(sampled):
        return nats
    return max(nats, top_most(1, int(sampled.max())))


def match(facts: Facts) -> dict[str, int]:
    """How well a control arm matches what it is a control of: rows, tokens and prompts (C12)."""
    selected = drafts.draw(
        facts.people,
        replace(facts.configuration, arm=str(Dataset.Arm.SELECTED)),
        facts.policy,
        facts.round,
    ).going
    people = facts.people
    return {
        "rows": int(facts.going.size),
        "rows_wanted": int(selected.sum()),
        "tokens": int(people.tokens[facts.going].sum()),
        "tokens_wanted": int(people.tokens[selected].sum()),
        "prompts": len(np.unique(people.prompt[facts.going])),
        "prompts_wanted": len(np.unique(people.prompt[selected])),
    }

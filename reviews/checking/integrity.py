"""Integrity: is it what was sampled, all of it, and nothing that may not leave. Never overridden."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np

from reviews import holding_out
from reviews.checking.facts import Facts
from reviews.checking.gate import Gate, Verdict
from reviews.errors import WinnowError
from reviews.models import Prompt, Sampler, SamplingPlan, Trace
from reviews.verifying import require_unchanged

AT_ONCE = 200
SHOWN = 5  # of what is wrong, by name


def integrity(facts: Facts) -> Gate:
    """Digests, the sampler's configuration, and every planned cell."""
    problems, lines = _cells(facts)
    if facts.thorough:
        changed = _changed(facts)
        problems += [f"{digest[:12]}… is not what was imported" for digest in changed[:SHOWN]]
        lines.append(f"{len(facts.going):,} texts hashed anew, {len(changed)} changed")
    else:
        lines.append("every text is hashed anew when it is written, and read back through datasets")
    unknown = [
        sampler.model
        for sampler in Sampler.objects.filter(pk__in=facts.base.samplers)
        if bytes(sampler.sampling) == b"{}"
    ]
    lines.append(
        f"sampling configuration unknown for {', '.join(unknown)}"
        if unknown
        else "sampling configurations are known"
    )
    return Gate(
        "integrity",
        "block" if problems else "pass",
        "; ".join(problems[:SHOWN]) or "digests agree, and every planned sample is there",
        value=float(len(problems)),
        threshold=0.0,
        unit="problems",
        n=len(facts.going),
        workings=tuple(lines),
        to_know="Import what is missing, or start a new round with the plan that was really followed."
        if problems
        else "",
    )


def _cells(facts: Facts) -> tuple[list[str], list[str]]:
    """What the plan says was sampled and is not there, or is there and was not planned (C11)."""
    plan = SamplingPlan.objects.filter(round=facts.round).first()
    if plan is None:
        return _against_k(facts)
    document = plan.as_document
    k, prompts = int(document["k"]), {str(name) for name in document["prompts"]}
    seeds = document.get("seeds")
    present: dict[tuple[str, str], set[int]] = {}
    wrong_seed = 0
    traces = Trace.objects.filter(round=facts.round).standing()
    names = traces.values_list("round_prompt__external_id", "sampler__model", "sample_index", "meta")
    for name, model, index, meta in names.iterator():
        present.setdefault((str(name), str(model)), set()).add(index)
        if seeds and index < len(seeds):
            wrong_seed += json.loads(bytes(meta)).get("seed", seeds[index]) != seeds[index]
    models = document.get("models") or sorted({model for _, model in present})
    planned = {(name, model) for name in prompts for model in models}
    missing = sum(k - len([at for at in present.get(cell, ()) if at < k]) for cell in planned)
    extra = sum(
        len([at for at in found if at >= k or cell not in planned]) for cell, found in present.items()
    )
    problems = []
    if missing:
        problems.append(f"{missing:,} of {k * len(planned):,} planned samples are not there")
    if extra:
        problems.append(f"{extra:,} samples were not planned")
    if wrong_seed:
        problems.append(f"{wrong_seed:,} samples carry another seed than their place in the plan")
    if plan.traces_before:
        problems.append(f"the plan was registered after {plan.traces_before:,} traces were there")
    return problems, [
        f"plan {bytes(plan.digest).hex()[:12]}…, {len(prompts):,} prompts by K = {k}, registered {plan.at:%Y-%m-%d %H:%M} UTC"
    ]


def _against_k(facts: Facts) -> tuple[list[str], list[str]]:
    k = facts.round.k
    if not k:
        return [], ["no plan was registered: that every sample is there is only declared"]
    here = np.bincount(facts.base.cell, minlength=len(facts.base.elsewhere))
    short = int((k - here[here < k]).sum())
    lines = [f"the round's K = {k}, no hashed plan: that these are the first {k} is only declared"]
    return ([f"{short:,} samples of K = {k} are not there"] if short else []), lines


def _changed(facts: Facts) -> list[str]:
    changed = []
    pks = facts.base.trace[facts.going].tolist()
    for start in range(0, len(pks), AT_ONCE):
        rows = Trace.objects.filter(pk__in=pks[start : start + AT_ONCE]).with_texts()
        for trace in rows:
            try:
                require_unchanged(trace)
            except WinnowError:
                changed.append(trace.digest_hex)
    return changed


def held_out(facts: Facts) -> Gate:
    """That enough is held out to look at the child with, and that none of it goes out."""
    project = facts.round.project
    share, least = facts.policy.least("held-out", "share"), int(facts.policy.least("held-out", "prompts"))
    below = project.held_out_below / 10_000
    kept = Prompt.objects.filter(project=project).held_out().count()
    out = 0
    if facts.dataset is not None and facts.dataset.rows is not None:
        out = Trace.objects.filter(memberships__dataset=facts.dataset).held_out().count()
    families = project.held_out_families.count()
    verdict: Verdict = "pass"
    why = f"{kept} prompts of this project are held out, none goes out"
    to_know = ""
    if out:
        why, verdict = f"{out} traces that go out have a held-out prompt", "block"
    elif below < share - 1e-9:
        why, verdict = (
            f"{100 * below:g} of 100 prompts are held out; the policy asks for {100 * share:g}",
            "block",
        )
        to_know = "Raise the share that is held out; it only grows."
    elif facts.reads_texts and holding_out.key_state(project) == "lost":
        why, verdict = (
            "the instance's key does not give the stored prompts their places: it was lost or changed",
            "insufficient",
        )
        to_know = "Restore HELD_OUT_KEY, or keys.json, from the backup."
    elif kept < least:
        why, verdict = (
            f"{kept} prompts are held out; {least} are needed to see what the child does",
            "insufficient",
        )
        to_know = "Import more prompts."
    elif facts.policy.asks("held-out", "family") and not families:
        why, verdict = "no whole family of tasks is held out", "insufficient"
        to_know = "Draw one at random on the held-out page."
    return Gate(
        "held-out",
        verdict,
        why,
        value=float(kept),
        threshold=float(least),
        unit="prompts",
        n=project.prompts.count(),
        block=float(least),
        workings=(
            f"keyed hash below {project.held_out_below} of 10,000; {families} families drawn at random",
            f"{out} held-out traces in what goes out",
        ),
        to_know=to_know,
    )


def licence(facts: Facts) -> Gate:
    """Canaries and refused licences among what is accepted."""
    policy = facts.policy
    bad, stated = (
        _licences(facts)
        if facts.thorough
        else facts.once(f"licence {policy.refused_licences}", lambda: _licences(facts))
    )
    out = {int(pk) for pk in facts.base.trace[facts.going]}
    found = {pk: what for pk, what in bad.items() if pk in out}
    kinds = Counter(found.values())
    return Gate(
        "licence",
        "block" if found else "pass",
        "; ".join(f"{n:,} traces: {what}" for what, n in kinds.most_common(SHOWN))
        or "no canary and no refused licence among what goes out",
        value=float(len(found)),
        threshold=0.0,
        unit="traces",
        n=len(out),
        workings=(
            "stated: "
            + (", ".join(f"{name} {n:,}" for name, n in stated.most_common()) or "no licence anywhere"),
            f"refused: {', '.join(policy.refused_licences) or 'none'}; canaries: {', '.join(policy.canaries) or 'none'}"
            + ("" if facts.thorough else ", which the job looks for in every text"),
        ),
    )


def _licences(facts: Facts) -> tuple[dict[int, str], Counter[str]]:
    """What is wrong with each accepted trace, and how often each licence is stated; canaries only where it is thorough."""
    policy, bad, stated = facts.policy, dict[int, str](), Counter[str]()
    refused = {name.casefold() for name in policy.refused_licences}
    pks = facts.people.trace[facts.people.accepted].tolist()
    for start in range(0, len(pks), AT_ONCE):
        some = Trace.objects.filter(pk__in=pks[start : start + AT_ONCE])
        for pk, meta in some.values_list("pk", "meta"):
            name = json.loads(bytes(meta)).get("licence")
            stated[name if isinstance(name, str) else "not stated"] += 1
            if isinstance(name, str) and name.casefold() in refused:
                bad[pk] = f"licence {name}"
        for trace in some.with_texts().defer("meta") if facts.thorough and policy.canaries else ():
            texts = [bytes(trace.round_prompt.prompt.messages), bytes(trace.reasoning.body)]
            texts += [bytes(trace.answer.body)] if trace.answer else []
            for canary in policy.canaries:
                if any(canary.encode() in text for text in texts):
                    bad[trace.pk] = f"canary {canary}"
    return bad, stated

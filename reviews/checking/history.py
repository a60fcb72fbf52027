"""What one checkpoint has received so far, with this draft on top: exposure and the lineage's dose."""

from __future__ import annotations

from reviews.checking import base as bases
from reviews.checking.facts import Facts
from reviews.checking.gate import Gate, Verdict, limited, worse
from reviews.models import Dataset, LedgerEntry, Membership, Sampler, Trace, UseReport


def _exported_before(facts: Facts) -> tuple[dict[bytes, int], list[int]]:
    """Tokens by digest of every trace that went out of the same checkpoints for the same arm, and the data sets.

    A data set whose entries were countered, exported but not used, is not among them.
    """
    identity = bases.who(facts.round.project_id)
    mine = {identity[pk] for pk in facts.base.samplers}
    samplers = [pk for pk, name in identity.items() if name in mine]
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
    identity = bases.who(facts.round.project_id)
    mine = {identity[pk] for pk in facts.base.samplers}
    samplers = Sampler.objects.filter(pk__in=[pk for pk, name in identity.items() if name in mine])
    reports = UseReport.objects.filter(dataset__round__samplers__in=samplers, stage_samples__isnull=False)
    newest = reports.order_by("-pk").first()
    if newest is None or not newest.stage_samples:
        return worse(verdict, "insufficient"), "; nobody has reported the size of the stage"
    share = traces / newest.stage_samples
    said = f"; {100 * share:.2f} of 100 samples of the stage, as reported"
    return worse(verdict, limited(share, warn, block)[0]), said

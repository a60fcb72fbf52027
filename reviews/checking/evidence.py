"""Evidence of the traces: where they are from, what pressed beyond the outcome, whether style decides."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from reviews.checking import style
from reviews.checking.facts import Facts
from reviews.checking.gate import Gate, Verdict, limited, worse
from reviews.measures.outcomes import GivenOutcome, given_outcome
from reviews.models import Sampler

SEALED = 3  # outcomes that a checker can give: correct, wrong, unknown


def on_policy(facts: Facts) -> Gate:
    """Where what goes out came from."""
    places, counts = np.unique(facts.base.sampler[facts.going], return_counts=True)
    found = dict(Sampler.objects.in_bulk([facts.base.samplers[place] for place in places]))
    by: dict[str, int] = defaultdict(int)
    for place, count in zip(places, counts, strict=True):
        by[found[facts.base.samplers[place]].provenance] += int(count)
    total = int(counts.sum())
    known = total - by[Sampler.Provenance.DECLARED]
    if not total:
        return Gate("on-policy", "insufficient", "nothing goes out", unit="share of traces", threshold=1.0)
    verdict: Verdict = "pass" if known == total else "insufficient"
    if verdict != "pass" and facts.policy.asks("on-policy", "verified") and known:
        verdict = "block"
    return Gate(
        "on-policy",
        verdict,
        f"{known:,} of {total:,} traces were sampled here or verified by their log-probabilities"
        + ("" if known == total else "; of the others we have only the word of whoever imported them"),
        value=known / total,
        threshold=1.0,
        unit="share of traces",
        n=total,
        workings=tuple(f"{name}: {count:,}" for name, count in sorted(by.items())),
        to_know="Sample here, or have the registered checkpoint's log-probabilities compared.",
    )


def cot_given_outcome(facts: Facts) -> Gate:
    """Pressure on the reasoning given the outcome, by (prompt, class) cells (C6)."""
    warn, block = (facts.policy.line("cot-given-outcome", name) for name in ("warn", "block"))
    if facts.control:
        return Gate("cot-given-outcome", "pass", "a random control", value=0.0, threshold=warn, unit="nats")
    base = facts.base
    known = base.outcome >= 0
    missing = Gate(
        "cot-given-outcome",
        "insufficient",
        "no trace says whether its answer is right, so pressure on the outcome and on the reasoning cannot be told apart",
        threshold=block if block is not None else warn,
        unit="nats",
        warn=warn,
        block=block,
        to_know="Give outcomes at import (meta.outcome), from a checker, before the first review.",
    )
    if not known.any():
        return missing
    found = facts.once(f"outcome {facts.configuration.arm}", lambda: _given_outcome(facts))
    upper = found.upper_at(facts.level)
    if found.cot is None or upper is None or found.state == "nothing-accepted":
        return missing
    lines = (
        f"total = prompt shift {found.prompt_shift:.4f} + outcome within prompts {found.outcome:.4f} + reasoning given "
        f"both {found.cot_plugin:.4f} (plug-in)",
        f"size-biased harmonic over (prompt, class): {found.cot:.4f}, resolution {found.resolution:.4f}",
        f"mean cell {found.mean_cell:.1f} samples, {found.carrying} prompts carry it; bootstrap of prompts, an estimate",
        f"outcome unknown for {int((~known).sum()):,} of {len(known):,} traces",
    )
    if found.state == "insufficient":
        return Gate(
            "cot-given-outcome",
            "insufficient",
            f"{found.carrying} prompts carry it with {found.mean_cell:.1f} samples a cell; 30 and 6 are needed",
            value=found.cot,
            threshold=block if block is not None else warn,
            unit="nats",
            n=found.carrying,
            warn=warn,
            block=block,
            workings=lines,
            to_know="Sample each prompt more often.",
        )
    verdict, line = limited(upper, warn, block)
    return Gate(
        "cot-given-outcome",
        verdict,
        f"{found.cot:.2f} nats on the reasoning given the outcome, at most about {upper:.2f}",
        value=found.cot,
        high=upper,
        threshold=line,
        unit="nats",
        n=found.carrying,
        warn=warn,
        block=block,
        workings=lines,
    )


def _given_outcome(facts: Facts) -> GivenOutcome:
    base = facts.base
    classes = np.where(base.outcome < 0, SEALED - 1, base.outcome)
    key, place = np.unique(base.cell * SEALED + classes, return_inverse=True)
    sampled = np.bincount(place.reshape(-1), minlength=len(key))
    accepted = np.bincount(place.reshape(-1), weights=base.accepted, minlength=len(key)).astype(np.int64)
    return given_outcome(accepted, sampled, base.cell_prompt[key // SEALED])


def confounders(facts: Facts) -> Gate:
    """Whether style, rather than the clauses, decides: within prompt, beyond the other reader's clauses (C9)."""
    policy = facts.policy
    doubles = int(policy.least("confounders", "doubles"))
    found = facts.once("style", lambda: style.measure(facts.round, facts.readings.readings))
    verdicts: list[Verdict] = []
    lines, worst_key, worst_low = [], "", None
    lowest = {key: one.lower_at(facts.level) for key, one in found.clauses.items()}
    beyond_low = found.beyond.lower_at(facts.level)
    for key, one in found.clauses.items():
        lower = lowest[key]
        lines.append(
            f"{key} from style alone, within prompt: "
            + ("no pair to compare" if one.value is None else f"AUC {one.value:.3f}")
            + (f", at least {lower:.3f}" if lower is not None else f" ({one.state})")
            + f", {one.pairs:,} pairs of {one.prompts} prompts"
        )
        if lower is not None:
            verdicts.append(
                limited(
                    lower,
                    policy.line("confounders", "clause_warn"),
                    policy.line("confounders", "clause_block"),
                )[0]
            )
            if worst_low is None or lower > worst_low:
                worst_key, worst_low = key, lower
    beyond = found.beyond
    lines.append(
        f"verdict beyond the other reader's clauses, {found.doubles} traces read twice: "
        + (f"AUC gained {beyond.value:.3f}" if beyond.value is not None else "not measured")
        + (f", at least {beyond_low:.3f}" if beyond_low is not None else f" ({beyond.state})")
    )
    if beyond_low is not None:
        verdicts.append(
            limited(
                beyond_low,
                policy.line("confounders", "beyond_warn"),
                policy.line("confounders", "beyond_block"),
            )[0]
        )
    measured = beyond_low is not None and found.doubles >= doubles
    verdict = worse(*verdicts) if verdicts else "insufficient"
    clause_line = policy.line("confounders", "clause_warn")
    told = (
        f"style alone tells on which traces {worst_key} is cited, AUC at least {worst_low:.2f}"
        if worst_low is not None and clause_line is not None and worst_low > clause_line
        else ""
    )
    if not measured and verdict in ("pass", "warn"):
        verdict = "insufficient"
        why = "; ".join(
            one
            for one in (
                f"{found.doubles} traces were read twice; {doubles} are needed to see style beyond the clauses"
                if found.doubles < doubles
                else f"only {beyond.prompts} prompts have an accept and a reject among the traces read twice; 20 are needed",
                told,
            )
            if one
        )
    elif verdict in ("block", "warn"):
        why = told or (
            "style tells a reader's verdict beyond the other reader's clauses, by at least "
            f"{beyond_low or 0:.2f} of AUC"
        )
    elif verdict == "pass":
        why = "style adds nothing that can be shown to what the other reader's clauses say"
    else:
        why = f"{found.doubles} traces were read twice; {doubles} are needed to see style beyond the clauses"
    return Gate(
        "confounders",
        verdict,
        why,
        value=beyond.value,
        low=beyond_low,
        threshold=policy.line("confounders", "beyond_block"),
        unit="AUC gained",
        n=found.doubles,
        warn=policy.line("confounders", "beyond_warn"),
        block=policy.line("confounders", "beyond_block"),
        workings=(*lines, f"style: {', '.join(style.NAMES)}"),
        to_know="" if measured else "Have more traces read twice, drawn at random.",
        details={"clauses": lowest},
    )

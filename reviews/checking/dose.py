"""Dose: how much and how hard. Blocks when it is too much, and when it cannot tell."""

from __future__ import annotations

from typing import Any

import numpy as np

from reviews.checking.facts import Facts
from reviews.checking.gate import Gate, Verdict, floored, limited
from reviews.measures import selection as mixing
from reviews.measures.domains import Domain, samples_needed
from reviews.measures.exported import hard_share
from reviews.measures.finite import harmonic
from reviews.measures.intervals import Standing

NOTHING = "nothing goes out"


def samples_per_prompt(facts: Facts) -> Gate:
    """K of the prompt with the fewest samples that goes out: pressure above H(K-1) nats cannot be seen with it."""
    warn, block = (facts.policy.line("samples-per-prompt", name) for name in ("warn", "block"))
    out = facts.exported > 0
    if not out.any():
        return Gate("samples-per-prompt", "insufficient", NOTHING, unit="samples", threshold=block)
    least = int(facts.base.sampled[out].min())
    verdict, line = floored(least, warn, block)
    most = float(harmonic(least - 1))
    return Gate(
        "samples-per-prompt",
        verdict,
        f"each prompt that goes out was sampled {least} times or more; pressure beyond {most:.2f} nats cannot be seen "
        "with so few",
        value=least,
        threshold=line,
        unit="samples",
        n=int(out.sum()),
        warn=warn,
        block=block,
        workings=(
            f"resolution H(K-1) = H({least - 1}) = {most:.4f} nats",
            f"median K of the {int(out.sum()):,} prompts that go out: {int(np.median(facts.base.sampled[out]))}",
        ),
        to_know="Sample each prompt more often.",
    )


def selection(facts: Facts) -> Gate:
    """Pressure over the prompts where selection happened; the worst of pooled, worst domain and as exported."""
    warn, block = (facts.policy.line("selection", name) for name in ("warn", "block"))
    lines: dict[str, Any] = {"unit": "nats", "warn": warn, "block": block}
    found = facts.pressure
    if found is None or not facts.going.size:
        return Gate("selection", "insufficient", NOTHING, threshold=block, **lines)
    if facts.control:
        return Gate(
            "selection",
            "pass",
            "a random control: no verdict chose what is in it",
            value=0.0,
            threshold=warn,
            **lines,
        )
    needed = int(facts.policy.least("selection", "prompts"))
    if found.selecting_state == "no-selection":
        return _no_selection(facts, needed, warn, block)
    known = {"over prompts where selection happened": found.selecting_upper, **_domains(facts)}
    exported = facts.as_exported
    if exported is not None:
        known["as exported"] = exported.upper
    if facts.configuration.mix > 0:
        known = {name: _mixed(upper, facts.configuration.mix) for name, upper in known.items()}
    if found.selecting_prompts < needed or found.selecting_total is None or None in known.values():
        missing = [name for name, upper in known.items() if upper is None]
        return Gate(
            "selection",
            "insufficient",
            f"selection happened in {found.selecting_prompts} prompts; {needed} are needed"
            if found.selecting_prompts < needed
            else f"no bound {missing[0]}: one prompt, or nothing accepted",
            value=found.selecting_total,
            threshold=block,
            n=found.selecting_prompts,
            to_know=f"Sample and review until at least {needed} prompts have an accept and a reject.",
            **lines,
        )
    name, high = max(((name, upper or 0.0) for name, upper in known.items()), key=lambda one: one[1])
    verdict, line = limited(high, warn, block)
    value = _mixed(found.selecting_total, facts.configuration.mix)
    return Gate(
        "selection",
        verdict,
        f"{value:.2f} nats, at most {high:.2f} ({name}; {_standing(facts, name)})",
        value=value,
        high=high,
        threshold=line,
        n=found.selecting_prompts,
        workings=_workings(facts, known),
        details={"upper_by": dict(known)},
        to_know=""
        if verdict == "pass"
        else "Select less: a laxer reading of the spec, easier prompts, or more of what the model already does.",
        **lines,
    )


def _no_selection(facts: Facts, needed: int, warn: float | None, block: float | None) -> Gate:
    prompts = facts.pressure.prompts if facts.pressure else 0
    enough = prompts >= needed
    return Gate(
        "selection",
        "pass" if enough else "insufficient",
        f"every sample of all {prompts} prompts was accepted: nothing was selected"
        if enough
        else f"every sample of {prompts} prompts was accepted, too few to say that nothing is selected",
        value=0.0,
        threshold=warn,
        unit="nats",
        n=prompts,
        warn=warn,
        block=block,
    )


def _mixed(nats: float | None, share: float) -> float | None:
    """Pressure of a file with `share` of it drawn from everything sampled, where the accepted law has `nats`."""
    return nats if nats is None or share == 0 else mixing.mixing(float(np.exp(-nats)), share).kl


def _domains(facts: Facts) -> dict[str, float | None]:
    """The upper figure of each domain with a name, where there is more than one."""
    if len(facts.domains) < 2:
        return {}
    return {_of(domain): domain.selecting_upper for domain in facts.domains if domain.selecting_prompts}


def _of(domain: Domain) -> str:
    return f"in {domain.domain or 'no domain'}"


def _standing(facts: Facts, name: str) -> Standing:
    """What the upper figure of this name may be called: as exported it is an estimate, however many prompts."""
    known: dict[str, Standing] = {_of(domain): domain.selecting_standing for domain in facts.domains}
    if facts.as_exported is not None:
        known["as exported"] = facts.as_exported.standing
    return known.get(name, facts.pressure.selecting_standing if facts.pressure else "undefined")


def _workings(facts: Facts, known: dict[str, float | None]) -> tuple[str, ...]:
    found, exported = facts.pressure, facts.as_exported
    if found is None:
        return ()
    hard = facts.base.by_prompt(facts.base.taken) < facts.base.by_prompt(facts.base.sampled)
    k = int(facts.base.by_prompt(facts.base.taken)[hard].sum())
    n = int(facts.base.by_prompt(facts.base.sampled)[hard].sum())
    lines = [
        f"over {found.selecting_prompts:,} prompts with k < K: -ln(sum k / sum K) = -ln({k:,} / {n:,}) = "
        f"{found.selecting_total:.4f} nats",
        f"one-sided {100 * facts.level:.2f} % clustered Wilson bound, t with {found.selecting_prompts - 1} degrees: "
        f"{found.selecting_upper:.4f} nats ({found.selecting_standing})",
        f"over all {found.prompts:,} prompts, easy ones included: {found.total:.4f}"
        + (f", at most {found.total_upper:.4f}" if found.total_upper is not None else ""),
    ]
    if exported is not None and exported.estimate is not None:
        lines.append(
            f"as exported, {exported.traces:,} traces of {exported.prompts:,} prompts: {exported.total:.4f} = prompt "
            f"shift {exported.prompt_shift:.4f} + within {exported.within:.4f}; Beta-binomial estimate "
            f"{exported.estimate:.4f}, bootstrap of prompts {exported.upper:.4f}: an estimate, not a bound"
            if exported.upper is not None
            else f"as exported: {exported.total:.4f}, no bound from one prompt"
        )
    if facts.configuration.mix > 0:
        z = float(np.exp(-(found.selecting_total or 0)))
        lines.append(
            f"mixed with lambda = {facts.configuration.mix:g}: KL = Z r ln r + (1-Z) lambda ln lambda at Z = {z:.4f}"
        )
    lines += [f"{name}: {upper:.4f}" for name, upper in known.items() if upper is not None]
    if facts.looks > 1:
        lines.append(
            f"{facts.looks} configurations were looked at: alpha = .05 / {facts.looks}, for each bound (Bonferroni)"
        )
    return tuple(lines)


def admission(facts: Facts) -> Gate:
    """The share of exported tokens that come from hard prompts; none goes out below the rate of admission."""
    warn, block = (facts.policy.line("admission", name) for name in ("warn", "block"))
    below = facts.policy.least("admission", "hard")
    rate = facts.policy.least("admission", "rate")
    base = facts.base
    tokens = np.bincount(
        base.cell[facts.draft.going],
        weights=base.tokens[facts.draft.going],
        minlength=len(base.elsewhere),
    ).astype(np.float64)
    share = hard_share(tokens, base.taken, base.sampled, below) if len(base.trace) else None
    if share is None:
        return Gate("admission", "insufficient", NOTHING, unit="share of tokens", threshold=block)
    barred = len(np.unique(base.prompt[facts.draft.barred]))
    verdict, line = limited(share, warn, block)
    hard = tokens[base.taken < below * base.sampled - 1e-9].sum()
    return Gate(
        "admission",
        verdict,
        f"{100 * share:.1f} of 100 tokens come from prompts where fewer than {100 * below:g} of 100 samples are "
        f"accepted; {barred} prompts under {100 * rate:g} of 100 stay out",
        value=share,
        threshold=line,
        unit="share of tokens",
        n=int((tokens > 0).sum()),
        warn=warn,
        block=block,
        workings=(
            f"{hard:,.0f} of {tokens.sum():,.0f} tokens from (prompt, sampler) with k/K < {below:g}",
            f"admitted: k/K >= {rate:g}",
        ),
        to_know=""
        if verdict == "pass"
        else "Leave hard prompts to a later checkpoint, which does it more often.",
    )


def behaviour_floor(facts: Facts) -> Gate:
    """In each domain that goes out, the lower bound of the rate of acceptance."""
    floor = facts.policy.least("behaviour-floor", "floor")
    if facts.control:
        return Gate(
            "behaviour-floor", "pass", "a random control", threshold=floor, unit="accepted of sampled"
        )
    if not facts.domains:
        return Gate("behaviour-floor", "insufficient", NOTHING, threshold=floor, unit="accepted of sampled")
    worst = min(facts.domains, key=lambda one: -1.0 if one.lower is None else one.lower)
    verdict: Verdict = "insufficient" if worst.lower is None else "pass" if worst.lower >= floor else "block"
    needed = samples_needed(worst.rate, floor, facts.level) if floor else None
    name = worst.domain or "the only domain"
    return Gate(
        "behaviour-floor",
        verdict,
        f"in {name} {100 * worst.rate:.1f} of 100 samples are accepted, at least "
        + (f"{100 * worst.lower:.1f}" if worst.lower is not None else "unknown: one prompt"),
        value=worst.rate,
        low=worst.lower,
        threshold=floor,
        unit="accepted of sampled",
        n=worst.prompts,
        block=floor,
        workings=(
            *(
                f"{one.domain or 'no domain'}: {one.accepted:,.0f} of {one.sampled:,.0f}, {one.prompts} prompts, at least "
                + (f"{one.lower:.4f}" if one.lower is not None else "unknown")
                for one in facts.domains
            ),
            f"one-sided {100 * facts.level:.2f} %, clustered by prompt",
        ),
        to_know=f"About {needed:,} independent samples would show it at this rate."
        if needed and verdict != "pass"
        else "",
    )

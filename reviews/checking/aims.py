"""Dose: for what, and in how few domains. Blocks when it is too much, and when it cannot tell."""

from __future__ import annotations

import numpy as np

from reviews.checking import clauses, kinds
from reviews.checking.facts import Facts
from reviews.checking.gate import Gate, Verdict, limited, worse
from reviews.measures.domains import effective_number
from reviews.models import Clause

NOTHING = "nothing goes out"
ALIGNED = (Clause.Purpose.OUTCOME_ALIGNMENT, Clause.Purpose.INTENT_ALIGNMENT)


def form(facts: Facts) -> Gate:
    """Nats that clauses of form make, the upper end of both orders; zero where form never rejects."""
    warn, block = (facts.policy.line("form", name) for name in ("warn", "block"))
    spec = facts.round.spec_version
    if facts.control:
        return Gate(
            "form", "pass", "a random control", value=0.0, threshold=warn, unit="nats", warn=warn, block=block
        )
    if spec is not None and not any(
        clause.purpose == Clause.Purpose.FORM and clause.selects for clause in spec.clauses.all()
    ):
        return Gate(
            "form",
            "pass",
            "no clause of form can reject: it is a remark in this spec",
            value=0.0,
            threshold=warn,
            unit="nats",
            warn=warn,
            block=block,
        )
    found = clauses.split(facts.round, facts.level)
    if found is None or found.state != "ok" or found.form_upper is None:
        return Gate(
            "form",
            "insufficient",
            "form can reject in this spec, and no random share of reviews judges every clause one by one",
            threshold=block,
            unit="nats",
            warn=warn,
            block=block,
            to_know="Set a share of readings that judge each clause, or make form a remark.",
        )
    verdict, line = limited(found.form_upper, warn, block)
    return Gate(
        "form",
        verdict,
        f"{found.form_low:.3f} to {found.form_high:.3f} nats by the order of the questions, at most {found.form_upper:.3f}",
        value=found.form_high,
        low=found.form_low,
        high=found.form_upper,
        threshold=line,
        unit="nats",
        n=found.traces,
        warn=warn,
        block=block,
        workings=(
            f"{found.traces} traces on which every clause was judged",
            f"alignment first: alignment {found.alignment:.4f} + form {found.form:.4f} = {found.total:.4f}",
            f"{found.form_only} of {found.rejects} rejects fail for form alone",
        ),
    )


def purpose(facts: Facts) -> Gate:
    """What the clauses that select are for."""
    spec = facts.round.spec_version
    if facts.control:
        return Gate("purpose", "pass", "a random control")
    if spec is None:
        return Gate("purpose", "insufficient", "the round has no published spec", to_know="Publish one.")
    selecting = [clause for clause in spec.clauses.all() if clause.selects]
    bad = [
        clause.key
        for clause in selecting
        if clause.purpose == Clause.Purpose.MONITOR_FACING or clause.relation == Clause.Relation.IN_CONFLICT
    ]
    aligned = [clause.key for clause in selecting if clause.purpose in ALIGNED]
    split = clauses.disputed(spec) if facts.policy.asks("purpose", "two_people") else []
    verdict: Verdict = "pass"
    if bad:
        verdict, why = (
            "block",
            f"{', '.join(bad)} can reject, and is for a monitor or against what the task rewards",
        )
    elif not aligned:
        verdict, why = "block", "no clause that can reject is for the outcome or the intent"
    elif split:
        unasked = all(len(one.opinions) < 2 for one in split)
        verdict = "insufficient" if unasked else "block"
        names = ", ".join(one.key for one in split)
        why = f"two people have not classified {names} alike"
    else:
        why = f"{len(aligned)} of {len(selecting)} clauses that can reject are for the outcome or the intent"
    return Gate(
        "purpose",
        verdict,
        why,
        value=float(len(bad)),
        threshold=0.0,
        unit="clauses",
        n=len(selecting),
        workings=tuple(f"{clause.key}: {clause.purpose}, {clause.relation}" for clause in selecting),
        to_know="A second person classifies each clause on the spec's page." if split else "",
    )


def _kinds(facts: Facts) -> tuple[str, str]:
    """Whether the prompts look like more domains than were declared, and how many they look like."""
    if not facts.reads_texts:
        return "", "how many kinds their words tell was not looked at here"
    found = facts.once("kinds", lambda: kinds.of(facts.round, facts.people))
    sizes = ", ".join(f"{size:,}" for size in found.sizes[:9])
    if found.number is None:
        return "", f"by their words: {found.prompts} prompts are too few to tell"
    said = f"by their words, {found.prompts:,} prompts are as many as {found.number:.2f} equal kinds: {sizes}"
    return kinds.more_than_declared(found, facts.people), said


def domains(facts: Facts) -> Gate:
    """The effective number of domains among what goes out, and the allow-list."""
    warn, block = (facts.policy.line("domains", name) for name in ("warn", "block"))
    allowed = facts.policy.allowed_domains
    if not facts.going.size:
        return Gate("domains", "insufficient", NOTHING, threshold=block, unit="effective domains")
    names, counts = np.unique(
        np.array(facts.base.domains, dtype=object)[facts.base.prompt[facts.going]].astype(str),
        return_counts=True,
    )
    number = effective_number(counts.astype(np.float64))
    verdict, line = limited(number, warn, block)
    why = f"{len(names)} domains, as many as {number:.2f} equal ones"
    outside = [] if allowed is None else sorted(set(names) - set(allowed))
    if outside:
        verdict, why = "block", f"{', '.join(outside) or 'no domain'} is not on the policy's list"
    elif allowed is None and facts.policy.asks("domains", "allow_list"):
        verdict, why = (
            worse(verdict, "insufficient"),
            why + "; the policy asks for a list of domains and has none",
        )
    elif allowed is None:
        verdict, why = (
            worse(verdict, "warn"),
            why + "; the policy names none, so all imported ones may go out",
        )
    if not any(names):
        why += "; no trace states its domain"
    more, by_words = _kinds(facts)
    if more:
        verdict, why = worse(verdict, "warn"), f"{why}; {more}"
    return Gate(
        "domains",
        verdict,
        why,
        value=number,
        threshold=line,
        unit="effective domains",
        n=int(counts.sum()),
        warn=warn,
        block=block,
        workings=(
            "exp(-sum w ln w) over "
            + ", ".join(f"{name or 'none'} {count:,}" for name, count in zip(names, counts, strict=True)),
            by_words,
        ),
        to_know="Name the domains in the policy." if allowed is None else "",
    )

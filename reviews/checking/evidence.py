"""Evidence: what was measured of the readers and of the chain. Missing is called not measured, never good."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from reviews.audit import figures, readers, rows
from reviews.audit.rows import GoldReading
from reviews.checking import style
from reviews.checking.facts import Facts
from reviews.checking.gate import Gate, Verdict, limited, worse
from reviews.measures.flips import Flips, flips
from reviews.measures.intervals import clustered_ratio, wilson
from reviews.measures.outcomes import GivenOutcome, given_outcome
from reviews.measures.rates import second_reader_sums
from reviews.models import Review, Round, Sampler, User
from reviews.models import Verdict as Said

LOOKS = (20, 40, 60, 100, 200, 400, 1000)  # gold traces: fixed, so that nobody passes by looking again
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


def answer_first(facts: Facts) -> Gate:
    """Of 100 answers accepted alone, how many the chain turns to reject (C7)."""
    warn, block = (facts.policy.line("answer-first", name) for name in ("warn", "block"))
    found = flipped(facts.round, facts.level)
    if found.share is None or found.share_upper is None or found.standing == "insufficient":
        return Gate(
            "answer-first",
            "insufficient",
            f"{found.answers} answers were accepted alone, in too few prompts"
            if found.answers
            else "no answer was judged alone before its chain was shown",
            value=None if found.share is None else 100 * found.share,
            threshold=block if block is not None else warn,
            unit="of 100",
            n=found.answers,
            warn=warn,
            block=block,
            to_know="Set a share of readings that judge the answer first.",
        )
    verdict, line = limited(100 * found.share_upper, warn, block)
    nats = (
        "all were turned"
        if found.nats is None
        else f"-ln(1 - f) = {found.nats:.3f} nats on the reasoning as judged"
    )
    return Gate(
        "answer-first",
        verdict,
        f"of 100 answers accepted alone the chain turned {100 * found.share:.0f} to reject, at most "
        f"{100 * found.share_upper:.0f}",
        value=100 * found.share,
        high=100 * found.share_upper,
        threshold=line,
        unit="of 100",
        n=found.answers,
        warn=warn,
        block=block,
        workings=(
            f"f = {found.turned} / {found.answers}; {nats}",
            f"the other way: {found.other_way} of {found.refused} refused answers were accepted with their chain",
            f"one-sided {100 * facts.level:.2f} %, clustered by prompt ({found.standing})",
        ),
    )


def flipped(round: Round, level: float) -> Flips:
    """The answers judged alone and what was said of them with their chain, counted by prompt."""
    heads = Review.objects.heads().filter(
        round=round,
        kind=Review.Kind.REVIEW,
        served=Review.Served.NORMAL,
        pass_number=1,
        reviewer_kind=User.Kind.HUMAN,
        verdict__in=[Said.ACCEPT, Said.REJECT],
        trace__batch__withdrawal=None,
    )
    alone = {
        (trace, reader): (verdict, prompt)
        for trace, reader, verdict, prompt in heads.filter(stage=Review.Stage.ANSWER_ONLY).values_list(
            "trace", "reviewer", "verdict", "trace__round_prompt__prompt"
        )
    }
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    whole = heads.filter(stage=Review.Stage.FINAL, trace__in={trace for trace, _ in alone})
    for trace, reader, verdict in whole.values_list("trace", "reviewer", "verdict"):
        if (trace, reader) in alone:
            before, prompt = alone[trace, reader]
            first = 0 if before == Said.ACCEPT else 2
            counts[prompt][first] += 1
            counts[prompt][first + 1] += verdict != before
    table = np.array(list(counts.values()), dtype=np.int64).reshape(-1, 4)
    return flips(*table.T, level=level)


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


def agreement(facts: Facts) -> Gate:
    """Of 100 exported traces, how many a second reader would have rejected (C15)."""
    policy = facts.policy
    warn, block = (policy.line("agreement", name) for name in ("warn", "block"))
    asked, twice = policy.least("agreement", "double_share"), int(policy.least("agreement", "twice"))
    group = facts.once("agreement", lambda: figures.group("", facts.readings, facts.readings.planned))
    share = 1.0 if facts.round.overlap >= 2 else facts.round.double_share
    sums = facts.once("second", lambda: second_reader_sums(*figures.planned_verdicts(facts.readings)))
    low = None if sums is None else clustered_ratio(sums[0], sums[1], facts.level, sided=1).low
    upper = None if low is None else 1 - low
    value = group.second.value
    lines = (
        f"alpha {_figure(group.alpha.value)} [{_figure(group.alpha.low)}, {_figure(group.alpha.high)}], "
        f"{group.twice} traces read twice by the plan; {100 * share:g} of 100 planned",
        f"a second reader would reject, one-sided {100 * facts.level:.2f} %, clustered by prompt: {_figure(upper)}",
    )
    common: dict[str, Any] = {
        "threshold": block if block is not None else warn,
        "unit": "of 100",
        "n": group.twice,
        "warn": warn,
        "block": block,
        "workings": lines,
    }
    if value is None or upper is None or share < asked or group.twice < twice:
        why = (
            f"the plan has {100 * share:g} of 100 traces read twice; the policy asks for {100 * asked:g}"
            if share < asked
            else f"{group.twice} traces were read twice; {twice} are needed"
        )
        return Gate(
            "agreement",
            "insufficient",
            why,
            value=None if value is None else 100 * value,
            to_know="Have a random share of the traces read twice.",
            **common,
        )
    verdict, line = limited(100 * upper, warn, block)
    alpha_low = group.alpha.low
    if alpha_low is None or alpha_low <= 0:
        verdict = worse(verdict, "block" if block is not None else "warn")
    return Gate(
        "agreement",
        verdict,
        f"of 100 exported traces a second reader would have rejected {100 * value:.0f}, at most {100 * upper:.0f}"
        + ("" if alpha_low is not None and alpha_low > 0 else "; no agreement beyond chance can be shown"),
        value=100 * value,
        high=100 * upper,
        **{**common, "threshold": line},
    )


def reviewers(facts: Facts) -> Gate:
    """Each reader on gold accepts and on gold rejects at fixed looks, and the drift chart (C16).

    A model's verdict decides nothing here, so that there is no share of them to hold against a line.
    """
    policy = facts.policy
    asked, accuracy = int(policy.least("reviewers", "gold")), policy.least("reviewers", "accuracy")
    team = facts.once("team", lambda: readers.of(facts.round, facts.readings))
    gold = facts.once("gold", lambda: rows.gold(facts.round))
    lines, bad, unknown, lows = [], [], [], []
    for reader in (one for one in team.readers if one.readings):
        judged = [one for one in gold if one.rater_id == reader.name]
        judged = judged[: max((look for look in LOOKS if look <= len(judged)), default=0)]
        rights = [_right(judged, verdict, facts.level) for verdict in (Said.ACCEPT, Said.REJECT)]
        alarm = reader.chart.alarm is not None
        lines.append(
            f"{reader.name}, first {len(judged)} gold traces: right on {rights[0].right} of {rights[0].of} gold accepts "
            f"(at least {_figure(rights[0].low)}), on {rights[1].right} of {rights[1].of} gold rejects (at least "
            f"{_figure(rights[1].low)}); chart {'in alarm' if alarm else 'silent'}"
        )
        if alarm:
            bad.append(reader.name)
        known = [one.low for one in rights if one.low is not None]
        if len(judged) < asked or len(known) < 2:
            unknown.append(reader.name)
            continue
        lows.append(min(known))
        if min(known) < accuracy:
            bad.append(reader.name)
    blocks = policy.asks("reviewers", "blocks")
    verdict: Verdict = "pass"
    why = "every reader is at or above the line on gold accepts and on gold rejects"
    if bad:
        verdict = "block" if blocks else "warn"
        why = f"{', '.join(sorted(set(bad)))}: below the line, or drifting, on gold"
    elif not lines:
        verdict, why = "insufficient", "nobody has read"
    elif unknown:
        verdict = "insufficient"
        why = f"{len(unknown)} of {len(lines)} readers have not judged {asked} gold traces of both kinds"
    return Gate(
        "reviewers",
        verdict,
        why,
        value=min(lows, default=None),
        low=min(lows, default=None),
        threshold=accuracy,
        unit="share right, lower bound",
        n=len(lines),
        warn=accuracy,
        block=accuracy if blocks else None,
        workings=tuple(lines),
        to_know="Mix gold into the queue, as many accepts as rejects." if verdict == "insufficient" else "",
    )


@dataclass(frozen=True)
class Right:
    """How often a reader was right on gold of one verdict; low: one-sided Wilson."""

    right: int
    of: int
    low: float | None


def _right(judged: list[GoldReading], verdict: str, level: float) -> Right:
    said = [one.said == one.right for one in judged if one.right == verdict]
    return Right(sum(said), len(said), wilson(sum(said), len(said), level, 1)[0] if said else None)


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"

"""Evidence of the readers: what the chain turned, what a second one would say, and who is right on gold."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from reviews.audit import figures, readers, rows
from reviews.audit.rows import GoldReading
from reviews.checking.facts import Facts
from reviews.checking.gate import Gate, Verdict, limited, worse
from reviews.measures.flips import Flips, flips
from reviews.measures.intervals import clustered_ratio, wilson
from reviews.measures.rates import second_reader_sums
from reviews.models import Review, Round, User
from reviews.models import Verdict as Said

LOOKS = (20, 40, 60, 100, 200, 400, 1000)  # gold traces: fixed, so that nobody passes by looking again


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

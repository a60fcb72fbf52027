"""A team of eight, simulated: whom the audit finds, and how often it blames somebody who reads well.

One is careless, one drifts after 400 traces, one reads a clause differently, five are clean. For docs/agreement.md.

python -m tests.bench.agreement_team --runs 100 --out docs/agreement.md
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reviews.measures import drift, reviewers
from reviews.measures.ratings import Codes
from tests.bench.agreement_pages import put

Role = Literal["clean", "careless", "drifting", "own reading"]
TEAM: tuple[Role, ...] = ("careless", "drifting", "own reading", *["clean"] * 5)  # type: ignore[assignment]
ROLES: tuple[Role, ...] = ("careless", "drifting", "own reading", "clean")

TRACES, A_PROMPT, DOUBLE = 4800, 8, 0.2
GOLD, EVERY = 80, 10  # every tenth trace is gold, accepts and rejects in turn
CLEAN, CARELESS, AFTER = 0.05, 0.25, 400
REJECTS, CLAUSES = 0.4, (0.3, 0.4, 0.3)  # of the rejects, the share of each clause
OTHERWISE = 0.8  # how often the own reading takes a breach of the second clause for none
WRONG_CLAUSE = 0.1
Q = 0.05
INSTRUMENTS = ("gold chart", "alpha without them", "accepts against peers", "cites against peers")


@dataclass(frozen=True)
class Found:
    """Who was named by what in one round: for each instrument, the places of readers in the team."""

    named: dict[str, set[int]]


def chance_of_error(role: Role, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """How often a reader errs at their at-th trace."""
    if role == "careless":
        return np.full(len(at), CARELESS)
    return np.where((role == "drifting") & (at >= AFTER), CARELESS, CLEAN)


def read(
    role: Role, faults: NDArray[np.int64], at: NDArray[np.int64], generator: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Rejects and cited clauses (0: none). faults: the clause that each trace breaks, or 0."""
    otherwise = (role == "own reading") & (faults == 2) & (generator.random(len(faults)) < OTHERWISE)
    wrong = generator.random(len(faults)) < chance_of_error(role, at)
    rejects = ((faults > 0) & ~otherwise) ^ wrong
    unsure = generator.random(len(faults)) < WRONG_CLAUSE
    cited = np.where((faults > 0) & ~unsure, faults, generator.integers(1, 4, len(faults)))
    return rejects, np.where(rejects, cited, 0)


def faults_of(traces: int, rejects: float, generator: np.random.Generator) -> NDArray[np.int64]:
    clause = generator.choice([1, 2, 3], p=CLAUSES, size=traces)
    return np.where(generator.random(traces) < rejects, clause, 0)


def audited(team: tuple[Role, ...], line: drift.Line, seed: int) -> Found:
    """One round read by the team, and whom each instrument names."""
    generator = np.random.default_rng(seed)
    faults = faults_of(TRACES, REJECTS, generator)
    first = generator.permutation(np.arange(TRACES) % len(team))
    twice = np.flatnonzero(generator.random(TRACES) < DOUBLE)
    second = (first[twice] + generator.integers(1, len(team), len(twice))) % len(team)
    items, raters = np.r_[np.arange(TRACES), twice], np.r_[first, second]
    order = np.lexsort((raters, items))
    items, raters = items[order], raters[order]
    rejects, cited = np.zeros(len(items), dtype=np.bool_), np.zeros(len(items), dtype=np.int64)
    named: dict[str, set[int]] = {name: set() for name in INSTRUMENTS}
    for place, role in enumerate(team):
        mine = np.flatnonzero(raters == place)
        at = np.arange(len(mine)) * EVERY // (EVERY - 1)  # gold stands between the traces of the round
        rejects[mine], cited[mine] = read(role, faults[items[mine]], at, generator)
        gold = np.where(np.arange(GOLD) % 2 == 0, 0, faults_of(GOLD, 1.0, generator))
        said, _ = read(role, gold, np.arange(GOLD) * EVERY + EVERY - 1, generator)
        if drift.cusum(said != (gold > 0), line.height).alarm is not None:
            named["gold chart"].add(place)
    names = tuple(f"r{place}" for place in range(len(team)))

    def codes(labels: NDArray[np.int64], categories: tuple[str, str]) -> Codes:
        every = np.ones(len(items), dtype=np.bool_)
        prompts = np.arange(TRACES) // A_PROMPT
        return Codes(
            items, raters, labels, every, prompts, True, tuple(map(str, range(TRACES))), names, categories
        )

    verdicts = codes(rejects.astype(np.int64), ("accept", "reject"))
    for place, rise in enumerate(reviewers.leave_one_out(verdicts, seed=seed)):
        if rise.low is not None and rise.low > 0:
            named["alpha without them"].add(place)
    named["accepts against peers"] |= _by_tests([reviewers.gaps_to_peers(verdicts, "accept")])
    named["cites against peers"] |= _by_tests(
        [
            reviewers.gaps_to_peers(codes((cited == clause).astype(np.int64), ("other", "cites")), "cites")
            for clause in (1, 2, 3)
        ]
    )
    return Found(named)


def _by_tests(families: list[list[reviewers.Gap]]) -> set[int]:
    tests = [(place, gap.p) for family in families for place, gap in enumerate(family) if gap.p is not None]
    adjusted = reviewers.benjamini_hochberg(np.array([p for _, p in tests]))
    return {place for (place, _), p in zip(tests, adjusted, strict=True) if p <= Q}


def promised(line: drift.Line) -> dict[Role, float]:
    """What the chart's own simulation says before the round: how often a reader of each kind gets an alarm."""
    flips = OTHERWISE * (1 - CLEAN) + (1 - OTHERWISE) * CLEAN
    own_reading = CLEAN / 2 + (CLAUSES[1] * flips + (1 - CLAUSES[1]) * CLEAN) / 2
    change = AFTER // EVERY

    def share(rate: float, at: int = 0) -> float:
        return drift.detection(line.height, rate, GOLD, change=at, seed=77).found

    before = drift.detection(line.height, CLEAN, change, seed=77).found  # an alarm all the same, if too early
    return {
        "careless": share(CARELESS),
        "drifting": share(CARELESS, change) + before,
        "own reading": share(own_reading),
        "clean": share(CLEAN),
    }


def table(runs: int, seed: int) -> str:
    """The table of docs/agreement.md."""
    line = drift.calibrated(len(TEAM), GOLD, seed=seed)
    named: Counter[tuple[str, Role]] = Counter()
    wrongly: Counter[str] = Counter()
    for run in range(runs):
        for name, places in audited(TEAM, line, seed + run).named.items():
            named.update((name, TEAM[place]) for place in places)
            wrongly[name] += any(TEAM[place] == "clean" for place in places)
    clean: Counter[str] = Counter()
    for run in range(runs):
        clean.update(
            name for name, places in audited(("clean",) * len(TEAM), line, seed + run).named.items() if places
        )
    expected = promised(line)
    lines = [
        f"{runs} rounds, seed {seed}. The alarm line is {line.height:.3f}, made for {len(TEAM)} readers with {GOLD} "
        f"gold traces each. Of 100 readers of each kind, how many were named:",
        "",
        "| instrument | "
        + " | ".join(ROLES)
        + " | rounds where a clean one was named | the same, all eight clean |",
        "| --- |" + " ---: |" * (len(ROLES) + 2),
    ]
    for name in INSTRUMENTS:
        shares = [100 * named[name, role] / (runs * TEAM.count(role)) for role in ROLES]
        cells = " | ".join(f"{share:.1f}" for share in shares)
        lines.append(
            f"| {name} | {cells} | {100 * wrongly[name] / runs:.0f} | {100 * clean[name] / runs:.0f} |"
        )
    before = " | ".join(f"{100 * expected[role]:.1f}" for role in ROLES)
    five = 100 * (1 - (1 - expected["clean"]) ** TEAM.count("clean"))
    lines.append(f"| gold chart, as promised | {before} | {five:.1f} | {100 * line.false_alarm:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.bench.agreement_team")
    asked.add_argument("--runs", type=int, default=100)
    asked.add_argument("--seed", type=int, default=20_261_125)
    asked.add_argument("--out", type=Path, help="the page, written between its marks")
    options = asked.parse_args()
    put(table(options.runs, options.seed), "team", options.out)


if __name__ == "__main__":
    main()

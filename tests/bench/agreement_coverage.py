"""How often each interval of the audit holds the truth, where the truth is known. For docs/agreement.md.

python -m tests.bench.agreement_coverage --runs 1000 --out docs/agreement.md
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reviews.measures import agreement, cohen, kappas, rates, reviewers
from reviews.measures.intervals import Estimate
from reviews.measures.ratings import Codes
from tests.bench.agreement_pages import put

LEVEL = 0.95
LARGE = 40_000  # prompts of the sample that stands for the truth


@dataclass(frozen=True)
class Setting:
    """Prompts with some traces each, read by some of the raters, and how common rejects are.

    One prompt in four is hard: its readers err seven times as often. Prompts differ in how much of theirs is bad.
    A setting with one trace a prompt has items that stand alone.
    """

    prompts: int
    traces: int
    raters: int
    missing: float
    rejects: float

    def __str__(self) -> str:
        gaps = f", {self.missing:.0%} missing" if self.missing else ""
        return f"{self.prompts} × {self.traces}, {self.raters} raters{gaps}, {self.rejects:.0%} rejects"


SETTINGS = [
    Setting(30, 1, 2, 0, 0.5),
    Setting(100, 1, 2, 0, 0.5),
    Setting(100, 1, 2, 0, 0.1),
    Setting(300, 1, 2, 0, 0.5),
    Setting(300, 1, 2, 0, 0.1),
    Setting(300, 1, 2, 0, 0.03),
    Setting(20, 8, 2, 0, 0.3),
    Setting(30, 8, 2, 0, 0.3),
    Setting(100, 8, 2, 0, 0.5),
    Setting(100, 8, 2, 0, 0.1),
    Setting(50, 4, 3, 0.4, 0.3),
    Setting(200, 4, 3, 0.4, 0.3),
]


def made(setting: Setting, generator: np.random.Generator) -> Codes:
    """Ratings as that setting gives them."""
    propensity = generator.beta(4 * setting.rejects, 4 * (1 - setting.rejects), setting.prompts)
    error = np.where(generator.random(setting.prompts) < 0.25, 0.35, 0.05)
    prompt = np.repeat(np.arange(setting.prompts), setting.traces)
    truth = generator.random(len(prompt)) < propensity[prompt]
    items = np.repeat(np.arange(len(prompt)), setting.raters)
    wrong = generator.random(len(items)) < error[prompt][items]
    said = (truth[items] ^ wrong).astype(np.int64)
    raters = np.tile(np.arange(setting.raters), len(prompt))
    rows = generator.random(len(items)) >= setting.missing
    return Codes(
        items[rows],
        raters[rows],
        said[rows],
        np.ones(int(rows.sum()), dtype=np.bool_),
        prompt,
        setting.traces > 1,
        tuple(map(str, range(len(prompt)))),
        tuple(f"r{rater}" for rater in range(setting.raters)),
        ("accept", "reject"),
    )


def second_reader(codes: Codes, seed: int) -> Estimate:
    counts = codes.counted()
    accepts, rejects = (
        counts.counts.T if counts.counts.shape[1] == 2 else (counts.counts[:, 0], 0 * counts.counts[:, 0])
    )
    return rates.second_reader_rejects(accepts, rejects, clusters=codes.clusters if codes.clustered else None)


def specific(codes: Codes, seed: int) -> Estimate:
    found = kappas.specific_agreement(codes.counted())
    return found.get("reject", Estimate(None, None, None, "", 0, "never-given"))


def pair(codes: Codes, seed: int) -> Estimate:
    return (cohen.cohen_kappas(codes) or [])[0].kappa


MEASURES: dict[str, Callable[[Codes, int], Estimate]] = {
    "observed": lambda codes, seed: agreement.observed_agreement(codes.counted(), seed=seed),
    "alpha": lambda codes, seed: agreement.krippendorff_alpha(codes.counted(), seed=seed),
    "Fleiss": lambda codes, seed: kappas.fleiss_kappa(codes.counted(), seed=seed),
    "AC1": lambda codes, seed: kappas.gwet_ac(codes.counted(), seed=seed),
    "B–P": lambda codes, seed: kappas.brennan_prediger(codes.counted(), seed=seed),
    "Cohen": pair,
    "on reject": specific,
    "second reader": second_reader,
    "gap": lambda codes, seed: reviewers.gaps_to_peers(codes, "accept")[0].gap,
    "Δ alpha": lambda codes, seed: reviewers.leave_one_out(codes, seed=seed)[0],
}


@dataclass(frozen=True)
class Cover:
    """Of `runs` simulations, how many gave an interval, and how many of those held the truth."""

    runs: int
    given: int
    held: int

    @property
    def share(self) -> float | None:
        return self.held / self.given if self.given else None


def covers(setting: Setting, runs: int, seed: int, measures: list[str] | None = None) -> dict[str, Cover]:
    """The cover of each measure in one setting."""
    generator = np.random.default_rng(seed)
    large = made(Setting(LARGE, setting.traces, setting.raters, setting.missing, setting.rejects), generator)
    chosen = {name: MEASURES[name] for name in measures or MEASURES}
    if setting.raters < 3:
        chosen.pop("Δ alpha", None)  # without one of two nobody is left to agree
    truth = {name: measure(large, 1).value for name, measure in chosen.items()}
    given, held = dict.fromkeys(chosen, 0), dict.fromkeys(chosen, 0)
    for run in range(runs):
        codes = made(setting, generator)
        for name, measure in chosen.items():
            found, true = measure(codes, run), truth[name]
            if found.low is not None and found.high is not None and true is not None:
                given[name] += 1
                held[name] += found.low <= true <= found.high
    return {name: Cover(runs, given[name], held[name]) for name in chosen}


def table(runs: int, seed: int) -> str:
    """The table of docs/agreement.md. A figure in brackets is of the runs that gave an interval, where some did not."""
    lines = [f"| prompts × traces | {' | '.join(MEASURES)} |", "| --- |" + " ---: |" * len(MEASURES)]
    for number, setting in enumerate(SETTINGS):
        found = covers(setting, runs, seed + number)
        lines.append(f"| {setting} | {' | '.join(_cell(found.get(name)) for name in MEASURES)} |")
    error = 1.96 * (LEVEL * (1 - LEVEL) / runs) ** 0.5
    return (
        f"{runs:,} simulations a row, seed {seed}. Of 100 intervals, how many held the truth; {LEVEL:.0%} is claimed, "
        f"and {100 * error:.1f} more or fewer is the simulation's own chance. In brackets: how many simulations of "
        f"100 had an interval at all, where fewer than 99.\n\n" + "\n".join(lines) + "\n"
    )


def _cell(cover: Cover | None) -> str:
    if cover is None:
        return "—"
    if cover.share is None:
        return "none"
    some = cover.given / cover.runs
    return f"{100 * cover.share:.1f}" + ("" if some >= 0.99 else f" ({100 * some:.0f})")


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.bench.agreement_coverage")
    asked.add_argument("--runs", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=20_261_125)
    asked.add_argument("--out", type=Path, help="the page, written between its marks")
    options = asked.parse_args()
    put(table(options.runs, options.seed), "coverage", options.out)


if __name__ == "__main__":
    main()

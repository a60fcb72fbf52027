"""How often each upper figure of pressure holds the truth, where the truth is known. For docs/pressure.md.

python -m tests.bench.pressure_coverage --bounds; python -m tests.bench.pressure_coverage --runs 300 --slow-runs 30

Prompts' Z are drawn from a shape; the truth is that of the shape, not of the prompts drawn.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reviews.measures.exported import as_exported, capped_split
from reviews.measures.finite import within_prompts
from reviews.measures.outcomes import given_outcome
from reviews.measures.pressure import total_pressure

LARGE = 400_000
Draw = Callable[[np.random.Generator, int], np.ndarray]

SHAPES: dict[str, Draw] = {
    "Beta(1, 9)": lambda g, n: g.beta(1, 9, n),
    "Beta(2, 2)": lambda g, n: g.beta(2, 2, n),
    "Beta(.3, .7)": lambda g, n: g.beta(0.3, 0.7, n),
    "20 % at .5, 80 % at .02": lambda g, n: np.where(g.random(n) < 0.2, 0.5, 0.02),
    "95 % at 1, 5 % at 0": lambda g, n: (g.random(n) < 0.95).astype(float),
    "all at .97": lambda g, n: np.full(n, 0.97),
    "Beta(2, 2), 30 % unsure": lambda g, n: 0.7 * g.beta(2, 2, n),
}
NAMES = ("total_upper", "selecting_upper", "within")


@dataclass(frozen=True)
class Setting:
    """Prompts with K samples each; uneven: half of them have 2 K, whatever their Z."""

    shape: str
    prompts: int
    samples: int
    uneven: bool = False


def drawn(setting: Setting, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    z = SHAPES[setting.shape](generator, setting.prompts)
    n = np.full(setting.prompts, setting.samples)
    if setting.uneven:
        n = n * generator.integers(1, 3, setting.prompts)
    return generator.binomial(n, z), n


def truths(setting: Setting) -> dict[str, float]:
    z = SHAPES[setting.shape](np.random.default_rng(1), LARGE)
    sizes = (setting.samples, 2 * setting.samples) if setting.uneven else (setting.samples,)
    hard = sum(float(n * (z - z**n).mean()) for n in sizes) / sum(float(n * (1 - z**n).mean()) for n in sizes)
    some = z[z > 0]
    return {
        "total_upper": -np.log(z.mean()),
        "selecting_upper": -np.log(hard) if hard > 1e-12 else np.inf,
        "within": float((some * -np.log(some)).sum() / some.sum()),
    }


def cover(setting: Setting, runs: int, seed: int = 5, slow: int = 10) -> dict[str, tuple[float, int]]:
    """Of the runs where the figure exists, the share in which it is not below the truth, and how many exist."""
    generator, truth = np.random.default_rng(seed), truths(setting)
    held: dict[str, list[bool]] = {name: [] for name in truth}
    for run in range(runs):
        k, n = drawn(setting, generator)
        found = total_pressure(k, n)
        values = {"total_upper": found.total_upper, "selecting_upper": found.selecting_upper}
        if slow and run < runs // slow + 1:  # the fit is slow
            values["within"] = within_prompts(k, n).value
        for name, value in values.items():
            if value is not None:
                held[name].append(value >= truth[name] - 1e-12)
    return {name: (float(np.mean(of)) if of else float("nan"), len(of)) for name, of in held.items()}


def cover_exported(setting: Setting, cap: int, runs: int, seed: int = 6) -> float:
    """Of `exported_upper`, the share at or above the pressure of a cap of that shape."""
    z = SHAPES[setting.shape](np.random.default_rng(1), 20_000)
    counts = np.random.default_rng(2).binomial(setting.samples, z[:, None], (len(z), 40))
    w = np.minimum(counts, cap).mean(axis=1)
    out = w > 0
    truth = capped_split(w[out], np.full(out.sum(), 1e9), np.full(out.sum(), 1e9)).total
    truth += float(np.log(len(z) / out.sum()) + w[out] @ -np.log(z[out]) / w.sum())
    generator, held = np.random.default_rng(seed), []
    for _ in range(runs):
        k, n = drawn(setting, generator)
        found = as_exported(np.minimum(k, cap), k, n, replicates=100)
        if found.upper is not None:
            held.append(found.upper >= truth)
    return float(np.mean(held))


def cover_cot(prompts: int, samples: int, runs: int, seed: int = 7) -> float:
    """Of `cot_upper`: right answers, half of all, are accepted with Beta(2, 2), wrong ones never."""
    z = np.random.default_rng(1).beta(2, 2, LARGE)
    truth = float((z * -np.log(z)).sum() / z.sum())
    generator, held = np.random.default_rng(seed), []
    for _ in range(runs):
        right = np.maximum(generator.binomial(samples, 0.5, prompts), 1)
        k = generator.binomial(right, generator.beta(2, 2, prompts))
        upper = given_outcome(k, right, np.arange(prompts)).cot_upper
        if upper is not None:
            held.append(upper >= truth)
    return float(np.mean(held))


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument(
        "--bounds", action="store_true", help="only the clustered bounds, 4,000 runs, one decimal"
    )
    parser.add_argument("--slow-runs", type=int, default=40)
    chosen = parser.parse_args()
    if chosen.bounds:
        for shape in SHAPES:
            for prompts in (20, 30, 60, 100, 300):
                found = cover(Setting(shape, prompts, 8), 4000, seed=11, slow=0)
                cells = (f"{100 * found[name][0]:.1f}" if found[name][1] else "–" for name in NAMES[:2])
                say(f"| {shape} | {prompts} | {' | '.join(cells)} |")
        return
    say("| shape of Z | prompts | K | " + " | ".join(f"`{name}`" for name in NAMES) + " |")
    say("| --- | --- | --- | --- | --- | --- |")
    settings = [Setting(shape, n, 8) for shape in SHAPES for n in (8, 15, 30, 100, 300)]
    settings += [
        Setting("Beta(1, 9)", 100, 4),
        Setting("Beta(1, 9)", 100, 32),
        Setting("Beta(1, 9)", 100, 4, True),
    ]
    for setting in settings:
        found = cover(setting, chosen.runs)
        cells = [f"{100 * found[name][0]:.0f}" if found[name][1] else "–" for name in NAMES]
        k = f"{setting.samples} or {2 * setting.samples}" if setting.uneven else f"{setting.samples}"
        say(f"| {setting.shape} | {setting.prompts} | {k} | {' | '.join(cells)} |")
    for n, k in ((30, 16), (100, 16), (100, 32)):
        say(f"cot_upper, {n} prompts, K = {k}: {100 * cover_cot(n, k, chosen.slow_runs * 5):.0f}", flush=True)
    for shape in ("Beta(1, 9)", "Beta(2, 2)", "20 % at .5, 80 % at .02"):
        held = cover_exported(Setting(shape, 60, 8), 1, chosen.slow_runs)
        say(f"exported_upper, {shape}, 60 prompts, K = 8, cap 1: {100 * held:.0f}")


if __name__ == "__main__":
    main()

"""How often each upper or lower figure of pressure holds the truth, where the truth is known. For docs/pressure.md.

python -m tests.bench.pressure_coverage --out docs/pressure.md, or make bench-pressure. `--scale .1` is the short form.

Prompts are drawn from a law; the truth is that of the law, not of the prompts drawn.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reviews.measures import confounding, looks
from reviews.measures.exported import as_exported, capped_split
from reviews.measures.finite import within_prompts
from reviews.measures.flips import flips
from reviews.measures.outcomes import given_outcome
from reviews.measures.pressure import total_pressure
from reviews.measures.purposes import purposes
from tests.bench.agreement_pages import put

LARGE = 400_000
FEW, MANY = 8, 300  # samples a prompt where they differ between prompts, log-uniform
Draw = Callable[[np.random.Generator, int], np.ndarray]

SHAPES: dict[str, Draw] = {
    "Beta(1, 9)": lambda g, n: g.beta(1, 9, n),
    "Beta(2, 2)": lambda g, n: g.beta(2, 2, n),
    "Beta(2, 2), 30 % unsure": lambda g, n: 0.7 * g.beta(2, 2, n),
    "Beta(.3, .7)": lambda g, n: g.beta(0.3, 0.7, n),
    "20 % at .5, 80 % at .02": lambda g, n: np.where(g.random(n) < 0.2, 0.5, 0.02),
    "all at .97": lambda g, n: np.full(n, 0.97),
    "95 % at 1, 5 % at 0": lambda g, n: (g.random(n) < 0.95).astype(float),
    "95 % at .9, 5 % at 0": lambda g, n: np.where(g.random(n) < 0.95, 0.9, 0.0),
    "95 % at .5, 5 % at 0": lambda g, n: np.where(g.random(n) < 0.95, 0.5, 0.0),
}
NAMES = ("total_upper", "selecting_upper")
PROMPTS = (8, 20, 30, 60, 100, 300)
SAMPLES = {"8": (8, 8), "300": (300, 300), "8 to 300": (FEW, MANY)}


@dataclass(frozen=True)
class Setting:
    """Prompts with `samples` each, or where `most` is larger with log-uniformly as many, whatever their Z."""

    shape: str
    prompts: int
    samples: int
    most: int = 0


def sizes(setting: Setting, generator: np.random.Generator, prompts: int) -> np.ndarray:
    if setting.most <= setting.samples:
        return np.full(prompts, setting.samples)
    drawn = generator.uniform(np.log(setting.samples), np.log(setting.most + 1), prompts)
    return np.exp(drawn).astype(np.int64)


def drawn(setting: Setting, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    z, n = SHAPES[setting.shape](generator, setting.prompts), sizes(setting, generator, setting.prompts)
    return generator.binomial(n, z), n


def truths(setting: Setting) -> dict[str, float]:
    generator = np.random.default_rng(1)
    z, n = SHAPES[setting.shape](generator, LARGE), sizes(setting, generator, LARGE)
    hard = float((n * (z - z**n)).sum()) / max(1e-300, float((n * (1 - z**n)).sum()))
    some = z[z > 0]
    return {
        "total_upper": -np.log(z.mean()),
        "selecting_upper": -np.log(hard) if hard > 1e-12 else np.inf,
        "within": float((some * -np.log(some)).sum() / some.sum()),
    }


def cover(
    setting: Setting, runs: int, seed: int = 5, slow: int = 0, called: bool = False
) -> dict[str, tuple[float, int]]:
    """Of the runs where the figure exists, the share in which it is not below the truth, and how many exist.

    called: only those where it is called a bound. slow: how many of the runs also look at `within`, whose fit takes a hundred times as long.
    """
    generator, truth = np.random.default_rng(seed), truths(setting)
    held: dict[str, list[bool]] = {name: [] for name in truth}
    for run in range(runs):
        k, n = drawn(setting, generator)
        found = total_pressure(k, n)
        values = {"total_upper": found.total_upper, "selecting_upper": found.selecting_upper}
        if called:
            named = {"total_upper": found.total_standing, "selecting_upper": found.selecting_standing}
            values = {name: value for name, value in values.items() if named[name] == "bound"}
        if run < slow:
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


# How often a trace of a prompt passes alignment, and form: two columns of shape (prompts,).
CLAUSES: dict[str, Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]] = {
    "form Beta(9, 1), apart": lambda g, n: (g.beta(2, 2, n), g.beta(9, 1, n)),
    "form Beta(9, 1), with it": lambda g, n: ((z := g.beta(2, 2, n)), np.clip(z + 0.4, 0, 1)),
    "form fails 2 in 100": lambda g, n: (g.beta(2, 2, n), np.full(n, 0.98)),
    "form fails 5 % of prompts": lambda g, n: (g.beta(2, 2, n), np.where(g.random(n) < 0.95, 0.98, 0.0)),
}


def cover_form(law: str, prompts: int, judged: int, share: float, runs: int, seed: int = 8) -> float:
    """Of `form_upper`, the share at or above the larger of both orders' truth; share: of `judged` that is drawn."""
    a, f = CLAUSES[law](np.random.default_rng(1), LARGE)
    truth = max(-np.log(f.mean()), -np.log((a * f).mean() / a.mean()))
    generator, held = np.random.default_rng(seed), []
    for _ in range(runs):
        aligned, formed = CLAUSES[law](generator, prompts)
        n = generator.binomial(judged, share, prompts)
        alignment = generator.binomial(n, aligned)
        both = generator.binomial(alignment, formed)
        form = both + generator.binomial(n - alignment, formed)
        upper = purposes(n, alignment, form, both).form_upper
        if upper is not None:
            held.append(upper >= truth)
    return float(np.mean(held))


# How often the chain of a prompt turns an answer that was accepted alone.
TURNS: dict[str, Draw] = {
    "Beta(1, 9)": lambda g, n: g.beta(1, 9, n),
    "Beta(2, 2)": lambda g, n: g.beta(2, 2, n),
    "all at .03": lambda g, n: np.full(n, 0.03),
    "95 % at .02, 5 % at 1": lambda g, n: np.where(g.random(n) < 0.95, 0.02, 1.0),
}


def cover_flips(law: str, prompts: int, answers: int, share: float, runs: int, seed: int = 9) -> float:
    """Of the flips' upper share, the share at or above the truth; `share` of the answers is drawn and accepted."""
    truth = float(TURNS[law](np.random.default_rng(1), LARGE).mean())
    generator, held = np.random.default_rng(seed), []
    none = np.zeros(prompts, dtype=np.int64)
    for _ in range(runs):
        n = generator.binomial(answers, share, prompts)
        turned = generator.binomial(n, TURNS[law](generator, prompts))
        upper = flips(n, turned, none, none).share_upper
        if upper is not None:
            held.append(upper >= truth - 1e-12)
    return float(np.mean(held))


DOUBLES, FEATURES = 8, 6  # of a prompt; of a trace's style


@dataclass(frozen=True)
class Doubles:
    style: np.ndarray
    theirs: np.ndarray
    accepted: np.ndarray
    prompts: np.ndarray


def doubled(driver: str, prompts: int, generator: np.random.Generator) -> Doubles:
    """Two raters of eight traces a prompt. style: it drives both. content: what style cannot see does. mixed: half each."""
    rows = prompts * DOUBLES
    style, hidden = generator.normal(size=(rows, FEATURES)), generator.normal(size=rows)
    share = {"style": 1.0, "content": 0.0, "mixed": 0.5}[driver]
    ease = np.repeat(generator.normal(0, 0.7, prompts), DOUBLES)
    cause = share * style[:, 0] + (1 - share) * hidden - ease
    ours, theirs = (cause + generator.normal(0, 0.7, rows) > 0 for _ in range(2))
    return Doubles(style, theirs, ~ours, np.repeat(np.arange(prompts), DOUBLES))


CONFOUNDERS: dict[str, Callable[[Doubles], confounding.Beaten]] = {
    "one feature alone": lambda of: confounding.within_auc(of.style[:, 0], ~of.accepted, of.prompts),
    "style tells a clause": lambda of: confounding.predicted_auc(of.style, of.theirs, of.prompts),
    "style beyond the other's clauses": lambda of: confounding.style_beyond_clauses(
        of.style, of.theirs[:, None].astype(np.float64), of.accepted, of.prompts
    ),
}


def cover_confounder(name: str, driver: str, prompts: int, runs: int, seed: int = 10) -> float:
    """Of a lower figure, the share at or below the truth, which is the same figure of 3,000 prompts."""
    truth = CONFOUNDERS[name](doubled(driver, 3000, np.random.default_rng(1))).value
    if driver == "content":  # known, and no fit on finitely many prompts finds it exactly
        truth = 0.0 if name.startswith("style beyond") else 0.5
    generator, held = np.random.default_rng(seed), []
    for _ in range(runs):
        lower = CONFOUNDERS[name](doubled(driver, prompts, generator)).lower
        if lower is not None and truth is not None:
            held.append(lower <= truth + 1e-12)
    return float(np.mean(held))


DOMAINS = 12


def upper_of(k: np.ndarray, n: np.ndarray, level: float) -> float:
    found = total_pressure(k, n, level=level).total_upper
    return np.inf if found is None else found


def after_looks(
    how: str, each: int, level: float, runs: int, shape: str = "Beta(2, 2)", seed: int = 11
) -> float:
    """The share of runs in which the bound of what goes out is below the truth, the same for twelve equal domains.

    each: prompts a domain. how: "worse half dropped", by the verdicts; "N random halves" of the prompts, "N declared
    halves" of the domains, of which the one with the lowest bound goes out; "N rounds", the best of which goes out.
    """
    truth = -np.log(SHAPES[shape](np.random.default_rng(1), LARGE).mean())
    generator, missed = np.random.default_rng(seed), 0
    chosen = np.random.default_rng(12)
    declared = [np.argsort(chosen.random(DOMAINS))[: DOMAINS // 2] for _ in range(64)]
    for _ in range(runs):
        many = int(how.split()[0]) if how[0].isdigit() else 1
        k = generator.binomial(8, SHAPES[shape](generator, DOMAINS * each)).reshape(DOMAINS, each)
        if how == "worse half dropped":
            tries = [k[np.argsort(k.sum(axis=1))[DOMAINS // 2 :]].ravel()]
        elif how.endswith("random halves"):
            tries = [generator.permutation(k.ravel())[: k.size // 2] for _ in range(many)]
        elif how.endswith("declared halves"):
            tries = [k[places].ravel() for places in declared[:many]]
        else:
            tries = [generator.binomial(8, SHAPES[shape](generator, k.size)) for _ in range(many)]
        missed += min(upper_of(one, np.full(len(one), 8), level) for one in tries) < truth
    return missed / runs


def share(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.1f}"


def bounds(runs: int) -> Iterator[str]:
    """`total_upper` / `selecting_upper`: a row a shape and K, a column a number of prompts."""
    yield "| shape of Z | K | " + " | ".join(f"{n} prompts" for n in PROMPTS) + " |"
    yield "| --- | --- |" + " ---: |" * len(PROMPTS)
    for shape in SHAPES:
        for name, (least, most) in SAMPLES.items():
            cells = []
            for n in PROMPTS:
                cells.append(_cell(Setting(shape, n, least, most), runs))
            yield f"| {shape} | {name} | {' | '.join(cells)} |"


def _cell(setting: Setting, runs: int) -> str:
    """Of a hundred, how many held; in brackets how many were called a bound; where hardly any was, all in italics."""
    words = []
    every = cover(setting, runs, seed=11)
    called = cover(setting, runs, seed=11, called=True)
    for name in NAMES:
        (held, given), (all_held, exist) = called[name], every[name]
        if not np.isfinite(truths(setting)[name]) or exist < runs / 50:
            words.append("–")
        elif given < runs / 50:
            words.append(f"*{share(all_held)}*")
        else:
            words.append(share(held) + (f" ({100 * given / runs:.0f})" if given < 0.99 * runs else ""))
    return " / ".join(words)


def others(runs: int) -> Iterator[str]:
    """The bounds of other rates."""
    columns = (20, 30, 60, 100, 300)
    yield "| figure | law | a prompt | " + " | ".join(f"{n} prompts" for n in columns) + " |"
    yield "| --- | --- | --- |" + " ---: |" * len(columns)
    for law in CLAUSES:
        for judged, drawn_share, words in ((8, 1.0, "8 judged"), (16, 0.1, "1 in 10 of 16")):
            cells = [share(cover_form(law, n, judged, drawn_share, runs)) for n in columns]
            yield f"| `form_upper` | {law} | {words} | {' | '.join(cells)} |"
    for law in TURNS:
        for answers, drawn_share, words in (
            (8, 1.0, "8 answers"),
            (16, 0.075, "15 in 100 of 16, half accepted"),
        ):
            cells = [share(cover_flips(law, n, answers, drawn_share, runs)) for n in columns]
            yield f"| flips, `share_upper` | turned {law} | {words} | {' | '.join(cells)} |"


def confounders(runs: int) -> Iterator[str]:
    columns = (30, 60, 100)
    yield (
        "| lower figure, 8 doubles a prompt | what drives verdicts | "
        + " | ".join(f"{n} prompts" for n in columns)
        + " |"
    )
    yield "| --- | --- |" + " ---: |" * len(columns)
    for name in CONFOUNDERS:
        for driver in ("content", "mixed"):
            cells = [share(cover_confounder(name, driver, n, runs)) for n in columns]
            yield f"| {name} | {driver} | {' | '.join(cells)} |"


def looked(runs: int) -> Iterator[str]:
    yield "| what goes out, of 12 equal domains | prompts a domain | missed at .05 | missed at .05 / looks |"
    yield "| --- | ---: | ---: | ---: |"
    for how in (
        "worse half dropped",
        "5 random halves",
        "10 random halves",
        "5 declared halves",
        "10 declared halves",
        "5 rounds",
        "10 rounds",
    ):
        for each in (5, 25):
            once = after_looks(how, each, 0.95, runs)
            widened = "not a look that may be declared"
            if how[0].isdigit():
                widened = share(after_looks(how, each, looks.level(int(how.split()[0])), runs))
            yield f"| {how} | {each} | {share(once)} | {widened} |"


def estimates(runs: int) -> Iterator[str]:
    """What is not called a bound."""
    yield "| figure | setting | held |"
    yield "| --- | --- | ---: |"
    for shape in ("Beta(1, 9)", "Beta(2, 2)", "Beta(.3, .7)", "20 % at .5, 80 % at .02"):
        for n in (30, 100):
            found = cover(Setting(shape, n, 8), runs, slow=runs)
            yield f"| `within` | {shape}, {n} prompts, K = 8 | {share(found['within'][0])} |"
    for n, k in ((30, 16), (100, 16), (100, 32)):
        yield f"| `cot_upper` | {n} prompts, K = {k} | {share(cover_cot(n, k, 2 * runs))} |"
    for shape in ("Beta(1, 9)", "Beta(2, 2)", "20 % at .5, 80 % at .02"):
        held = cover_exported(Setting(shape, 60, 8), 1, runs)
        yield f"| `exported_upper`, one trace a prompt | {shape}, 60 prompts, K = 8 | {share(held)} |"


def written(scale: float) -> str:
    def error(runs: int) -> str:
        return f"{196 * (0.05 * 0.95 / runs) ** 0.5:.1f}"

    tables: list[tuple[str, Callable[[int], Iterator[str]], int]] = [
        (
            "`total_upper` / `selecting_upper`. Held, of 100 runs; of those called a bound, in brackets how many of 100 were; "
            "in italics, where fewer than 2 were, of all;",
            bounds,
            2000,
        ),
        ("Bounds of other rates. Held, of 100 runs;", others, 2000),
        ("Lower figures of confounders. Held, of 100 runs;", confounders, 100),
        ("After looks. **Missed**, of 100 runs; 5 are claimed;", looked, 2000),
        ("What is not a bound. At or above the truth, of 100 runs;", estimates, 100),
    ]
    parts = []
    for words, table, full in tables:
        runs = max(10, round(full * scale))
        parts.append(f"{words} {runs:,} runs a cell, ±{error(runs)} by chance.\n\n" + "\n".join(table(runs)))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.bench.pressure_coverage")
    asked.add_argument("--scale", type=float, default=1.0, help="of the runs in each cell")
    asked.add_argument("--out", type=Path, help="the page, written between its marks")
    options = asked.parse_args()
    put(written(options.scale), "coverage", options.out)


if __name__ == "__main__":
    main()

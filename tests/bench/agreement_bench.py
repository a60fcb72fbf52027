"""The same ratings through Winnow's measures and through krippendorff, irrCAC, crowd-kit and statsmodels, in one run.

python -m tests.bench.agreement_bench --items 10000,1000000 --out docs/agreement.md

The other libraries are tools of this script and of tests, never dependencies: krippendorff is GPL-3, and irrCAC
pins scipy 1.12. Each is installed by pip into an environment under WINNOW_BENCH_CACHE and runs in a process of its
own, one after another, so that the peak of one is not that of another. What cannot be installed is told in words.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("WINNOW_BENCH_CACHE", "/tmp/winnow-bench"))
ENVIRONMENTS = {
    "ag": ["krippendorff==0.9.0", "statsmodels", "scikit-learn", "crowd-kit==1.4.2"],
    "ag-irr": ["irrCAC==0.4.4", "coverage"],
}
LABELS, MISSING, RATERS, STEPS = (2, 5), 0.4, 3, 20
Jobs = dict[str, Callable[[dict[str, Any]], Any]]


def made(items: int, labels: int, path: Path) -> None:
    """Three raters who see the truth seven times in ten, 40 % of their ratings missing; -1 is missing."""
    generator = np.random.default_rng(7)
    truth = generator.integers(0, labels, items)
    seen = generator.random((items, RATERS)) < 0.7
    said = np.where(seen, truth[:, None], generator.integers(0, labels, (items, RATERS)))
    said[generator.random(said.shape) < MISSING] = -1
    np.savez(path, said=said.astype(np.int8), labels=labels)


def winnow(data: dict[str, Any]) -> Jobs:
    sys.path.insert(0, str(ROOT))
    from reviews.measures import agreement, cohen, dawid_skene, kappas
    from reviews.measures.ratings import Codes

    said = data["said"]
    item, rater = np.nonzero(said >= 0)
    names, label = [f"t{number:07}" for number in range(len(said))], said[item, rater]
    rows = (
        [names[number] for number in item.tolist()],
        ["abc"[number] for number in rater.tolist()],
        [str(number) for number in label.tolist()],
    )
    kept: dict[str, Any] = {}

    def count() -> int:
        kept["codes"] = Codes.from_rows(*rows)
        kept["ratings"] = kept["codes"].counted()
        return int(kept["ratings"].ratings)

    def fitted() -> dict[str, Any]:
        model = dawid_skene.fit(kept["codes"])
        assert model is not None
        return {"value": model.log_likelihood, "steps": len(model.history), "items": int(model.used.sum())}

    return {
        "rows to counts": lambda _: count(),
        "alpha": lambda _: agreement.krippendorff_alpha(kept["ratings"], seed=1).value,
        "alpha, ordinal": lambda _: (
            agreement.krippendorff_alpha(kept["ratings"], scale="ordinal", seed=1).value
        ),
        "Fleiss' kappa": lambda _: kappas.fleiss_kappa(kept["ratings"], seed=1).value,
        "AC1": lambda _: kappas.gwet_ac(kept["ratings"], seed=1).value,
        "Cohen's kappa, three pairs": lambda _: (cohen.cohen_kappas(kept["codes"]) or [])[0].kappa.value,
        "Dawid–Skene": lambda _: fitted(),
    }


def krippendorff(data: dict[str, Any]) -> Jobs:
    import krippendorff as library

    said = np.where(data["said"] < 0, np.nan, data["said"]).T
    domain = list(range(int(data["labels"])))

    def alpha(level: str) -> float:
        return float(library.alpha(reliability_data=said, level_of_measurement=level, value_domain=domain))

    return {"alpha": lambda _: alpha("nominal"), "alpha, ordinal": lambda _: alpha("ordinal")}


def irrcac(data: dict[str, Any]) -> Jobs:
    import pandas
    from irrCAC.raw import CAC

    table = pandas.DataFrame(np.where(data["said"] < 0, np.nan, data["said"]))

    def value(name: str) -> float:
        return float(getattr(CAC(table), name)()["est"]["coefficient_value"])

    return {
        "alpha": lambda _: value("krippendorff"),
        "Fleiss' kappa": lambda _: value("fleiss"),
        "AC1": lambda _: value("gwet"),
    }


def statsmodels(data: dict[str, Any]) -> Jobs:
    from statsmodels.stats.inter_rater import cohens_kappa, to_table

    def kappa() -> float:
        found = []
        for one, other in ((0, 1), (0, 2), (1, 2)):
            both = data["said"][:, [one, other]]
            table, _ = to_table(both[(both >= 0).all(axis=1)], bins=int(data["labels"]))
            found.append(float(cohens_kappa(table).kappa))
        return found[0]

    return {"Cohen's kappa, three pairs": lambda _: kappa()}


def crowd_kit(data: dict[str, Any]) -> Jobs:
    import pandas
    from crowdkit.aggregation import DawidSkene

    said = data["said"]
    said = np.where(
        (said >= 0).sum(axis=1, keepdims=True) == RATERS, said, -1
    )  # the items that Winnow's fit uses
    item, rater = np.nonzero(said >= 0)
    table = pandas.DataFrame({"task": item, "worker": rater, "label": said[item, rater]})

    def fitted() -> dict[str, Any]:
        model = DawidSkene(n_iter=STEPS, tol=0).fit(table)
        return {"value": None, "steps": len(model.loss_history_), "items": int(table.task.nunique())}

    return {"Dawid–Skene": lambda _: fitted()}


TOOLS = {
    "Winnow": (winnow, None),
    "krippendorff": (krippendorff, "ag"),
    "irrCAC": (irrcac, "ag-irr"),
    "statsmodels": (statsmodels, "ag"),
    "crowd-kit": (crowd_kit, "ag"),
}


def inside(tool: str, path: str) -> None:
    """In a tool's own process: each job once, timed; prints JSON."""
    data = dict(np.load(path))
    jobs = TOOLS[tool][0](data)
    found: dict[str, Any] = {"before_mib": _peak(), "jobs": {}}
    for name, job in jobs.items():
        begun = time.perf_counter()
        try:
            value = job(data)
        except Exception as problem:
            found["jobs"][name] = {"error": f"{type(problem).__name__}: {problem}"[:200]}
            continue
        found["jobs"][name] = {"seconds": time.perf_counter() - begun, "value": value, "peak_mib": _peak()}
    sys.stdout.write(json.dumps(found))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def python_of(environment: str | None) -> Path | None:
    """The Python of an environment, installed where it is not there yet; None where that fails."""
    if environment is None:
        return Path(sys.executable)
    place = CACHE / environment
    python = place / "bin/python"
    if not (place / ".installed").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, *ENVIRONMENTS[environment]], capture_output=True, text=True)
        if done.returncode:
            sys.stderr.write(f"{environment} cannot be installed: {done.stderr[-300:]}\n")
            return None
        (place / ".installed").touch()
    return python


def measured(items: int, labels: int) -> dict[str, Any]:
    """Every tool on one table of ratings."""
    found: dict[str, Any] = {}
    one_core = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with tempfile.TemporaryDirectory(prefix="winnow-agreement-") as folder:
        path = Path(folder) / "ratings.npz"
        made(items, labels, path)
        for tool, (_, environment) in TOOLS.items():
            if (python := python_of(environment)) is None:
                continue
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {items:,} items, {labels} labels: {tool}\n")
            # -P: this folder has modules named like Python's own.
            command = [str(python), "-P", str(Path(__file__)), "--inside", tool, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, env=one_core)
            found[tool] = json.loads(done.stdout) if done.returncode == 0 else {"failed": done.stderr[-300:]}
    return found


def table(sizes: list[int]) -> str:
    """The table of docs/agreement.md."""
    lines = [
        "| items | labels | work | tool | seconds | MiB more than before | value |",
        "| ---: | ---: | --- | --- | ---: | ---: | ---: |",
    ]
    for items in sizes:
        for labels in LABELS:
            found = measured(items, labels)
            works = {work: None for tool in found.values() for work in tool.get("jobs", {})}
            for work in works:
                for tool, of in found.items():
                    if job := of.get("jobs", {}).get(work):
                        lines.append(_line(items, labels, work, tool, job, of["before_mib"]))
            for tool, of in found.items():
                if "failed" in of:
                    lines.append(
                        f"| {items:,} | {labels} | – | {tool} | failed | | {of['failed'].splitlines()[-1]} |"
                    )
    return "\n".join(lines) + "\n"


def _line(items: int, labels: int, work: str, tool: str, job: dict[str, Any], before: int) -> str:
    if "error" in job:
        return f"| {items:,} | {labels} | {work} | {tool} | failed | | {job['error']} |"
    value = job["value"]
    if isinstance(value, dict):
        shown = f"{value['steps']} steps" + ("" if value["value"] is None else f", {value['value']:,.4f}")
    else:
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.6f}"
    more = max(0, job["peak_mib"] - before)
    return f"| {items:,} | {labels} | {work} | {tool} | {job['seconds']:.3f} | {more} | {shown} |"


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.bench.agreement_bench")
    asked.add_argument(
        "--items", default="10000,1000000", help="sizes of the table, with commas between them"
    )
    asked.add_argument("--out", type=Path, help="the page, written between its marks")
    asked.add_argument("--inside", nargs=2, metavar=("TOOL", "FILE"), help=argparse.SUPPRESS)
    options = asked.parse_args()
    if options.inside:
        inside(*options.inside)
        return
    from tests.bench.agreement_pages import put

    put(table([int(size) for size in options.items.split(",")]), "bench", options.out)


if __name__ == "__main__":
    main()

"""How long a draft takes to be looked at: the first look, another configuration, the same again; at two sizes.

Each size has a data folder of its own that is thrown away. Run: make bench-drafts.
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
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.agreement_pages import put

SIZES = (10_000, 100_000)
CONFIGURATIONS: list[dict[str, Any]] = [
    {"cap": 2},
    {"cap": 3},
    {"prompts": 0.5},
    {"prompts": 0.25},
    {"mix": 0.2},
    {"cap": 1, "prompts": 0.8},
    {"mix": 0.4, "prompts": 0.9},
]


def inside(traces: int) -> dict[str, Any]:
    """In a process of its own, on a fresh instance: the seconds of each kind of look."""
    import django

    django.setup()
    import numpy as np
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    from reviews.checking import drafts, report
    from reviews.models import Decision, Round
    from tests.bench.seeding import seed

    seed(traces, 2000, 0, False)
    round = Round.objects.select_related("project", "spec_version").get(name="big")
    draw = np.random.default_rng(1)
    prompts = dict(Decision.objects.filter(round=round).values_list("trace", "trace__round_prompt"))
    rates = {
        prompt: float(rate)
        for prompt, rate in zip(sorted(set(prompts.values())), draw.beta(2, 2, len(prompts)), strict=False)
    }
    taken = [trace for trace, prompt in prompts.items() if draw.random() < rates[prompt]]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reviews_decision SET state = 'rejected', readings = 1")
        cursor.executemany(
            "UPDATE reviews_decision SET state = 'accepted' WHERE trace_id = %s", [(pk,) for pk in taken]
        )

    def seconds(**given: Any) -> float:
        begun = time.perf_counter()
        report.of(round, configuration=drafts.read(given))
        return time.perf_counter() - begun

    first, others = seconds(), [seconds(**given) for given in CONFIGURATIONS]
    return {
        "traces": traces,
        "first": first,
        "another": median(others),
        "slowest": max(others),
        "again": median(seconds() for _ in range(3)),
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measured(traces: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"WINNOW_DATA": folder, "DJANGO_SETTINGS_MODULE": "annotator.settings"}
        ran = subprocess.run(
            [sys.executable, "-m", "tests.bench.drafts_bench", "--inside", str(traces)],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| traces | first look, s | another configuration, s (median of 7) | slowest of them, s | the same again, s | most memory, MiB |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        lines.append(
            f"| {row['traces']:,} | {row['first']:.2f} | {row['another']:.2f} | {row['slowest']:.2f} | {row['again']:.2f} | {row['mib']:.0f} |"
        )
    small, large = rows[0], rows[-1]
    lines.append(
        f"\nAnother configuration costs {large['another'] / small['another']:.1f} × as much with "
        f"{large['traces'] / small['traces']:.0f} × the traces.\n"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--inside", type=int)
    asked.add_argument("--out", type=Path)
    said = asked.parse_args()
    if said.inside:
        sys.stdout.write("\n" + json.dumps(inside(said.inside)) + "\n")
    else:
        put(table([measured(size) for size in SIZES]), "drafts", said.out)

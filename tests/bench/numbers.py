"""Percentiles, the disk's own sync, and what machine this is."""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SYNC_BYTES = 4096


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Milliseconds at p50, p95, p99 (nearest rank) and the most, with how many they are of."""
    if not seconds:
        return {"n": 0}
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(1000 * ordered[max(0, math.ceil(share * len(ordered)) - 1)], 2)

    return {"n": len(ordered), "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1)}


def syncs(folder: Path, times: int = 100) -> list[float]:
    """How long this disk takes to append 4 kB to a file and sync it, which no durable verdict can undercut."""
    path, taken = folder / "sync.probe", []
    with path.open("ab", buffering=0) as file:
        for _ in range(times):
            begun = time.perf_counter()
            file.write(b"\0" * SYNC_BYTES)
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - begun)
    path.unlink()
    return taken


def share_of_a_core(seconds: float = 1.0) -> float:
    """How much of a core a busy process gets here and now: 1 on a machine with nothing else to do."""
    begun, worked = time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < seconds:
        sum(range(1000))
    return round((time.process_time() - worked) / (time.perf_counter() - begun), 2)


def machine() -> dict[str, Any]:
    """What the numbers were taken on, in what a reader needs to judge them."""
    import psutil

    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "cores": os.cpu_count(),
        "processor": model,
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load_before": [round(value, 2) for value in os.getloadavg()],
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }

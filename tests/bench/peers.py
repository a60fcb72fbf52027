"""The same work on Label Studio, doccano and Potato, by the scripts of ../shared/bench/peers, in this run.

Each is installed by pip into an environment of its own under WINNOW_BENCH_CACHE. What cannot be installed or run is
told in words and leaves the rest alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.instance import ROOT, stop, wait_for_answer

CACHE = Path(os.environ.get("WINNOW_BENCH_CACHE", "/tmp/winnow-bench"))
SCRIPTS = Path(os.environ.get("WINNOW_PEERS", ROOT.parent / "shared" / "bench" / "peers"))
PACKAGES = {
    "Label Studio": ("ls", ["label-studio==1.23.2"]),
    "doccano": ("dc", ["doccano==1.8.4", "marshmallow<4", "numpy<2", "scipy<1.14", "scikit-learn<1.6"]),
    "Potato": ("po", ["potato-annotation==2.12.1"]),
}
TOKEN = "0123456789abcdef0123456789abcdef01234567"
AT_ONCE, EACH, CYCLES = 8, 12, 100
Say = Callable[[str], None]
Steps = dict[str, dict[str, Any]]


def environment(name: str, say: Say) -> Path:
    """The peer's environment, installed where it is not there yet."""
    short, packages = PACKAGES[name]
    place = CACHE / short
    if not (place / ".installed").exists():
        say(f"installing {name} into {place}")
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        pip = [
            str(place / "bin/pip"),
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "requests",
            *packages,
        ]
        subprocess.run(pip, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=1800)
        (place / ".installed").touch()
    return place


def steps_of(place: Path, script: str, *args: Any) -> tuple[Steps, str]:
    """What a script of the peers' folder prints: one object for each step, and the last line, which has the project."""
    done = subprocess.run(
        [str(place / "bin/python"), script, *map(str, args)],
        cwd=CACHE,
        capture_output=True,
        text=True,
        timeout=900,
    )
    if done.returncode:
        raise RuntimeError(f"{script}: {(done.stdout + done.stderr)[-500:]}")
    lines = done.stdout.splitlines()
    found = [json.loads(line) for line in lines if line.startswith('{"step"')]
    return {row["step"]: row for row in found}, lines[-1]


def started(command: list[str], folder: Path, log: str) -> subprocess.Popen[bytes]:
    with (CACHE / log).open("wb") as file:
        return subprocess.Popen(command, cwd=folder, stdout=file, stderr=file, start_new_session=True)


def label_studio(place: Path) -> Steps:
    for folder in ("lsdata", "lshome"):
        shutil.rmtree(CACHE / folder, ignore_errors=True)
    server = started(["./run_ls.sh"], CACHE, "ls.log")
    try:
        base = "http://127.0.0.1:18081"
        wait_for_answer(18081, "/version", 300)
        # Its own script first on the file once, so that `next` is asked of a queue of one size; then once more, twice.
        found, last = steps_of(place, "bench_ls.py", server.pid, base, TOKEN, "tasks.json", CYCLES)
        more, _ = steps_of(place, "conc_ls.py", base, TOKEN, last.split()[-1], AT_ONCE, EACH)
        again, _ = steps_of(place, "bench_ls.py", server.pid, base, TOKEN, "tasks.json", 5, "--twice")
    finally:
        stop(server)
    return {
        "import": {"seconds": found["import"]["seconds"], "peak_mib": found["import"]["rss_peak_mb"]},
        "the same file again": {
            "seconds": again["import the same file again"]["seconds"],
            "rows": again["import the same file again"]["tasks_now"],
        },
        "next": percentiles(found["next"]["last100"]),
        "submit": percentiles(found["submit"]["last100"]),
        "double submit": {"stored": found["double submit"]["annotations_on_task"]},
        "export": {
            "seconds": found["export JSON all"]["seconds"],
            "peak_mib": found["export JSON all"]["rss_peak_mb"],
            "rows": found["export JSON all"]["rows"],
        },
        "at once": at_once(more[f"{AT_ONCE} reviewers at once"], "submit", "tasks_given_to_two"),
        "idle": {"mib": found["import"]["rss_before_mb"]},
    }


def doccano(place: Path) -> Steps:
    shutil.rmtree(CACHE / "dchome", ignore_errors=True)
    (CACHE / "dchome/doccano").mkdir(parents=True)
    server = started(["./run_doccano.sh"], CACHE, "dc.log")
    try:
        wait_for_answer(18082, "/v1/health/", 300)
        time.sleep(10)  # its worker answers later than its web server
        web, worker = ((CACHE / name).read_text().strip() for name in ("dc_web.pid", "dc_task.pid"))
        args = (web, worker, "http://127.0.0.1:18082", "admin", "benchpass123", "tasks.jsonl")
        found, _ = steps_of(place, "bench_doccano.py", *args, CYCLES)
        again, _ = steps_of(place, "bench_doccano.py", *args, 5, "--twice")
    finally:
        stop(server)
    return {
        "import": {"seconds": found["import"]["seconds"], "peak_mib": found["import"]["rss_peak_mb"]},
        "the same file again": {
            "seconds": again["import the same file again"]["seconds"],
            "rows": again["import the same file again"]["tasks_now"],
        },
        "next": percentiles(found["next (first unconfirmed)"]["last100"]),
        "submit": percentiles(found["submit (label + confirm)"]["last100"]),
        "double submit": {"stored": found["double confirm"]["states"]},
        "export": {
            "seconds": found["export JSONL all"]["seconds"],
            "peak_mib": found["export JSONL all"]["rss_peak_mb"],
        },
        "idle": {"mib": found["import"]["rss_before_mb"]},
    }


def potato(place: Path) -> Steps:
    folder = CACHE / "pot"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    shutil.copyfile(CACHE / "potato.yaml", folder / "config.yaml")
    with (CACHE / "tasks.jsonl").open() as tasks, (folder / "data/items.jsonl").open("w") as items:
        for line in tasks:
            row = json.loads(line)
            items.write(json.dumps({"id": f"i{row['ref']}", "text": row["text"]}) + "\n")
    begun = time.perf_counter()
    command = [str(place / "bin/potato"), "start", "config.yaml", "-p", "18083"]
    server = started(command, folder, "po.log")
    try:
        wait_for_answer(18083, "/", 300)
        start = time.perf_counter() - begun
        found, _ = steps_of(
            place, "bench_potato.py", server.pid, "http://127.0.0.1:18083", CYCLES, AT_ONCE, EACH
        )
    finally:
        stop(server)
    return {
        "import": {"seconds": round(start, 1), "note": "with its start"},
        "next": percentiles(found["next (page)"]["last100"]),
        "submit": percentiles(found["save"]["last100"]),
        "at once": at_once(found[f"{AT_ONCE} annotators at once"], "save", "given_to_two"),
        "idle": {"mib": found["next (page)"]["rss_before_mb"]},
    }


def percentiles(found: dict[str, Any]) -> dict[str, Any]:
    return {"p50": found["p50_ms"], "p95": found["p95_ms"]}


def at_once(found: dict[str, Any], submit: str, twice: str) -> dict[str, Any]:
    return {
        "a_second": found["per_s"],
        "next": percentiles(found["next"]),
        "submit": percentiles(found[submit]) if found[submit] else {},
        "given_to_two": found[twice],
        "errors": sum(found["errors"].values()),
    }


def write_tasks(count: int) -> bool:
    """Copies the scripts beside the environments and writes the tasks; False where the folder is missing."""
    if not (SCRIPTS / "harness.py").is_file():
        return False
    CACHE.mkdir(parents=True, exist_ok=True)
    for script in SCRIPTS.iterdir():
        if script.is_file():
            target = CACHE / script.name
            target.unlink(missing_ok=True)
            shutil.copy(script, target)
            target.chmod(0o755)
    subprocess.run([sys.executable, "gen.py", str(count)], cwd=CACHE, check=True)
    return True


def run_all(say: Say) -> dict[str, Steps | str]:
    """Each peer's steps, or a sentence that says why there are none."""
    found: dict[str, Steps | str] = {}
    for name, run in {"Label Studio": label_studio, "doccano": doccano, "Potato": potato}.items():
        say(f"{name}")
        try:
            found[name] = run(environment(name, say))
        except (OSError, RuntimeError, KeyError, subprocess.SubprocessError) as problem:
            found[name] = f"{type(problem).__name__}: {str(problem)[-300:]}"
            say(f"{name} was not measured: {found[name]}")
    return found

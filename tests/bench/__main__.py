"""`make bench`: measures, prints, and writes the tables of docs/performance.md. See there what is measured.

python -m tests.bench --traces 1000,10000,1000000 --databases sqlite,postgresql --peers --out tables.md
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench import hands, ours, pages, peers, tables
from tests.bench.instance import Instance, create_database, drop_database, postgresql
from tests.bench.numbers import machine, share_of_a_core

READERS = 60
BEGIN, END = "<!-- made by make bench -->", "<!-- until here -->"
PAUSE = 2.0  # a reviewer who reads fast


def say(words: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")


def measure(instance: Instance, database: str, traces: int, browser: Any, reading: bool) -> dict[str, Any]:
    """One database with one size of round."""
    say(f"{database}, {traces:,} traces: seeding")
    instance.python("manage.py", "migrate", "--verbosity", "0")
    options = ["--traces", traces, "--readers", READERS, *(["--reading"] if reading else [])]
    made = instance.made("tests.bench.seeding", *options)
    people = {person["name"]: person for person in made["people"]}
    readers = [person for name, person in people.items() if name.startswith("reader-")]
    round = made["rounds"]["big"]["round"]
    found: dict[str, Any] = {
        "database": database,
        "traces": traces,
        "seconds": made["seconds"],
        "mib": made["mib"],
    }
    found["core_before"] = share_of_a_core()
    few = traces < 10_000  # a small round has not enough slots for more
    calls = 100 if few else 200

    say(f"{database}, {traces:,} traces: next, in one process")
    found["inside"] = {
        who: instance.made(
            "tests.bench.inside", "--round", round, "--token", people[name]["token"], "--calls", calls
        )
        for who, name in (("veteran", "veteran"), ("fresh", "sitting"))
    }
    with instance.serving():
        say(f"{database}, {traces:,} traces: 1, 8 and 50 reviewers")
        hands.together(instance, round, readers[:1], 5, 0.02)
        plan = [(1, calls, 0.02), (8, 12 if few else 20, 0.0), (50, 10 if few else 12, 0.0)]
        plan += [(8, 6, PAUSE), (50, 5, PAUSE)]
        found["hands"] = [
            hands.together(instance, round, readers[:number], cycles, pause) for number, cycles, pause in plan
        ]
        found["desk"] = {
            who: hands.opened(instance, pages.desk(round), people[name])
            for who, name in (("fresh", "sitting"), ("veteran", "veteran"))
        }
        if browser is not None:
            say(f"{database}, {traces:,} traces: keystrokes")
            found["keystrokes"] = pages.keystrokes(browser, instance, round, people["browsing"])
            found["opening"] = {
                name: pages.opening(browser, instance, of["round"], people["browsing"])
                for name, of in made["rounds"].items()
                if name != "big"
            }
    found["core_after"] = share_of_a_core()
    return found


def beside(tasks: int, folder: Path) -> dict[str, Any] | None:
    """The peers and Winnow at the same work, one after another."""
    if not peers.write_tasks(tasks):
        say(
            f"{peers.SCRIPTS} is not there, so nothing was run beside Winnow (WINNOW_PEERS names another folder)"
        )
        return None
    say(f"beside the peers: Winnow with {tasks:,} tasks")
    mine = ours.run(folder / "ours", peers.CACHE / "tasks.jsonl", folder / "serve.log")
    return {"tasks": tasks, "at_once": peers.AT_ONCE, "Winnow": mine, "peers": peers.run_all(say)}


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.bench")
    asked.add_argument("--traces", default="1000,10000", help="sizes of the round, with commas between them")
    asked.add_argument("--databases", default="sqlite,postgresql")
    asked.add_argument("--no-browser", action="store_true")
    asked.add_argument("--peers", action="store_true", help="also Label Studio, doccano and Potato")
    asked.add_argument("--tasks", type=int, default=10_000, help="how many tasks the peers get")
    asked.add_argument(
        "--folder", type=Path, help="where the databases lie meanwhile: the disk that is measured"
    )
    asked.add_argument("--out", type=Path, help="a file for the tables, between its marks where it has them")
    asked.add_argument("--results", type=Path, help="a file for every number, JSON")
    asked.add_argument("--again", type=Path, help="only write the tables again, from such a file")
    options = asked.parse_args()
    found = json.loads(options.again.read_text()) if options.again else measured(options)
    put(tables.all_of(found), options.out)


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that was asked for, measured; kept in the results file as it comes."""
    sizes = [int(size) for size in options.traces.split(",") if size]
    found: dict[str, Any] = {"at": time.strftime("%Y-%m-%d"), "machine": machine(), "runs": []}
    folder = Path(tempfile.mkdtemp(prefix="winnow-bench-", dir=options.folder))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own

    def keep() -> None:
        if options.results:
            options.results.write_text(json.dumps(found, indent=1))

    try:
        with ExitStack() as stack:
            browser = None if options.no_browser or not sizes else stack.enter_context(pages.chromium())
            for database in options.databases.split(",") if sizes else []:
                with ExitStack() as servers:
                    server = servers.enter_context(postgresql(folder)) if database == "postgresql" else None
                    if database == "postgresql" and server is None:
                        say("PostgreSQL's binaries are not there, so it was not measured")
                        continue
                    for size in sizes:
                        name = f"{database}_{size}"
                        url = create_database(server, name) if server else None
                        instance = Instance(folder / name, url)
                        ends = browser if size in (sizes[0], sizes[-1]) else None
                        run = measure(instance, database, size, ends, reading=size == sizes[0])
                        found["runs"].append(run)
                        keep()
                        shutil.rmtree(instance.folder, ignore_errors=True)
                        if server:
                            drop_database(server, name)
        if options.peers and (compared := beside(options.tasks, folder)):
            found["beside"] = compared
        keep()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def put(written: str, file: Path | None) -> None:
    """To standard output, into a file, or between the marks of a page that has other words around them."""
    if file is None:
        sys.stdout.write(written)
        return
    page = file.read_text() if file.exists() else ""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    file.write_text(f"{before}{begin}\n\n{written}\n{end}{after}" if end else written)


if __name__ == "__main__":
    main()

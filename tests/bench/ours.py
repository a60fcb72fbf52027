"""The peers' steps on Winnow as `serve` runs it: broker, worker and web server on SQLite, over the API."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import psutil

from tests.bench.hands import together
from tests.bench.instance import ROOT, Instance
from tests.bench.numbers import spread
from tests.bench.peers import AT_ONCE, CYCLES, EACH, Steps

SET_UP = """
import django, json
django.setup()
from reviews import inviting, planning, publishing
project, _ = planning.create_project("peers")
publishing.publish(project, publishing.STARTER_SPEC, by=None)
round, _ = planning.create_round(project, "r", by=None, overlap=1, double_share=0)
lead = inviting.create_member("lead", project, "lead", by=None)
tokens = []
for number in range(%d):
    user = inviting.create_member(f"reader-{number}", project, "reviewer", by=None)
    tokens.append({"token": inviting.make_token(user, project, "reviewer", by=None)})
print(json.dumps({"round": round.pk, "lead": inviting.make_token(lead, project, "lead", by=None), "people": tokens}))
"""
TYPE = "application/x-ndjson"


class Peak:
    """The most memory that a process and its children hold at once, summed as the peers' harness sums it."""

    def __init__(self, pid: int) -> None:
        self.root, self.most, self.going = psutil.Process(pid), 0, True

    def now(self) -> int:
        total = 0
        for process in [self.root, *self.root.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total >> 20

    def __enter__(self) -> Peak:
        self.begun = time.perf_counter()

        def watch() -> None:
            while self.going:
                self.most = max(self.most, self.now())
                time.sleep(0.1)

        self.thread = threading.Thread(target=watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = round(time.perf_counter() - self.begun, 2)
        self.going = False
        self.thread.join()


class Caller:
    def __init__(self, port: int, token: str) -> None:
        self.token, self.used = token, 0.0
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[float, int, bytes]:
        everything = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | headers
        if time.monotonic() - self.used > 5:
            self.connection.close()  # it opens anew by itself; the server hangs up on who is silent for long
        begun = time.perf_counter()
        self.connection.request(method, f"/api/v1/{path}", body, everything)
        answer = self.connection.getresponse()
        read = answer.read()
        taken, self.used = time.perf_counter() - begun, time.monotonic()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {read[:300]!r}")
        return taken, answer.status, read


def run(folder: Path, tasks: Path, log: Path) -> Steps:
    """Import, the same file again, next, submit, double submit, export and eight reviewers at once."""
    instance = Instance(folder, None)
    instance.log = folder / "logs/web.log"
    instance.python("manage.py", "migrate", "--verbosity", "0")
    set_up = json.loads(instance.python("-c", SET_UP % (AT_ONCE + 1)).splitlines()[-1])
    lines = as_traces(tasks)
    with log.open("wb") as file:
        command = [sys.executable, "manage.py", "serve", "--no-demo"]
        server = subprocess.Popen(command, cwd=ROOT, env=instance.environment, stdout=file, stderr=file)
    try:
        wait_for_link(server, log)
        return steps(instance, server.pid, set_up, lines)
    finally:
        server.terminate()
        server.wait(60)


def steps(instance: Instance, pid: int, set_up: dict[str, Any], lines: bytes) -> Steps:
    found: Steps = {}
    round, lead = set_up["round"], Caller(instance.port, set_up["lead"])
    reader = Caller(instance.port, set_up["people"][0]["token"])
    found["idle"] = {"mib": Peak(pid).now()}
    with Peak(pid) as peak:
        body = lead.ask("POST", f"rounds/{round}/traces", lines, **{"Content-Type": TYPE, "Accept": TYPE})[2]
    found["import"] = {"seconds": peak.seconds, "peak_mib": peak.most, "rows": body.count(b'"new"')}
    with Peak(pid) as peak:
        lead.ask("POST", f"rounds/{round}/traces", lines, **{"Content-Type": TYPE, "Accept": TYPE})
    stored = "from reviews.models import Trace; print(Trace.objects.count())"
    rows = int(instance.python("-c", f"import django; django.setup(); {stored}"))
    found["the same file again"] = {"seconds": peak.seconds, "rows": rows}
    begun = time.perf_counter()
    wait_for_jobs(instance)
    found["import"]["ready_to_read_after"] = round_to(time.perf_counter() - begun)

    nexts, submits, last = [], [], ("", b"", "")
    for _ in range(CYCLES):
        taken, _, answer = reader.ask("POST", f"rounds/{round}/next")
        nexts.append(taken)
        last = (
            f"assignments/{json.loads(answer)['assignment']}/review",
            b'{"verdict": "accept"}',
            str(uuid.uuid4()),
        )
        submits.append(reader.ask("POST", last[0], last[1], **{"Idempotency-Key": last[2]})[0])
    found["next"], found["submit"] = spread(nexts), spread(submits)
    answers = [reader.ask("POST", last[0], last[1], **{"Idempotency-Key": last[2]})[2] for _ in range(2)]
    found["double submit"] = {"stored": len({json.loads(answer)["review"] for answer in answers})}

    at_once = together(instance, round, set_up["people"][1:], EACH)
    found["at once"] = {
        "a_second": at_once["a_second"],
        "next": at_once["next"],
        "submit": at_once["verdict"],
        "given_to_two": at_once["judged_by_two"],
        "errors": sum(n for what, n in at_once["answers"].items() if what not in ("next 200", "verdict 201")),
    }
    found["export"] = export(instance, pid, lead, round)
    return found


def export(instance: Instance, pid: int, lead: Caller, round: int) -> dict[str, Any]:
    """Everything accepted first, by verdicts from a CSV, so that there is as much to export as the peers have."""
    code = (
        "import django, csv; django.setup(); from reviews.models import Trace\n"
        f"out = csv.writer(open({str(instance.folder / 'verdicts.csv')!r}, 'w'))\n"
        "out.writerow(['trace_digest', 'reviewer', 'verdict', 'clauses', 'remarks', 'comment'])\n"
        "digests = Trace.objects.filter(reviews=None).values_list('digest', flat=True)\n"
        "out.writerows([bytes(digest).hex(), 'elsewhere', 'accept', '', '', ''] for digest in digests)\n"
    )
    instance.python("-c", code)
    verdicts = instance.folder / "verdicts.csv"
    instance.python("manage.py", "review_traces", verdicts, "--project", "peers", "--round", "r")
    with Peak(pid) as peak:
        draft = json.dumps({"round": round, "format": "sft"}).encode()
        dataset = json.loads(lead.ask("POST", "datasets", draft)[2])
        while dataset["state"] not in ("ready", "failed"):
            time.sleep(0.25)
            dataset = json.loads(lead.ask("GET", f"datasets/{dataset['id']}")[2])
            job = dataset["job"]
            if job and job["state"] == "failed":
                raise RuntimeError(f"export: {job['error']}")
        size = sum(
            len(lead.ask("GET", f"datasets/{dataset['id']}/files/{name}")[2]) for name in dataset["files"]
        )
    return {"seconds": peak.seconds, "peak_mib": peak.most, "rows": dataset["rows"], "mib": size >> 20}


def as_traces(tasks: Path) -> bytes:
    """The peers' tasks as our lines: eight samples to a prompt."""
    found = []
    for line in tasks.open():
        row = json.loads(line)
        number = row["ref"]
        found.append(
            {
                "prompt_id": f"p{number // 8}",
                "prompt": f"What is {number // 8} + 1?",
                "reasoning": row["text"],
                "answer": str(number),
                "model": "m",
                "sample_index": number % 8,
                "sampling": {"temperature": 1},
            }
        )
    return "".join(json.dumps(row) + "\n" for row in found).encode()


def wait_for_link(server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        if re.search(r"http://\S+", log.read_text()):
            return
        time.sleep(0.1)
    raise RuntimeError(f"serve did not start: {log.read_text()[-500:]}")


def wait_for_jobs(instance: Instance) -> None:
    """What the worker does after an import (rendering, the index of words) is over before people are timed."""
    code = (
        "import django, time; django.setup(); from reviews.models import Job\n"
        "deadline = time.monotonic() + 300\n"
        "while Job.objects.filter(state__in=['waiting', 'running']).exists() and time.monotonic() < deadline:\n"
        "    time.sleep(0.5)\n"
    )
    instance.python("-c", code)


def round_to(number: float) -> float:
    return float(f"{number:.1f}")

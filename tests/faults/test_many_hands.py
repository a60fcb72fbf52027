"""Twenty clients judge five hundred traces over HTTP at once while server processes are killed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable

import psutil
import pytest
from making import as_lines, trace_row

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]
CLIENTS, TRACES = 20, 500
SET_UP = """
import json
from reviews import inviting, planning, publishing
project, _ = planning.create_project("load")
publishing.publish(project, publishing.STARTER_SPEC, by=None)
round, _ = planning.create_round(project, "r", by=None, overlap=1, double_share=0)
tokens = []
for number in range(%d):
    user = inviting.create_member(f"reader-{number}", project, "reviewer", by=None)
    tokens.append(inviting.make_token(user, project, "reviewer", by=None))
print(json.dumps({"round": round.pk, "tokens": tokens}))
"""
FREE = """SELECT count(*) FROM reviews_assignment WHERE closed_by_id IS NULL AND leased_by_id IS NULL"""


class Reader(threading.Thread):
    """Judges until nothing is left, and sends again whatever got no answer."""

    def __init__(self, port: int, token: str, round: int, still_free: Callable[[], int]) -> None:
        super().__init__(daemon=True)
        self.port, self.token, self.round, self.still_free = port, token, round, still_free
        self.judged: list[str] = []
        self.wrong: list[str] = []
        self.retried = 0

    def post(
        self, path: str, body: dict[str, object], key: str | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        for _ in range(200):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                connection.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
                answer = connection.getresponse()
                return answer.status, dict(answer.getheaders()), answer.read()
            except (OSError, http.client.HTTPException):
                self.retried += 1
                time.sleep(0.05)
            finally:
                connection.close()
        raise AssertionError("no answer in 200 tries")

    def run(self) -> None:
        try:
            while self.step():
                pass
        except Exception as problem:
            self.wrong.append(repr(problem))

    def step(self) -> bool:
        status, headers, body = self.post(f"rounds/{self.round}/next", {})
        if status == 204:
            if free := self.still_free():  # nothing here gives a slot back, so none may be free after "empty"
                self.wrong.append(f"told '{headers.get('Winnow-Empty')}' while {free} slots were free")
            if "leased to others" in headers.get("Winnow-Empty", ""):
                time.sleep(0.2)
                return True
            return False
        if status != 200:
            self.wrong.append(f"next: {status} {body[:200]!r}")
            return False
        assignment = json.loads(body)["assignment"]
        status, _, body = self.post(
            f"assignments/{assignment}/review", {"verdict": "accept"}, key=str(uuid.uuid4())
        )
        if status != 201:
            self.wrong.append(f"review: {status} {body[:200]!r}")
            return False
        self.judged.append(json.loads(body)["review"])
        return True


def test_none_lost_none_doubled_nobody_told_empty_while_a_slot_was_free(instance, tmp_path):
    made = json.loads(instance.python(SET_UP % CLIENTS))
    (tmp_path / "t.jsonl").write_bytes(as_lines([trace_row(number) for number in range(TRACES)]))
    instance.manage("import_traces", tmp_path / "t.jsonl", "--project", "load", "--round", "r")
    server = instance.start(
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--port",
        str(instance.port),
        "--workers",
        "2",
        "--blocking-threads",
        "4",
        "--respawn-failed-workers",
        "--no-log",
        "annotator.wsgi:application",
    )
    try:
        wait_for_answer(instance.port)
        readers = [
            Reader(instance.port, token, made["round"], lambda: int(instance.ask(FREE)[0][0]))
            for token in made["tokens"]
        ]
        for reader in readers:
            reader.start()
        killed, last = 0, time.monotonic()
        while any(reader.is_alive() for reader in readers):
            time.sleep(0.2)
            begun = sum(len(reader.judged) for reader in readers) > TRACES // 10
            # The oldest, and not in quick succession: a process that dies just after its start makes granian give up.
            if begun and (not killed or time.monotonic() - last > 8):
                workers = psutil.Process(server.pid).children()
                if len(workers) == 2:
                    os.kill(min(workers, key=psutil.Process.create_time).pid, signal.SIGKILL)
                    killed, last = killed + 1, time.monotonic()
        for reader in readers:
            reader.join()
    finally:
        stop(server)

    assert [wrong for reader in readers for wrong in reader.wrong] == []
    assert killed >= 1
    judged = [review for reader in readers for review in reader.judged]
    assert len(judged) == len(set(judged)) == TRACES
    assert instance.ask("SELECT count(*), count(DISTINCT trace_id) FROM reviews_review") == [(TRACES, TRACES)]
    assert instance.json("rebuild", "--check") == {"ok": True, "differences": []}


def stop(server: subprocess.Popen[str]) -> None:
    """Granian may wait for ever for a process that was killed just as it started; `serve` kills it then, as here."""
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        for process in [*psutil.Process(server.pid).children(recursive=True), server]:
            process.kill()
        server.wait(20)


def wait_for_answer(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError("the server did not answer within 60 s")

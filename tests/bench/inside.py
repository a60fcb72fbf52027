"""The server's time for `next` without a socket: Django's test client in one process, all middleware included.

Runs inside the instance's Django and prints one line of JSON. After each `next` the trace is judged, so that every
call leases a new one. The SQL is timed by Django's own log of queries, in a second turn, because logging costs time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from tests.bench.numbers import spread  # noqa: E402

BELOW_THE_THROTTLE = 0.012


def measure(round: int, token: str, calls: int) -> dict[str, Any]:
    cpu: list[float] = []
    client = Client(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Bearer {token}"})

    def next() -> tuple[float, Any]:
        begun, worked = time.perf_counter(), time.process_time()
        answer = client.post(f"/api/v1/rounds/{round}/next")
        cpu.append(time.process_time() - worked)
        return time.perf_counter() - begun, answer

    def judge(found: dict[str, Any]) -> float:
        begun = time.perf_counter()
        answer = client.post(
            f"/api/v1/assignments/{found['assignment']}/review",
            {"verdict": "accept"},
            content_type="application/json",
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        assert answer.status_code == 201, answer.content
        return time.perf_counter() - begun

    first, answer = next()
    nexts, verdicts, queries, sql = [], [], 0, []
    for _ in range(calls):
        verdicts.append(judge(answer.json()))
        time.sleep(BELOW_THE_THROTTLE)
        taken, answer = next()
        nexts.append(taken)
    worked = spread(cpu[1:])
    for _ in range(20):
        judge(answer.json())
        time.sleep(BELOW_THE_THROTTLE)
        with CaptureQueriesContext(connection) as captured:
            _, answer = next()
        queries = max(queries, len(captured))
        sql.append(sum(float(query["time"]) for query in captured))
    return {
        "first": round_to(1000 * first),
        "next": spread(nexts),
        "cpu": worked,
        "verdict": spread(verdicts),
        "queries": queries,
        "sql": spread(sql),
    }


def round_to(number: float) -> float:
    return float(f"{number:.1f}")


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--round", type=int, required=True)
    asked.add_argument("--token", required=True)
    asked.add_argument("--calls", type=int, default=300)
    sys.stdout.write(json.dumps(measure(**vars(asked.parse_args()))) + "\n")

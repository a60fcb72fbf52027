"""Reviewers over HTTP, each with a connection of their own that is kept open: next, verdict, next, verdict."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter
from typing import Any

from tests.bench.instance import Instance
from tests.bench.numbers import spread, syncs


class Hand(threading.Thread):
    """One reviewer. `pause`: seconds between an acknowledgement and the next request, drawn from half to one and a half."""

    def __init__(self, port: int, token: str, round: int, cycles: int, pause: float) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.round, self.cycles, self.pause = round, cycles, pause
        self.draw = random.Random(token)
        self.nexts: list[float] = []
        self.verdicts: list[float] = []
        self.traces: list[str] = []
        self.answers: Counter[str] = Counter()

    def post(self, path: str, body: dict[str, Any], key: str = "") -> tuple[float, int, bytes]:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        data = json.dumps(body).encode()
        begun = time.perf_counter()
        self.connection.request("POST", f"/api/v1/{path}", data, headers)
        answer = self.connection.getresponse()
        read = answer.read()
        return time.perf_counter() - begun, answer.status, read

    def next(self) -> dict[str, Any] | None:
        taken, status, body = self.post(f"rounds/{self.round}/next", {})
        self.answers[f"next {status}"] += 1
        if status != 200:
            return None
        self.nexts.append(taken)
        found: dict[str, Any] = json.loads(body)
        return found

    def judge(self, found: dict[str, Any], number: int) -> None:
        said: dict[str, Any] = {"verdict": "accept", "seconds": 30.0}
        if number % 10 in (3, 7):
            said = {"verdict": "reject", "clauses": [found["clauses"][0]["key"]], "seconds": 30.0}
        elif number % 10 == 9:
            said = {"verdict": "unsure"}
        taken, status, _ = self.post(f"assignments/{found['assignment']}/review", said, str(uuid.uuid4()))
        self.answers[f"verdict {status}"] += 1
        if status == 201:
            self.verdicts.append(taken)
            self.traces.append(found["trace"]["digest"])

    def run(self) -> None:
        if self.pause > 0.5:  # people do not all begin in the same moment
            time.sleep(self.draw.uniform(0, self.pause))
        for number in range(self.cycles):
            try:
                if (found := self.next()) is None:
                    return
                self.judge(found, number)
            except (OSError, http.client.HTTPException) as problem:
                self.answers[type(problem).__name__] += 1
                self.connection.close()
            if self.pause:
                time.sleep(self.pause * self.draw.uniform(0.5, 1.5))


def together(
    instance: Instance, round: int, people: list[dict[str, Any]], cycles: int, pause: float = 0.0
) -> dict[str, Any]:
    """All these reviewers at once, with the disk's own sync before and after, and the server's own times."""
    hands = [Hand(instance.port, person["token"], round, cycles, pause) for person in people]
    disk, mark = syncs(instance.folder), instance.log_size()
    begun = time.perf_counter()
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    wall = time.perf_counter() - begun
    disk += syncs(instance.folder)
    answers: Counter[str] = Counter()
    for hand in hands:
        answers += hand.answers
        hand.connection.close()
    verdicts = [taken for hand in hands for taken in hand.verdicts]
    given = [(hand.name, trace) for hand in hands for trace in hand.traces]
    readers = Counter(trace for _, trace in set(given))
    return {
        "reviewers": len(hands),
        "pause": pause,
        "next": spread([taken for hand in hands for taken in hand.nexts]),
        "verdict": spread(verdicts),
        "sync": spread(disk),
        "server_next": spread(instance.served(mark, "/next")),
        "server_verdict": spread(instance.served(mark, "/review")),
        "a_second": round_to(len(verdicts) / wall),
        "answers": dict(answers),
        "judged_twice_by_one": len(given) - len(set(given)),
        "judged_by_two": sum(count > 1 for count in readers.values()),
    }


def opened(instance: Instance, path: str, person: dict[str, Any], times: int = 12) -> dict[str, float]:
    """A page by GET as a signed-in person, as the client sees it."""
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=120)
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": f"{person['cookie']}={person['session']}"})
        answer = connection.getresponse()
        answer.read()
        taken.append(time.perf_counter() - begun)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
    connection.close()
    return spread(taken[2:])


def round_to(number: float) -> float:
    return float(f"{number:.1f}")

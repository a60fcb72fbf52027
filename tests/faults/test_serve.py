"""`manage.py serve`: one command, and what happens when its parts die."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from making import as_lines, trace_row

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]


def answer(port: int, path: str, token: str = "", body: dict | None = None) -> tuple[int, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request(
        "GET" if body is None else "POST", path, None if body is None else json.dumps(body), headers
    )
    got = connection.getresponse()
    found = got.status, json.loads(got.read() or b"{}")
    connection.close()
    return found


def eventually(said, within: float = 30):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if found := said():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come true in time")


def test_the_link_signs_in_once_and_a_signal_stops_everything(serve, instance):
    server = serve()
    link = server.link()
    assert answer(instance.port, "/readyz")[0] == 200
    family = psutil.Process(server.process.pid).children(recursive=True)
    assert len(server.children("celery")) == 1

    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with contextlib.closing(opener.open(link)) as page:
        assert "What waits for you" in page.read().decode()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", instance.port)) as connection:
        connection.request("GET", "/enter/" + link.rsplit("/", 1)[1])
        again = connection.getresponse()
        assert again.status == 410
        assert b"manage.py login_link" in again.read()

    assert server.stop() == 0
    assert [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []


def test_a_second_serve_waits_for_the_folder_and_takes_over(serve, instance):
    first = serve()
    first.link()
    second = serve()
    time.sleep(2)
    assert second.process.poll() is None
    assert first.stop() == 0
    assert second.link()
    assert second.stop() == 0


def test_a_port_in_use_is_named_in_one_sentence(serve, instance):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", instance.port))
        taken.listen()
        server = serve()
        assert server.process.wait(60) != 0
    assert f"Port {instance.port} on 127.0.0.1 cannot be used" in server.log.read_text()
    assert "Traceback" not in server.log.read_text()


def test_nothing_is_left_over_when_the_supervisor_itself_is_killed(serve):
    server = serve()
    server.link()
    family = psutil.Process(server.process.pid).children(recursive=True)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    eventually(
        lambda: not [c for c in family if c.is_running() and c.status() != psutil.STATUS_ZOMBIE], within=20
    )


@pytest.mark.parametrize("broker", ["redis", "folders"], indirect=True)
def test_an_export_whose_worker_is_killed_ends_with_the_bytes_that_the_command_writes(
    serve, instance, tmp_path
):
    instance.environment |= {"SHARD_MIB": "1"}
    rows = [trace_row(number, reasoning=f"{number}: " + os.urandom(10_000).hex()) for number in range(900)]
    (tmp_path / "t.jsonl").write_bytes(as_lines(rows))
    (tmp_path / "v.csv").write_text(
        "prompt_id,model,sample_index,reviewer,verdict\n"
        + "".join(f"p{number},m,0,x,accept\n" for number in range(900))
    )
    options = ("--project", "big", "--round", "r")
    instance.manage("import_traces", tmp_path / "t.jsonl", *options, "--create")
    instance.manage("review_traces", tmp_path / "v.csv", *options)
    token = instance.json("create_member", "lee", "--project", "big", "--role", "lead", "--token")["token"]
    why = "one sample a prompt, to see that killed workers change no byte"
    whole = instance.json("export_dataset", *options, "--out", tmp_path / "whole", "--override", why)
    assert whole["shards"] > 8
    round_id = instance.json("create_round", "r", "--project", "big")["round"]

    server = serve()
    server.link()
    status, made = answer(
        instance.port,
        "/api/v1/datasets",
        token,
        {"round": round_id, "overrides": {"samples-per-prompt": why, "selection": why}},
    )
    assert status == 202
    shards = "SELECT count(*) FROM reviews_shard WHERE sha256 IS NOT NULL AND dataset_id = " + str(made["id"])
    eventually(lambda: instance.ask(shards)[0][0] >= 2)
    for worker in server.children("celery"):
        for process in [*worker.children(recursive=True), worker]:
            process.kill()
    assert instance.ask(shards)[0][0] < whole["shards"]

    state = eventually(
        lambda: (
            (found := answer(instance.port, f"/api/v1/datasets/{made['id']}", token)[1])["state"] == "ready"
            and found
        ),
        90,
    )
    assert state["digest"] == whole["digest"]
    folder = Path(instance.ask(f"SELECT folder FROM reviews_dataset WHERE id = {made['id']}")[0][0])
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.parquet"))
    assert names == sorted(
        str(path.relative_to(tmp_path / "whole")) for path in (tmp_path / "whole").rglob("*.parquet")
    )
    assert all((folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes() for name in names)
    assert (
        instance.ask(f"SELECT attempt FROM reviews_job WHERE subject = {made['id']} ORDER BY id DESC")[0][0]
        >= 2
    )
    assert instance.json("verify_dataset", folder)["ok"]


def test_the_pages_say_within_five_seconds_that_no_worker_is_alive(serve, instance):
    server = serve()
    server.link()
    worker = server.children("celery")[0]
    os.kill(server.process.pid, signal.SIGSTOP)  # so that nobody starts a new one
    try:
        started = time.monotonic()
        for process in [*worker.children(recursive=True), worker]:
            process.kill()
        eventually(lambda: answer(instance.port, "/readyz")[1]["worker"] != "ok", within=10)
        assert time.monotonic() - started < 5
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    eventually(lambda: answer(instance.port, "/readyz")[0] == 200, within=30)


def test_an_import_that_was_killed_goes_on_and_ends_as_if_nothing_had_happened(instance, tmp_path):
    rows = [
        trace_row(number % 500, number // 500, reasoning=f"{number} " + "x" * 500) for number in range(8000)
    ]
    (tmp_path / "t.jsonl").write_bytes(as_lines(rows))
    options = ("--project", "p", "--round", "r")
    instance.manage("create_project", "p")
    instance.manage("create_round", "r", *options[:2])
    killed = instance.start("manage.py", "import_traces", str(tmp_path / "t.jsonl"), *options)
    eventually(lambda: instance.ask("SELECT count(*) FROM reviews_trace")[0][0] >= 800)
    killed.kill()
    killed.wait()
    there = instance.ask("SELECT count(*) FROM reviews_trace")[0][0]
    assert 800 <= there < 8000

    done = instance.json("import_traces", tmp_path / "t.jsonl", *options)
    assert (done["read"], done["traces_new"], done["traces_known"], done["refused"]) == (8000, 8000, 0, 0)
    assert instance.ask("SELECT count(*), count(DISTINCT digest) FROM reviews_trace") == [(8000, 8000)]
    assert instance.json("rebuild", "--check")["ok"]

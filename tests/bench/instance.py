"""A Winnow of the benchmark's own: its folder, its database, its real server, and a PostgreSQL that syncs."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
POSTGRES_PORT = int(os.environ.get("WINNOW_BENCH_PORT", "54340"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Instance:
    """Environment and commands of one installation in a folder of its own, with the settings of production."""

    def __init__(self, folder: Path, database: str | None) -> None:
        self.folder, self.port, self.database = folder, free_port(), database
        self.log = folder / "web.log"
        folder.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = kept | {
            "WINNOW_DATA": str(folder),
            "PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "annotator.settings",
            "LOG_FORMAT": "json",
        }
        if database:
            self.environment["DATABASE_URL"] = database

    def python(self, *args: Any) -> str:
        done = subprocess.run(
            [sys.executable, *map(str, args)], cwd=ROOT, env=self.environment, text=True, capture_output=True
        )
        if done.returncode:
            raise RuntimeError(f"{args}: {done.stderr[-2000:]}")
        return done.stdout

    def made(self, *args: Any) -> dict[str, Any]:
        """The last line that a module of the benchmark prints, run inside this instance's Django."""
        found: dict[str, Any] = json.loads(self.python("-m", *args).splitlines()[-1])
        return found

    @contextlib.contextmanager
    def serving(self, processes: int = 1, threads: int = 8) -> Iterator[subprocess.Popen[bytes]]:
        """The web server as `serve` starts it. Its request log has the server's own time for every answer."""
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(self.port)]
        command += ["--workers", str(processes), "--blocking-threads", str(threads), "--no-log"]
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                [*command, "annotator.wsgi:application"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        try:
            wait_for_answer(self.port, "/healthz")
            yield server
        finally:
            stop(server)

    def served(self, since: int, ending: str) -> list[float]:
        """Seconds that the server itself took for the answers to paths with this ending, from the log."""
        with self.log.open("rb") as log:
            log.seek(since)
            lines = [json.loads(line) for line in log if b'"event": "request"' in line]
        return [line["seconds"] for line in lines if line["path"].endswith(ending) and line["status"] < 300]

    def log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0


def wait_for_answer(port: int, path: str, seconds: float = 90, host: str = "127.0.0.1") -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(host, port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status < 400:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.2)
    raise RuntimeError(f"nothing answered on {host}:{port}{path} within {seconds:.0f} s")


def stop(server: subprocess.Popen[Any]) -> None:
    """End a process and its children, whatever they do."""
    children = psutil.Process(server.pid).children(recursive=True) if server.poll() is None else []
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(20)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[str | None]:
    """A PostgreSQL server of the benchmark's own, fsync on; None where its binaries are missing."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        yield None
        return
    bin, data = Path(initdb).parent, folder / "postgresql"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    root = os.getuid() == 0
    if root:
        shutil.chown(data, "postgres")

    def run(line: str) -> None:
        command = ["su", "postgres", "-s", "/bin/sh", "-c", line] if root else ["sh", "-c", line]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    run(f"{bin}/initdb -D {data} -U winnow --auth=trust --encoding=UTF8 --locale=C.UTF-8")
    # fsync stays on: a verdict is acknowledged when it is on the disk. The rest is what a small server would be given.
    options = f"-p {POSTGRES_PORT} -k {data} -c listen_addresses=127.0.0.1 -c max_connections=100"
    options += " -c shared_buffers=512MB -c max_wal_size=4GB"
    run(f"{bin}/pg_ctl -D {data} -w -l {data}/log -o '{options}' start")
    try:
        yield f"postgresql://winnow@127.0.0.1:{POSTGRES_PORT}"
    finally:
        run(f"{bin}/pg_ctl -D {data} -m fast -w stop")
        shutil.rmtree(data, ignore_errors=True)


def create_database(server: str, name: str) -> str:
    import psycopg

    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server}/{name}"


def drop_database(server: str, name: str) -> None:
    import psycopg

    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

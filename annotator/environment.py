"""Every setting that the environment may give: its name, type, default and meaning, in one list.

docs/deployment.md has the same list as a table, and a test holds the two together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class WrongSetting(SystemExit):
    """Stops the start, with exit code 2 and one sentence that names the variable, its value and what is allowed."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        sys.stderr.write(f"{sentence}\n")
        self.code = 2


@dataclass(frozen=True)
class Setting:
    """One variable of the environment. `parse` turns its text into a value or raises ValueError."""

    name: str
    default: str | None
    parse: Callable[[str], Any]
    expected: str
    meaning: str


def _switch(text: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return parse


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        return choices[choices.index(text)]

    return parse


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if urlsplit(text).scheme not in schemes:
            raise ValueError(text)
        return text

    return parse


def _zone(text: str) -> str:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(text)
    except zoneinfo.ZoneInfoNotFoundError as unknown:
        raise ValueError(text) from unknown
    return text


SETTINGS = [
    Setting(
        "WINNOW_DATA",
        "data",
        lambda text: Path(text).absolute(),
        "a folder",
        "Where the database, keys, uploads and exports are kept.",
    ),
    Setting(
        "HOST",
        "127.0.0.1",
        str,
        "an address of this machine",
        "The address that `serve` listens on. Anything but loopback opens Winnow to the network.",
    ),
    Setting(
        "PORT",
        "8000",
        _between(1, 65535),
        "a whole number from 1 to 65535",
        "The port that `serve` listens on.",
    ),
    Setting(
        "DATABASE_URL",
        None,
        _url("postgres", "postgresql", "sqlite"),
        "postgresql://… or sqlite:///…",
        "The database. Without it: SQLite inside WINNOW_DATA.",
    ),
    Setting(
        "CELERY_BROKER_URL",
        None,
        _url("redis", "rediss", "redis+socket", "filesystem"),
        "redis://…",
        "The broker of a team's installation. Without it `serve` runs a broker of its own.",
    ),
    Setting(
        "SECRET_KEY",
        None,
        str,
        "a long random text",
        "Signs sessions. Without it: made on first start, kept in WINNOW_DATA/keys with mode 600.",
    ),
    Setting(
        "HELD_OUT_KEY",
        None,
        bytes.fromhex,
        "64 hex digits",
        "Decides which prompts are held out. Without it: made on first start, kept like the secret key.",
    ),
    Setting(
        "ALLOWED_HOSTS",
        "localhost,127.0.0.1,[::1]",
        _names,
        "names with commas between them",
        "The host names under which Winnow answers.",
    ),
    Setting(
        "HTTPS", "no", _switch, "yes or no", "Whether people reach Winnow by https: cookies are then secure."
    ),
    Setting("DEBUG", "no", _switch, "yes or no", "Django's debug pages. Never where strangers can reach it."),
    Setting(
        "TIME_ZONE", "UTC", _zone, "a time zone such as Europe/Berlin", "The zone that pages show times in."
    ),
    Setting(
        "LOG_LEVEL",
        "INFO",
        _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
        "DEBUG, INFO, WARNING or ERROR",
        "How much is logged.",
    ),
    Setting(
        "LOG_FORMAT",
        "auto",
        _one_of("auto", "json", "console"),
        "auto, json or console",
        "How a line of the log looks. `auto`: for people on a terminal, JSON elsewhere.",
    ),
    Setting(
        "WEB_THREADS", "8", _between(1, 256), "a whole number from 1 to 256", "Threads of the web server."
    ),
    Setting(
        "WEB_PROCESSES", "1", _between(1, 64), "a whole number from 1 to 64", "Processes of the web server."
    ),
    Setting(
        "WORKER_PROCESSES",
        "2",
        _between(1, 64),
        "a whole number from 1 to 64",
        "Processes of the Celery worker.",
    ),
    Setting(
        "MAX_LINE_MIB",
        "16",
        _between(1, 1024),
        "a whole number from 1 to 1024",
        "The longest line that an import takes, in MiB.",
    ),
    Setting(
        "MAX_UPLOAD_MIB",
        "2048",
        _between(1, 1048576),
        "a whole number from 1 to 1048576",
        "The largest file that the import page takes, in MiB.",
    ),
    Setting(
        "SHARD_MIB",
        "128",
        _between(1, 4096),
        "a whole number from 1 to 4096",
        "Where an export cuts its shards, in MiB of text. Part of the manifest: another value, other shards.",
    ),
]
_BY_NAME = {setting.name: setting for setting in SETTINGS}


def read(name: str) -> Any:
    """The value of one setting, or None where it has neither value nor default.

    Raises WrongSetting (which ends the process with a sentence) for a value that does not parse.
    """
    setting = _BY_NAME[name]
    text = os.environ.get(name) or setting.default
    if text is None:
        return None
    try:
        return setting.parse(text)
    except (ValueError, KeyError):
        raise WrongSetting(f"{name}={text!r} is not {setting.expected}. {setting.meaning}") from None

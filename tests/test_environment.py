"""Settings come from the environment; a wrong one stops the start with a sentence that names it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from annotator import environment, keys

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("DATABASE_URL", "mysql://x"),
        ("HELD_OUT_KEY", "xyz"),
        ("HTTPS", "maybe"),
        ("TIME_ZONE", "Mars/Base"),
        ("LOG_LEVEL", "LOUD"),
        ("CELERY_BROKER_URL", "amqp://x"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(environment.WrongSetting) as stopped:
        environment.read(name)
    assert f"{name}={value!r} is not" in str(stopped.value)


def test_a_command_with_a_wrong_setting_ends_without_a_traceback(tmp_path):
    told = {"PATH": os.environ["PATH"], "WINNOW_DATA": str(tmp_path), "PORT": "none"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=told, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert done.stderr.startswith("PORT='none' is not a whole number")
    assert "Traceback" not in done.stderr


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path):
    first = keys.read_or_make(tmp_path / "keys" / "held_out_key")
    assert keys.read_or_make(tmp_path / "keys" / "held_out_key") == first
    assert len(bytes.fromhex(first)) == 32
    assert stat.S_IMODE((tmp_path / "keys" / "held_out_key").stat().st_mode) == 0o600


def test_a_command_on_a_database_that_is_not_migrated_says_what_to_do(tmp_path):
    told = {"PATH": os.environ["PATH"], "WINNOW_DATA": str(tmp_path)}
    command = [sys.executable, "manage.py", "create_project", "x"]
    done = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True)
    assert done.returncode == 2
    assert "manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr

"""The instance's own secrets, made on first start and readable by nobody else (mode 600)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def read_or_make(path: Path) -> str:
    """The hex text in `path`; on first start 32 random bytes are written there first, with mode 600.

    Two processes that start at once agree: whoever links its file first wins, the other reads it.
    Raises SystemExit with a sentence where the folder cannot be written.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = path.with_name(f".{path.name}.{os.getpid()}")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass  # another process was quicker: its key is the one
            finally:
                fresh.unlink()
        return path.read_text().strip()
    except OSError as problem:
        raise SystemExit(
            f"The key file {path} can be neither read nor made: {problem.strerror}. "
            "Set WINNOW_DATA to a folder that this user may write."
        ) from None

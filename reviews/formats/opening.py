"""Opening a file of traces, plain or gzip, whatever its name says."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import BinaryIO, cast


def open_plain(path: Path) -> BinaryIO:
    """The file's bytes, unpacked where it is gzip (told by its first two bytes, not by its name).

    Raises OSError where it cannot be opened; gzip.BadGzipFile or EOFError may come later, while reading.
    """
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb")) if packed else path.open("rb")

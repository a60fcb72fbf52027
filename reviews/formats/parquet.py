"""Parquet whose bytes depend on its rows alone: the same rows make the same file, whoever writes it and when."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reviews.formats import canonical

ROWS_A_GROUP = 1000
BYTES_A_GROUP = 16 * 2**20


@dataclass(frozen=True)
class Written:
    """What one file holds. logical: SHA-256 over the canonical JSON of each row and an LF; it survives a new pyarrow."""

    rows: int
    size: int
    sha256: bytes
    logical: bytes


def write(
    path: Path, rows: Iterable[dict[str, Any]], schema: pa.Schema, after: Callable[[int], None] | None = None
) -> Written:
    """Write `rows` to `path` and say what was written. after: called with the rows of each group as it is written.

    Row groups are cut by a rule on the rows (1,000 of them or 16 MiB of JSON), never by arrival.
    """
    logical, count = hashlib.sha256(), 0
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=False,
        write_statistics=False,
        version="2.6",
        data_page_version="1.0",
        store_schema=False,
    ) as writer:
        for group, lines in _groups(rows):
            for line in lines:
                logical.update(line + b"\n")
            writer.write_table(pa.Table.from_pylist(group, schema=schema), row_group_size=len(group))
            count += len(group)
            if after:
                after(len(group))
    return Written(count, path.stat().st_size, file_digest(path), logical.digest())


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, one row group in memory at a time. Raises pyarrow.ArrowException, OSError."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield from file.read_row_group(group).to_pylist()


def logical_digest(rows: Iterable[dict[str, Any]]) -> bytes:
    """SHA-256 over the canonical JSON of each row and an LF."""
    found = hashlib.sha256()
    for row in rows:
        found.update(canonical.dump(row) + b"\n")
    return found.digest()


def file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[list[dict[str, Any]], list[bytes]]]:
    group: list[dict[str, Any]] = []
    lines: list[bytes] = []
    size = 0
    for row in rows:
        line = canonical.dump(row)
        if group and (len(group) >= ROWS_A_GROUP or size + len(line) > BYTES_A_GROUP):
            yield group, lines
            group, lines, size = [], [], 0
        group.append(row)
        lines.append(line)
        size += len(line)
    if group:
        yield group, lines

"""Verifying a data set: files against the manifest, rows against the stored traces, and a read-back by `datasets`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow
from django.db import DatabaseError

from reviews import targeting
from reviews.errors import Unreadable, WinnowError
from reviews.formats import canonical, dataset_folder, parquet, rendered
from reviews.models import Dataset, Trace


class ReadBackFailed(WinnowError):
    """What `datasets` loads from the finished folder is not what the database holds: the export is not released."""

    code, status = "read-back-failed", 500


@dataclass
class Findings:
    """What was found: rows looked at, and one sentence for each problem."""

    rows: int = 0
    problems: list[str] = field(default_factory=list)
    compared: bool = False

    @property
    def ok(self) -> bool:
        return not self.problems


def verify(folder: Path) -> Findings:
    """Re-hash every shard and the manifest of a data set and, where its traces are in this database, every row.

    Raises Unreadable where the folder has no manifest that can be read.
    """
    try:
        raw = (folder / "manifest.json").read_bytes()
        manifest = json.loads(raw)
        shards = [dict(shard) for shard in manifest["shards"]]
        bytes.fromhex(manifest["digest"])
    except OSError as problem:
        raise Unreadable(f"{folder / 'manifest.json'} cannot be read: {problem.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise Unreadable(f"{folder / 'manifest.json'} is not the manifest of a data set.") from None
    found = Findings()
    logical = [[shard.get("format"), shard.get("split"), shard.get("logical")] for shard in shards]
    if canonical.digest(logical).hex() != manifest.get("digest"):
        found.problems.append("manifest.json: the data set's digest is not that of its shards")
    stored = _check_against_database(manifest, found)
    named = {str(shard.get("file")) for shard in shards}
    for path in sorted(folder.glob("data/**/*.parquet")):
        if str(path.relative_to(folder)) not in named:
            found.problems.append(f"{path.relative_to(folder)}: not in the manifest")
    for shard in shards:
        _check_shard(folder, shard, stored, found)
    return found


def _check_against_database(manifest: dict[str, Any], found: Findings) -> Dataset | None:
    """The data set of this manifest, where this database has it."""
    try:
        stored = Dataset.objects.filter(
            project__slug=manifest.get("project"),
            digest=bytes.fromhex(manifest.get("digest", "")),
            state=Dataset.State.READY,
        )
        same = [dataset for dataset in stored if dataset.name == manifest.get("name")]
    except (DatabaseError, ValueError):
        return None
    if same and not any(dataset.manifest_object == manifest for dataset in same):
        found.problems.append("manifest.json: differs from the manifest that the database holds")
    return same[0] if same else None


def _check_shard(folder: Path, shard: dict[str, Any], stored: Dataset | None, found: Findings) -> None:
    name, format = str(shard.get("file")), str(shard.get("format"))
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        found.problems.append(f"{name}: missing")
        return
    if parquet.file_digest(path).hex() != shard.get("sha256"):
        found.problems.append(f"{name}: its bytes are not those that were exported (SHA-256 differs)")
    before = found.rows
    try:
        with _rows_as(format, stored) as row_of:
            logical = parquet.logical_digest(_compared(parquet.read_rows(path), name, row_of, found))
    except (pyarrow.ArrowException, OSError, ValueError, KeyError) as problem:
        found.problems.append(f"{name}: cannot be read as Parquet of this format ({type(problem).__name__})")
        return
    if found.rows - before != shard.get("rows"):
        found.problems.append(f"{name}: {found.rows - before} rows, the manifest says {shard.get('rows')}")
    if logical.hex() != shard.get("logical"):
        found.problems.append(f"{name}: its rows are not those that were exported (logical digest differs)")


@contextmanager
def _rows_as(format: str, stored: Dataset | None) -> Iterator[targeting.RowOf | None]:
    """What makes a row again from its trace; None where nobody here knows, as for another database's target."""
    if format not in dataset_folder.FORMATS or (format == rendered.NAME and stored is None):
        yield None
        return
    with targeting.rows_as(format, targeting.of(stored) if stored else None) as row_of:
        yield row_of


def _compared(
    rows: Iterator[dict[str, Any]], name: str, row_of: targeting.RowOf | None, found: Findings
) -> Iterator[dict[str, Any]]:
    """The rows, each held against its trace where the database has it."""
    held: list[dict[str, Any]] = []
    for row in rows:
        found.rows += 1
        held.append(row)
        if len(held) == 200:
            _compare(held, name, row_of, found)
            yield from held
            held = []
    _compare(held, name, row_of, found)
    yield from held


def _compare(rows: list[dict[str, Any]], name: str, row_of: targeting.RowOf | None, found: Findings) -> None:
    if row_of is None:
        return
    digests = [bytes.fromhex(row["trace_digest"]) for row in rows]
    try:
        traces = Trace.objects.filter(digest__in=digests).select_related(
            "reasoning", "answer", "round_prompt__prompt"
        )
        stored = {bytes(trace.digest): trace for trace in traces.defer("meta")}
    except DatabaseError:
        return  # no database at hand: files and manifest are checked all the same
    for row, digest in zip(rows, digests, strict=True):
        trace = stored.get(digest)
        if trace is None:
            continue
        found.compared = True
        if row != row_of(trace):
            found.problems.append(
                f"{name}: the row of trace {digest.hex()[:12]} differs from the stored trace"
            )


def require_unchanged(trace: Trace) -> None:
    """Raise ReadBackFailed unless the stored texts are those that the trace's digest was made of."""
    texts = {
        "prompt": trace.round_prompt.prompt.as_messages,
        "reasoning": trace.reasoning.as_text,
        "answer": trace.answer.as_text if trace.answer else None,
    }
    if canonical.digest(texts) != bytes(trace.content_digest):
        raise ReadBackFailed(
            f"The stored texts of trace {trace} are not those that were imported. Nothing was released."
        )


def read_back(dataset: Dataset, folder: Path) -> None:
    """Load the folder as a trainer would, through `datasets` with an empty cache, and compare with the shards' digests.

    Raises ReadBackFailed.
    """
    import datasets  # 1.4 s: only where an export ends

    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory(dir=folder.parent) as cache:
        for format in dataset.formats.split(","):
            shards = list(dataset.shards.filter(format=format, split="train"))
            loaded = datasets.load_dataset(str(folder), format, split="train", cache_dir=cache)
            if list(loaded.features) != [
                feature["name"] for feature in dataset_folder.FORMATS[format].FEATURES
            ]:
                raise ReadBackFailed(f"{format}: `datasets` sees the columns {list(loaded.features)}.")
            place = 0
            for shard in shards:
                rows = (loaded[number] for number in range(place, place + (shard.rows or 0)))
                if parquet.logical_digest(rows) != bytes(shard.logical or b""):
                    raise ReadBackFailed(
                        f"{shard.file}: what `datasets` loads differs from what was written. "
                        "The data set was not released."
                    )
                place += shard.rows or 0
            if place != len(loaded):
                raise ReadBackFailed(f"{format}: `datasets` loads {len(loaded)} rows instead of {place}.")

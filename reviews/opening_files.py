"""Opening a stranger's file: a project of its own, a starter spec, and the first trace on the screen."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reviews import importing, inviting, jobs, planning, publishing
from reviews.errors import Unreadable
from reviews.models import Job, Role, User

ROUND = "Round 1"
AT_ONCE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Opened:
    """Where the file can be judged, and one sentence about how it was read. No path: it could not be opened."""

    path: str
    sentence: str
    missing: list[str] = field(default_factory=list)


def open_for(user: User, file: Path, progress: Callable[[int], None] | None = None) -> Opened:
    """Bring a file into a project named after it, with `user` as lead and reviewer. The same file: the same project.

    A large file goes on in a job, so that the first traces can be read meanwhile. Raises Unreadable.
    """
    guess = importing.guess(file)
    if not guess.openable:
        return Opened("", guess.sentence, guess.missing)
    try:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as problem:
        raise Unreadable(f"{file} cannot be read: {problem.strerror}.") from None
    stem = re.sub(r"[^a-z0-9]+", "-", file.name.split(".")[0].lower()).strip("-")[:40] or "file"
    project, new = planning.create_project(f"{stem}-{digest[:6]}", name=file.name[:200])
    for role in (Role.LEAD, Role.REVIEWER):
        inviting.create_member(user.username, project, role, by=None)
    if new or not project.spec_versions.exists():
        publishing.publish(project, publishing.STARTER_SPEC, by=None)
    round, _ = planning.create_round(project, ROUND, by=None)
    if not round.batches.filter(finished=True).exists():
        batch = importing.begin(round, file.absolute(), by=None, name=file.name, mapping=guess.mapping)
        if file.stat().st_size <= AT_ONCE_BYTES:
            importing.run(batch, progress=progress)
        else:
            jobs.start(Job.Kind.IMPORT_TRACES, project.pk, batch.pk, by=None, unit="lines")
    return Opened(f"/p/{project.slug}/rounds/{round.pk}/review", guess.sentence, guess.missing)

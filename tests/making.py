"""What tests are made of: a spec, people, rows of a file, verdicts."""

from __future__ import annotations

import json
import uuid
from typing import Any

from reviews import governing, reviewing, saying
from reviews.models import Assignment, Member, PolicyVersion, Project, Review, User
from reviews.policies import documents
from reviews.policies.thresholds import BY_KEY

SPEC = """# The spec

## H1 Serves the person {purpose=intent-alignment relation=aligned}
Does it?

## H2 No hidden intent {purpose=intent-alignment relation=orthogonal}
Is all said?

## F1 Form {purpose=form}
A remark.
"""


def member(project: Project, name: str, *roles: str) -> User:
    user = User.objects.create_user(name, first_name=name.capitalize())
    for role in roles:
        Member.objects.create(project=project, user=user, role=role)
    return user


def trace_row(number: int = 0, sample: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "prompt_id": f"p{number}",
        "prompt": f"What is {number} + 1?",
        "reasoning": f"{number} and one, try {sample}.\n\nSo.",
        "answer": str(number + 1),
        "model": "m",
        "sample_index": sample,
        "sampling": {"temperature": 1},
        "meta": {"domain": "sums", "licence": "MIT"},
        **changes,
    }


def as_lines(rows: list[Any]) -> bytes:
    return b"".join(
        (row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode()) + b"\n"
        for row in rows
    )


def judge(assignment: Assignment, verdict: str, by: User, *clauses: str, **more: Any) -> Review:
    """Record a verdict as a reviewer would; a reject cites H1 unless told otherwise."""
    clauses = clauses or (("H1",) if verdict == "reject" else ())
    return reviewing.record(
        assignment.pk, saying.Said(verdict, tuple(clauses), **more), by=by, key=uuid.uuid4()
    )


def without_lines(project: Project) -> PolicyVersion:
    """A policy that draws no line at all: for tests of how data sets are written, not of whether they may be."""
    policy = documents.read(
        {
            "name": "pilot",
            "thresholds": {one: 0 if BY_KEY[one].larger_is == "stricter" else None for one in BY_KEY},
        }
    )
    return governing.publish(project, policy, by=None, reason="tests of writing data sets need no lines")

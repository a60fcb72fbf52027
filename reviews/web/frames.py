"""What stands around a trace on the desk: the spec as a reader sees it, the keys, and what is asked of this reading."""

from __future__ import annotations

import json
import uuid
from typing import Any

from reviews import asking, choosing_keys, drawing
from reviews.formats import spec_markdown
from reviews.models import Assignment, Round, User
from reviews.web import reading

EXAMPLES = ("Example", "Borderline")


def of_round(round: Round, reader: User) -> dict[str, Any]:
    """The spec without purposes, digits for the clauses that select, f for form; and this reader's keys."""
    spec = spec_markdown.parse(round.spec_version.text) if round.spec_version else None
    clauses = spec.clauses if spec else []
    selects = spec.selecting if spec else []
    return {
        "round": round,
        "project": round.project,
        "spec": round.spec_version,
        "clauses": [{"digit": number, **_clause(c)} for number, c in enumerate(selects, start=1)],
        "remarks": [_clause(c) for c in clauses if c not in selects],
    }


def keys(reader: User) -> dict[str, Any]:
    """The keys of this reader, for the page's frame."""
    bindings = choosing_keys.of(reader)
    return {"bindings": json.dumps(bindings), "keys": choosing_keys.listed(bindings)}


def of_assignment(assignment: Assignment, reader: User) -> dict[str, Any]:
    """A trace as this reader is to judge it. Drawn for the answer first, it comes without its chain until that is done."""
    round, trace = assignment.round, assignment.trace
    first = not round.beside and drawing.answer_first(round, trace, reader)
    alone = first and assignment.answered_alone is None
    shown = reading.for_desk(assignment)
    if alone:
        for part in ("steps_html", "raw_html"):
            del shown[part]
    key = assignment.lease_key
    if alone and key:
        key = uuid.uuid5(key, "answer alone")  # another decision than the one that ends the lease
    return {
        "assignment": assignment,
        "key": key,
        "alone": alone,
        "answered_alone": assignment.answered_alone if first else None,
        "every_clause": not alone and not round.beside and drawing.every_clause(round, trace, reader),
        "labels_steps": not alone and round.mode in (Round.Mode.STEPS, Round.Mode.FIRST_WRONG),
        "questions": asking.on(trace, reader) if assignment.asked else [],
        "stands_for": getattr(assignment, "repeats", 0) + 1,
        **shown,
    }


def _clause(clause: spec_markdown.ClauseText) -> dict[str, Any]:
    """Its question stands open; examples and the borderline case are one key away."""
    question, _, more = clause.text.partition("\n")
    return {"key": clause.key, "title": clause.title, "question": question, "more": more.strip()}

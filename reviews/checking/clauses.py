"""What clauses are for: nats by purpose, and whether two people classify them alike."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from reviews.measures.purposes import Purposes, purposes
from reviews.models import Citation, Clause, ClauseOpinion, Review, Round, SpecVersion, Verdict


@dataclass(frozen=True)
class Disputed:
    """A clause that two people have not classified alike; opinions: (purpose, relation) by name."""

    key: str
    opinions: dict[str, tuple[str, str]]


def split(round: Round, level: float) -> Purposes | None:
    """Nats by purpose, on readings that judge every clause one by one; None where the plan draws none.

    Cited clauses of other readings are no clause verdicts: the first fault found hides the rest (C8).
    """
    judged = (
        Review.objects.counting()
        .filter(round=round, every_clause=True, spec_version=round.spec_version_id)
        .filter(verdict__in=[Verdict.ACCEPT, Verdict.REJECT], blind=True, trace__batch__withdrawal=None)
    )
    rows = list(judged.values_list("pk", "trace__round_prompt__prompt"))
    if not rows:
        return None
    fails: dict[int, set[str]] = defaultdict(set)
    cited = Citation.objects.filter(review__in=judged, held=Citation.Held.FAILS)
    for review, aim in cited.values_list("review", "clause__purpose"):
        fails[review].add("form" if aim == Clause.Purpose.FORM else "alignment")
    prompts = sorted({prompt for _, prompt in rows})
    at = {prompt: place for place, prompt in enumerate(prompts)}
    counts = np.zeros((4, len(prompts)), dtype=np.int64)
    for review, prompt in rows:
        aligned, formed = "alignment" not in fails[review], "form" not in fails[review]
        counts[:, at[prompt]] += (1, aligned, formed, aligned and formed)
    return purposes(*counts, level=level)


def disputed(spec: SpecVersion) -> list[Disputed]:
    """The selecting clauses that fewer than two people have classified, or not all alike.

    Whoever published the spec has an opinion of each: what stands in it.
    """
    said: dict[int, dict[str, tuple[str, str]]] = defaultdict(dict)
    rows = ClauseOpinion.objects.filter(clause__spec_version=spec).select_related("by").order_by("pk")
    for opinion in rows:
        said[opinion.clause_id][opinion.by.username] = (opinion.purpose, opinion.relation)
    found = []
    for clause in spec.clauses.all():
        if not clause.selects:
            continue
        opinions = dict(said[clause.pk])
        if spec.published_by is not None:
            opinions.setdefault(spec.published_by.username, (clause.purpose, clause.relation))
        alike = {*opinions.values(), (clause.purpose, clause.relation)}
        if len(opinions) < 2 or len(alike) > 1:
            found.append(Disputed(clause.key, opinions))
    return found

"""Linting what would go out: how many texts talk of reviewers, a rubric or a monitor, with examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from reviews.measures import mentions
from reviews.models import Dataset, Trace

TRACES_AT_ONCE = 200
MOST_EXAMPLES = 20
AROUND = 60  # characters on either side of a mention


@dataclass(frozen=True)
class Example:
    """One mention with the words around it. part: reasoning or answer; start and end in code points of that part."""

    trace: Trace
    part: str
    term: str
    start: int
    end: int
    before: str
    found: str
    after: str


@dataclass
class Mentions:
    """What the linter found. traces: with any mention; by_term: traces with that term; prompts are not looked at."""

    read: int = 0
    traces: int = 0
    by_term: dict[str, int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)


def mentions_of(dataset: Dataset) -> Mentions:
    """Of the rows of a data set, once its membership is frozen."""
    members = Trace.objects.filter(memberships__dataset=dataset)
    return mentions_in(members.order_by("memberships__ordinal").distinct())


def mentions_in(traces: QuerySet[Trace]) -> Mentions:
    """Of any traces, in their order: reasoning and answer, as they would go out. Texts are read page by page."""
    found, counts = Mentions(), Counter[str]()
    ids = list(traces.values_list("pk", flat=True))
    for start in range(0, len(ids), TRACES_AT_ONCE):
        page = ids[start : start + TRACES_AT_ONCE]
        rows = Trace.objects.filter(pk__in=page).select_related("reasoning", "answer").defer("meta")
        for trace in sorted(rows, key=lambda row: page.index(row.pk)):
            examples = list(_of(trace))
            terms = {one.term for one in examples}
            counts.update(terms)
            found.read += 1
            found.traces += bool(terms)
            found.examples += examples[: MOST_EXAMPLES - len(found.examples)]
    found.by_term = dict(counts.most_common())
    return found


def _of(trace: Trace) -> Iterable[Example]:
    parts = {"reasoning": trace.reasoning, "answer": trace.answer}
    for part, stored in parts.items():
        text = stored.as_text if stored else ""
        for term, start, end in mentions.mentions(text):
            before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
            yield Example(trace, part, term, start, end, before, text[start:end], after)

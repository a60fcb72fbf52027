"""Words in texts: an index of its own in each database, built by a job, honest about what it has not reached.

SQLite: an FTS5 table that holds no text. PostgreSQL: a tsvector with a GIN index. Rows are texts, so that repeats are
indexed once. Texts are taken in the order of their ids, and `reach` is the last one that is in.
"""

from __future__ import annotations

import re
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from reviews import jobs
from reviews.errors import Invalid
from reviews.models import Round, Text, Trace

TEXTS_AT_ONCE = 200
LONGEST_INDEXED = 200_000  # characters; PostgreSQL takes no tsvector over 1 MB
_WORDS = re.compile(r"\w+")


def reach() -> int:
    """The id of the last text that can be found; 0 where none can."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(text_id), 0) FROM reviews_searchreach")
        return int(cursor.fetchone()[0])


def not_reached(round: Round) -> int:
    """How many traces of a round a search cannot find yet."""
    return Trace.objects.filter(round=round, reasoning__gt=reach()).count()


def find(traces: QuerySet[Trace], words: str) -> QuerySet[Trace]:
    """Those of the traces whose reasoning or answer has all the words. Raises Invalid where there is no word."""
    terms = _WORDS.findall(words.replace("\0", " "))[:20]
    if not terms:
        raise Invalid("text", _("A search needs a word of letters or digits."))
    if connection.vendor == "sqlite":
        match = " ".join(f'"{term}"' for term in terms)
        sql = "SELECT rowid FROM reviews_search WHERE reviews_search MATCH %s"
    else:
        match = " & ".join(terms)
        sql = "SELECT text_id FROM reviews_search WHERE document @@ to_tsquery('simple', %s)"
    where = f"(reviews_trace.reasoning_id IN ({sql}) OR reviews_trace.answer_id IN ({sql}))"
    return traces.extra(where=[where], params=[match, match])  # noqa: S610  the words are parameters


def run_job(job_id: int) -> None:
    """Index what is not indexed yet: what the task calls. A broken one goes on after its last committed text."""
    with jobs.running(job_id) as running:
        if running is None:
            return
        total = Text.objects.filter(pk__gt=reach()).count() + running.job.done
        done = running.job.done
        while taken := _index_some():
            done += taken
            running.advance(done, max(total, done))
        running.write(done=done, total=done)


@transaction.atomic
def _index_some() -> int:
    """Take in the next texts; how many they were."""
    texts = list(Text.objects.filter(pk__gt=reach()).order_by("pk")[:TEXTS_AT_ONCE])
    if not texts:
        return 0
    rows: list[list[Any]] = [[text.pk, text.as_text.replace("\0", " ")[:LONGEST_INDEXED]] for text in texts]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany("INSERT INTO reviews_search (rowid, body) VALUES (%s, %s)", rows)
        else:
            cursor.executemany(
                "INSERT INTO reviews_search (text_id, document) VALUES (%s, to_tsvector('simple', %s)) "
                "ON CONFLICT DO NOTHING",
                rows,
            )
        cursor.execute("DELETE FROM reviews_searchreach")
        cursor.execute("INSERT INTO reviews_searchreach (text_id) VALUES (%s)", [texts[-1].pk])
    return len(texts)


def rounds_behind() -> list[Round]:
    """The rounds with texts that the index has not taken in, which are those that no worker has prepared."""
    if (Text.objects.aggregate(last=Max("pk"))["last"] or 0) <= reach():
        return []
    fresh = Trace.objects.filter(reasoning__gt=reach()).values("round").distinct()
    return list(Round.objects.filter(pk__in=fresh))

"""Fill an instance with a round of N traces, as landing.Writer would leave it, but in a minute instead of an hour.

Runs inside the instance's Django and prints one line of JSON. Made up are the digests (random, so that the indexes
are as scattered as real ones) and that texts are shared between prompts, which keeps the disk small.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management.color import no_style  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from reviews import drawing, inviting, planning, preparing, publishing  # noqa: E402
from reviews.formats import canonical  # noqa: E402
from reviews.models import (  # noqa: E402
    Assignment,
    Decision,
    ImportBatch,
    Project,
    Prompt,
    PromptRendering,
    Rendering,
    Review,
    Round,
    RoundPrompt,
    Sampler,
    Text,
    Trace,
    User,
)
from reviews.rendering import document  # noqa: E402
from tests.bench.words import prose  # noqa: E402

K, CHARS, ANSWERS = 8, 4096, 50


def insert(model: Any, columns: dict[str, Any], rows: Iterable[tuple[Any, ...]]) -> None:
    """Rows into a model's table: `columns` maps each column of the rows to None, and others to one value for all."""
    fixed = {
        field.column: field.get_db_prep_save(field.get_default(), connection)
        for field in model._meta.concrete_fields
        if field.has_default() or field.null or field.empty_strings_allowed
    }
    fixed |= {name: value for name, value in columns.items() if value is not None}
    varying = [name for name, value in columns.items() if value is None]
    fixed = {name: value for name, value in fixed.items() if name not in varying and name != "id"}
    names = ", ".join(f'"{name}"' for name in [*varying, *fixed])
    tail = tuple(fixed.values())
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row + tail)
        else:
            marks = ", ".join("?" * (len(varying) + len(tail)))
            raw = connection.connection.cursor()
            raw.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", (row + tail for row in rows))


def next_id(model: Any) -> int:
    last = model.objects.order_by("-pk").values_list("pk", flat=True).first()
    return (last or 0) + 1


def write_texts(count: int, chars: int, answers: int) -> tuple[list[int], list[int]]:
    """Texts with their renderings, as the worker leaves them. Returns the ids of reasonings and answers."""
    start = next_id(Text)
    bodies = [prose(chars, start + number) for number in range(count)]
    bodies += [f"{start + number}: the answer is {number}." for number in range(answers)]
    encoded = [body.encode() for body in bodies]
    insert(
        Text,
        {"id": None, "digest": None, "body": None, "chars": None, "bytes": None},
        (
            (start + number, canonical.text_digest(body), data, len(body), len(data))
            for number, (body, data) in enumerate(zip(bodies, encoded, strict=True))
        ),
    )

    def rendered() -> Iterator[tuple[Any, ...]]:
        for number, body in enumerate(bodies):
            made: Any = document.render(body, None).to_json()
            yield (
                start + number,
                preparing.NO_STEPS,
                document.VERSION,
                made.encode() if isinstance(made, str) else made,
            )

    insert(Rendering, {"text_id": None, "split": None, "version": None, "document": None}, rendered())
    return list(range(start, start + count)), list(range(start + count, start + count + answers))


def write_prompts(round: Round, count: int, draw: Random) -> tuple[int, int]:
    """Prompts, rendered as the worker leaves them, and their places in the round. Returns the first id of either."""
    prompt, place = next_id(Prompt), next_id(RoundPrompt)
    asked = [f"What is {number} + 1? Show each step." for number in range(count)]
    insert(
        Prompt,
        {"id": None, "project_id": round.project_id, "digest": None, "messages": None, "bucket": None},
        (
            (
                prompt + number,
                draw.randbytes(32),
                canonical.dump([{"role": "user", "content": text}]),
                draw.randrange(10_000),
            )
            for number, text in enumerate(asked)
        ),
    )
    insert(
        PromptRendering,
        {"prompt_id": None, "documents": None, "version": document.VERSION},
        (
            (prompt + number, json.dumps([document.render(text).to_json()]).encode())
            for number, text in enumerate(asked)
        ),
    )
    insert(
        RoundPrompt,
        {"id": None, "round_id": round.pk, "prompt_id": None, "external_id": None, "identity": None},
        ((place + number, prompt + number, f"p{number}", draw.randbytes(32)) for number in range(count)),
    )
    return prompt, place


def write_round(round: Round, traces: int, texts: int, chars: int, veteran: User | None) -> dict[str, Any]:
    """All rows of a round. The veteran has judged the traces whose open slots are the first fifth of the queue.

    Of such a trace their verdict closed the slot that stands further back, so that the one at the head is open to
    everyone but them: the worst case for a search that starts at the front.
    """
    draw = Random(round.pk)
    reasonings, answers = write_texts(texts, chars, ANSWERS)
    _, places = write_prompts(round, -(-traces // K), draw)
    sampler = Sampler.objects.create(
        round=round, model="m", identity=draw.randbytes(32), sampling=canonical.dump({"temperature": 1})
    )
    batch = ImportBatch.objects.create(
        round=round,
        file="bench.jsonl",
        sha256=draw.randbytes(32),
        finished=True,
        read=traces,
        traces_new=traces,
    )
    first, slots = next_id(Trace), round.overlap
    digests = [draw.randbytes(32) for _ in range(traces)]
    spots = [[drawing.place_of(round, digest, slot) for slot in range(slots)] for digest in digests]
    head: list[int] = []
    if veteran is not None:
        order = sorted((min(of), number) for number, of in enumerate(spots))
        head = [number for _, number in order[: traces // 5]]
    review = next_id(Review)
    closing = {number: review + at for at, number in enumerate(head)}

    meta = canonical.dump({"domain": "sums", "finish_reason": "stop"})
    insert(
        Trace,
        {
            "id": None, "round_prompt_id": None, "sample_index": None, "identity": None, "content_digest": None,
            "digest": None, "reasoning_id": None, "answer_id": None, "round_id": round.pk, "sampler_id": sampler.pk,
            "batch_id": batch.pk, "generation": 0, "prompt_was_text": True, "finish": "stop", "meta": meta,
        },
        (
            (
                first + number, places + number // K, number % K, draw.randbytes(32), draw.randbytes(32),
                digests[number], reasonings[number % texts], answers[number % ANSWERS],
            )
            for number in range(traces)
        ),
    )  # fmt: skip
    then = timezone.now() - timedelta(days=1)
    moment: Any = connection.ops.adapt_datetimefield_value(then)
    as_key = (lambda key: key) if connection.features.has_native_uuid_field else (lambda key: key.hex)

    def reviews() -> Iterator[tuple[Any, ...]]:
        for number in head:
            back = spots[number].index(max(spots[number]))
            yield (
                closing[number],
                first + number,
                back,
                as_key(uuid.UUID(bytes=draw.randbytes(16))),
                draw.randbytes(32),
            )

    def assignments() -> Iterator[tuple[Any, ...]]:
        for number, of in enumerate(spots):
            back = of.index(max(of)) if number in closing else -1
            for slot, place in enumerate(of):
                if slot == back and veteran is not None:
                    key = as_key(uuid.UUID(bytes=draw.randbytes(16)))
                    # Searched in an epoch that is over: the next search starts at the front, as after an import.
                    yield (
                        first + number,
                        slot,
                        place,
                        veteran.pk,
                        moment,
                        moment,
                        key,
                        place,
                        0,
                        closing[number],
                    )
                else:
                    yield first + number, slot, place, None, None, None, None, None, None, None

    if veteran is not None:
        insert(
            Review,
            {
                "id": None, "trace_id": None, "slot": None, "key": None, "body_digest": None, "round_id": round.pk,
                "reviewer_id": veteran.pk, "verdict": "accept", "spec_version_id": round.spec_version_id, "at": moment,
            },
            reviews(),
        )  # fmt: skip
    insert(
        Assignment,
        {
            "trace_id": None, "slot": None, "place": None, "leased_by_id": None, "leased_at": None,
            "leased_until": None, "lease_key": None, "searched_to": None, "searched_epoch": None,
            "closed_by_id": None, "round_id": round.pk,
        },
        assignments(),
    )  # fmt: skip
    insert(
        Decision,
        {"trace_id": None, "readings": None, "round_id": round.pk},
        ((first + number, int(number in closing)) for number in range(traces)),
    )
    Round.objects.filter(pk=round.pk).update(epoch=1)
    return {"round": round.pk, "head": len(head)}


def fast(on: bool) -> None:
    """No checks of foreign keys and no syncs while seeding: the rows are ours."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SET session_replication_role = {'replica' if on else 'origin'}")
        else:
            cursor.execute(f"PRAGMA foreign_keys={'OFF' if on else 'ON'}")
            cursor.execute(f"PRAGMA synchronous={'OFF' if on else 'FULL'}")
            cursor.execute("PRAGMA cache_size=-2000000")


@contextmanager
def indexes_later() -> Iterator[None]:
    """On SQLite: build the large tables' indexes once over all rows, not row by row; the result is the same."""
    if connection.vendor != "sqlite":
        yield
        return
    tables = [model._meta.db_table for model in (Assignment, Decision, Trace, Review, RoundPrompt, Prompt)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql, tbl_name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        )
        dropped = [(name, sql) for name, sql, table in cursor.fetchall() if table in tables]
        for name, _ in dropped:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for _, sql in dropped:
            cursor.execute(sql)


def settle() -> int:
    """Statistics as the database itself would have them after a while. Returns the database's size in bytes."""
    models = [
        Assignment,
        Decision,
        ImportBatch,
        Prompt,
        PromptRendering,
        Rendering,
        Review,
        RoundPrompt,
        Sampler,
        Text,
        Trace,
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for statement in connection.ops.sequence_reset_sql(no_style(), models):
                cursor.execute(statement)
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return os.path.getsize(settings.DATABASES["default"]["NAME"])


def people(project: Project, names: list[str]) -> list[dict[str, Any]]:
    """Reviewers, each with a token for the API and a session for a browser."""
    found = []
    for name in names:
        user = inviting.create_member(name, project, "reviewer", by=None)
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        token = inviting.make_token(user, project, "reviewer", by=None)
        found.append(
            {"name": name, "token": token, "cookie": cookie.key, "session": cookie.value, "id": user.pk}
        )
    return found


def seed(traces: int, texts: int, readers: int, reading: bool) -> dict[str, Any]:
    begun = time.perf_counter()
    project, _ = planning.create_project("bench")
    publishing.publish(project, publishing.STARTER_SPEC, by=None)
    found = people(project, ["veteran", "sitting", "browsing", *(f"reader-{n}" for n in range(readers))])
    veteran = User.objects.get(pk=found[0]["id"])
    fast(True)
    rounds: dict[str, Any] = {}
    plan = [("big", traces, min(texts, traces), CHARS, veteran, 2)]
    if reading:
        plan += [(f"{tokens} tokens", 24, 8, 4 * tokens, None, 1) for tokens in (1000, 10_000, 30_000)]
    for name, count, distinct, chars, judged_by, overlap in plan:
        round, _ = planning.create_round(project, name, by=None, overlap=overlap, double_share=0)
        with transaction.atomic(), indexes_later():
            rounds[name] = write_round(round, count, distinct, chars, judged_by)
    fast(False)
    size = settle()
    return {
        "people": found,
        "rounds": rounds,
        "seconds": round_to(time.perf_counter() - begun),
        "mib": round_to(size / 2**20),
    }


def round_to(number: float) -> float:
    return float(f"{number:.1f}")


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--traces", type=int, required=True)
    asked.add_argument("--texts", type=int, default=2000)
    asked.add_argument("--readers", type=int, default=60)
    asked.add_argument("--reading", action="store_true")
    sys.stdout.write(json.dumps(seed(**vars(asked.parse_args()))) + "\n")

"""What the database itself refuses, by raw SQL."""

import pytest
from django.core.checks import run_checks
from django.db import IntegrityError, connection, transaction
from making import judge

from reviews.models import Trace
from reviews.models.frozen import freeze, frozen_models, installed, trigger_names

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged(leased, ada):
    return judge(leased, "reject", ada)


def refused(sql: str) -> str:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    return str(refusal.value)


@pytest.mark.parametrize("model", [model for model, _ in frozen_models()], ids=lambda model: model.__name__)
def test_every_frozen_table_has_its_triggers(model, db):
    assert trigger_names(model, connection.vendor) <= installed(connection)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE reviews_trace SET sample_index = 99",
        "DELETE FROM reviews_trace",
        "UPDATE reviews_prompt SET bucket = 9999",
        "UPDATE reviews_text SET digest = digest || digest",
        "DELETE FROM reviews_text",
        "UPDATE reviews_specversion SET text = 'x'",
        "UPDATE reviews_clause SET purpose = 'form'",
        "DELETE FROM reviews_clause",
        "UPDATE reviews_review SET verdict = 'accept'",
        "DELETE FROM reviews_citation",
        "UPDATE reviews_event SET kind = 'x'",
        "DELETE FROM reviews_event",
    ],
)
def test_raw_sql_cannot_change_a_frozen_row(judged, sql):
    assert "is frozen" in refused(sql)


def test_a_whole_table_cannot_be_replaced_or_emptied(judged):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else what the test wrote itself is in the way
    replace = "INSERT OR REPLACE INTO reviews_trace SELECT * FROM reviews_trace"
    assert "is frozen" in refused(
        replace if connection.vendor == "sqlite" else "TRUNCATE reviews_review CASCADE"
    )


def test_only_purge_may_empty_a_text(judged):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reviews_text SET body = %s", [b""])
    assert bytes(Trace.objects.with_texts().first().reasoning.body) == b""


def test_one_live_review_and_one_live_lease(judged, leased, ada, ben, traces):
    columns = "round_id, trace_id, reviewer_id, reviewer_kind, kind, origin, pass_number, verdict, comment, body_digest, at"
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO reviews_review ({columns}, key) SELECT {columns}, %s FROM reviews_review",
            ["0" * 32 if connection.vendor == "sqlite" else "00000000-0000-0000-0000-000000000000"],
        )
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO reviews_assignment (round_id, trace_id, slot, kind, place) "
            "SELECT round_id, trace_id, slot, kind, place FROM reviews_assignment"
        )


def test_a_lost_trigger_is_found_by_the_system_check_and_put_back(db):
    assert not run_checks(databases=["default"], include_deployment_checks=False, tags=["database"])
    on = " ON reviews_trace" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER reviews_trace_no_update{on}")
    assert [problem.id for problem in run_checks(databases=["default"], tags=["database"])] == [
        "reviews.E001"
    ]
    freeze(connection)
    assert not run_checks(databases=["default"], tags=["database"])

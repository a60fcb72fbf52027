"""The API as a script meets it."""

from __future__ import annotations

import json
import uuid

import pytest
from django.test import Client
from making import as_lines, judge, trace_row, without_lines

from reviews import assigning, exporting, inviting
from reviews.models import Dataset, Idempotency, Job, Member, Review, Role, Token, Trace


class Caller:
    """A client with a token."""

    def __init__(self, user, project, role):
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {inviting.make_token(user, project, role, by=user)}"}

    def get(self, path, **headers):
        return self.client.get(f"/api/v1/{path}", headers=self.headers | headers)

    def post(self, path, body=None, key=None, **headers):
        extra = {"Idempotency-Key": str(key)} if key else {}
        return self.client.post(
            f"/api/v1/{path}",
            body if body is not None else {},
            content_type="application/json",
            headers=self.headers | extra | headers,
        )


@pytest.fixture
def ada_api(ada, project):
    return Caller(ada, project, Role.REVIEWER)


@pytest.fixture
def lea_api(lea, project):
    return Caller(lea, project, Role.LEAD)


def test_a_reviewer_takes_judges_undoes_and_skips_by_script(ada_api, traces, round):
    taken = ada_api.post(f"rounds/{round.pk}/next").json()
    assert set(taken) == {"assignment", "expires_at", "trace", "clauses"}
    assert set(taken["trace"]) == {"digest", "prompt", "reasoning", "answer"}
    assert taken["clauses"] == [
        {"key": "H1", "title": "Serves the person"},
        {"key": "H2", "title": "No hidden intent"},
        {"key": "F1", "title": "Form"},
    ]
    ahead = ada_api.post(f"rounds/{round.pk}/next?ahead=1").json()
    assert ahead["assignment"] != taken["assignment"]

    key = uuid.uuid4()
    path = f"assignments/{taken['assignment']}/review"
    said = {"verdict": "reject", "clauses": ["H2"], "remarks": ["F1"], "comment": "  kept  ", "seconds": 4.5}
    done = ada_api.post(path, said, key=key)
    assert (done.status_code, done.json()["decision"]) == (201, "rejected")
    assert ada_api.post(path, said, key=key).json() == done.json()
    assert ada_api.post(path, said | {"comment": "other"}, key=key).status_code == 422
    assert ada_api.post(path, said, key=uuid.uuid4()).status_code == 409
    assert Review.objects.get().comment == "  kept  "

    undone = ada_api.post(f"reviews/{done.json()['review']}/withdraw")
    assert undone.json()["decision"] == "pending"
    assert ada_api.post(f"rounds/{round.pk}/next").json()["assignment"] == taken["assignment"]
    assert ada_api.post(f"assignments/{taken['assignment']}/renew").status_code == 200
    assert ada_api.post(f"assignments/{taken['assignment']}/skip", {"reason": "too long"}).status_code == 204


def test_an_empty_queue_answers_204_with_the_reason(ada_api, ben, traces, round):
    for _ in range(6):
        judge(assigning.next_for(ben, round).assignments[0], "accept", ben)
    empty = ada_api.post(f"rounds/{round.pk}/next")
    assert (empty.status_code, empty.content) == (204, b"")
    assert empty.headers["Winnow-Empty"] == "everything is judged"


def test_errors_are_problem_details_with_the_field(ada_api, leased, round):
    problem = ada_api.post(f"assignments/{leased.pk}/review", {"verdict": "reject"}, key=uuid.uuid4())
    assert problem.status_code == 422
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert problem.json() == {
        "type": "about:blank",
        "title": "Refused",
        "status": 422,
        "code": "clause-needed",
        "detail": "A reject names the clause that fails: give at least one.",
        "errors": [
            {"field": "clauses", "detail": "A reject names the clause that fails: give at least one."}
        ],
    }
    odd = {
        "verdict": "perhaps",
        "spans": [{"clause": "H1", "part": "reasoning", "start": -1, "end": 2, "quote": "x"}],
    }
    fields = {
        fault["field"]
        for fault in ada_api.post(f"assignments/{leased.pk}/review", odd, key=uuid.uuid4()).json()["errors"]
    }
    assert fields == {"verdict", "spans.0.start"}
    assert (
        ada_api.post(f"assignments/{leased.pk}/review", {"verdict": "accept"}).json()["errors"][0]["field"]
        == "Idempotency-Key"
    )
    assert ada_api.get("rounds/999999").json()["code"] == "not-found"
    assert ada_api.get("rounds/abc").status_code == 404
    assert (
        ada_api.client.post(
            f"/api/v1/assignments/{leased.pk}/review",
            b"{",
            content_type="application/json",
            headers=ada_api.headers,
        ).status_code
        == 400
    )


def test_without_a_token_or_with_a_revoked_one_nobody_gets_in(ada_api, ada):
    assert Client().get("/api/v1/me").status_code == 401
    assert (
        Client()
        .get("/api/v1/me", headers={"Authorization": "Bearer nonsense"})
        .headers["WWW-Authenticate"]
        .startswith("Bearer")
    )
    assert ada_api.get("me").json() == {"user": "ada", "roles": [{"project": "pilot", "role": "reviewer"}]}
    inviting.revoke_token(Token.objects.get(), by=ada)
    assert ada_api.get("me").status_code == 401


def test_a_token_acts_in_its_own_role_only(project, lea, traces, round):
    Member.objects.create(project=project, user=lea, role=Role.REVIEWER)
    as_reviewer = Caller(lea, project, Role.REVIEWER)
    assert as_reviewer.post(f"rounds/{round.pk}/next").status_code == 200
    assert as_reviewer.get(f"rounds/{round.pk}/decisions").status_code == 403
    assert Caller(lea, project, Role.LEAD).post(f"rounds/{round.pk}/next").status_code == 403


def test_a_token_of_a_member_who_left_opens_nothing(ada_api, ada, round, project):
    Member.objects.filter(user=ada).delete()
    assert ada_api.get(f"rounds/{round.pk}").status_code == 404
    assert ada_api.get("projects").json()["results"] == []


def test_traces_come_in_as_ndjson_with_an_answer_for_each_line(lea_api, round):
    body = as_lines([trace_row(1), b"{", trace_row(2), trace_row(1)])

    def post(key):
        return lea_api.client.post(
            f"/api/v1/rounds/{round.pk}/traces",
            body,
            content_type="application/x-ndjson",
            headers=lea_api.headers | {"Idempotency-Key": key},
        )

    key = str(uuid.uuid4())
    rows = [json.loads(line) for line in b"".join(post(key).streaming_content).splitlines()]
    assert [row["state"] for row in rows] == ["new", "refused", "new", "known"]
    assert rows[1]["line"] == 2
    assert "not JSON" in rows[1]["reason"]
    assert rows[0]["digest"] == Trace.objects.order_by("pk").first().digest_hex
    again = post(key)
    assert json.loads(again.content) == rows
    assert lea_api.post(f"rounds/{round.pk}/traces").status_code == 415


def test_decisions_and_reviews_are_listed_filtered_and_streamed(lea_api, ada, traces, round):
    for verdict in ("accept", "reject", "accept"):
        judge(assigning.next_for(ada, round).assignments[0], verdict, ada)
    listed = lea_api.get(f"rounds/{round.pk}/decisions?state=accepted").json()
    assert [row["state"] for row in listed["results"]] == ["accepted"] * 2
    assert lea_api.get(f"rounds/{round.pk}/decisions?state=odd").status_code == 422
    streamed = b"".join(
        lea_api.get(
            f"rounds/{round.pk}/reviews?verdict=reject", Accept="application/x-ndjson"
        ).streaming_content
    )
    row = json.loads(streamed)
    assert (row["reviewer"], row["verdict"], row["clauses"]) == ("ada", "reject", ["H1"])
    page = lea_api.get(f"rounds/{round.pk}/decisions?limit=4").json()
    assert len(page["results"]) == 4
    assert page["next"]


def test_a_write_with_the_same_key_is_done_once(lea_api, ada, traces, round, monkeypatch):
    judge(assigning.next_for(ada, round).assignments[0], "accept", ada)
    key, body = uuid.uuid4(), {"round": round.pk, "format": "sft"}
    first = lea_api.post("datasets", body, key=key)
    again = lea_api.post("datasets", body, key=key)
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert lea_api.post("datasets", body | {"format": "kto"}, key=key).status_code == 422
    assert Dataset.objects.count() == Idempotency.objects.count() == 1


def test_a_data_set_is_drafted_watched_and_downloaded_in_ranges(lea_api, ada, traces, round, project, tom):
    without_lines(project)
    judge(assigning.next_for(ada, round).assignments[0], "accept", ada)
    made = lea_api.post("datasets", {"round": round.pk}).json()
    assert made["state"] == "draft"
    assert made["job"]["state"] == "waiting"
    exporting.run_job(Job.objects.get().pk)

    trainer = Caller(tom, project, Role.TRAINER)
    ready = trainer.get(f"datasets/{made['id']}").json()
    assert ready["state"] == "ready"
    assert trainer.get(f"jobs/{made['job']['id']}").json()["state"] == "done"
    shard = next(name for name in ready["files"] if name.endswith(".parquet"))
    whole = b"".join(trainer.get(f"datasets/{made['id']}/files/{shard}").streaming_content)
    part = trainer.get(f"datasets/{made['id']}/files/{shard}", Range="bytes=4-99")
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == whole[4:100]
    assert (
        b"".join(trainer.get(f"datasets/{made['id']}/files/{shard}", Range="bytes=-10").streaming_content)
        == whole[-10:]
    )
    assert (
        trainer.get(f"datasets/{made['id']}/files/{shard}", Range=f"bytes={len(whole)}-").status_code == 416
    )
    for name in ("../../keys/secret_key", "data", "/etc/passwd", "nothing"):
        assert trainer.get(f"datasets/{made['id']}/files/{name}").status_code == 404
    assert trainer.post("datasets", {"round": round.pk}).status_code == 422  # a trainer sees no round
    assert trainer.post(f"jobs/{made['job']['id']}/cancel").status_code == 403


def test_another_projects_round_cannot_be_named_in_a_draft(stranger, round, traces, lea_api):
    outsider = Caller(stranger, stranger.memberships.first().project, Role.LEAD)
    refused = outsider.post("datasets", {"round": round.pk})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "round"


def test_far_too_many_calls_are_told_to_wait(ada_api, monkeypatch):
    from reviews.api.throttling import PerCaller

    monkeypatch.setattr(PerCaller, "rate", "2/second", raising=False)
    answers = [ada_api.get("me") for _ in range(4)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_the_api_describes_itself(ada_api, ada):
    schema = ada_api.get("schema", Accept="application/vnd.oai.openapi+json").json()
    assert schema["openapi"].startswith("3.1")
    assert "/api/v1/rounds/{id}/next" in schema["paths"]
    browser = Client()
    browser.force_login(ada)
    assert b"/api/v1/rounds/{id}/next" in browser.get("/api/v1/").content


def test_the_description_of_the_api_has_no_gaps(db, tmp_path):
    from django.core.management import call_command

    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))
    assert "openapi: 3.1" in (tmp_path / "schema.yaml").read_text()


def test_a_verdict_is_one_commit(transactional_db, leased, ada, project):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    caller = Caller(ada, project, Role.REVIEWER)
    with CaptureQueriesContext(connection) as asked:
        said = {"verdict": "reject", "clauses": ["H1"]}
        assert caller.post(f"assignments/{leased.pk}/review", said, key=uuid.uuid4()).status_code == 201
    assert sum(query["sql"] == "COMMIT" for query in asked.captured_queries) == 1

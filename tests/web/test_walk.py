"""Every address × every role: what each person gets, held against a table.

200, 302 (done, go on), 404 (not for your eyes), 403 (not your role), 405, 422 and 409 are answers; nothing else is.
"""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from making import judge, member, without_lines

from reviews import asking, assigning, drafting, exporting, inviting, jobs
from reviews.lineages import booking, registering
from reviews.models import Decision, ImportBatch, Job, Member, Project, Role, Token

OK, GO, NOT_HERE, NOT_YOU, IN = 200, 302, 404, 403, "sign-in"
#            address: (method, lead, auditor, reviewer, trainer, stranger, nobody)
PAGES = {
    "home": ("get", 200, 200, 200, 200, 200, IN),
    "account": ("get", 200, 200, 200, 200, 200, IN),
    "new-project": ("get", 403, 403, 403, 403, 403, IN),
    "choose-keys": ("post", 302, 302, 302, 302, 302, IN),
    "revoke-token": ("post", 302, 404, 404, 404, 404, IN),
    "project": ("get", 200, 200, 200, 200, 404, IN),
    "members": ("get", 200, 200, 403, 403, 404, IN),
    "invite": ("post", 302, 403, 403, 403, 404, IN),
    "remove-member": ("post", 302, 403, 403, 403, 404, IN),
    "spec": ("get", 200, 200, 200, 200, 404, IN),
    "log": ("get", 200, 200, 403, 403, 404, IN),
    "lineage": ("get", 200, 200, 403, 200, 404, IN),
    "register-checkpoint": ("post", 302, 403, 403, 302, 404, IN),
    "attribute-sampler": ("post", 422, 403, 403, 422, 404, IN),
    "report-use": ("post", 422, 403, 403, 422, 404, IN),
    "not-used": ("post", 422, 403, 403, 422, 404, IN),
    "checkpoint": ("get", 200, 200, 404, 200, 404, IN),
    "measure-checkpoint": ("post", 422, 403, 404, 422, 404, IN),
    "external-exposure": ("post", 422, 403, 404, 422, 404, IN),
    "held-out": ("get", 200, 200, 403, 200, 404, IN),
    "import-probes": ("post", 422, 403, 403, 422, 404, IN),
    "draw-family": ("post", 409, 403, 403, 403, 404, IN),
    "new-round": ("get", 200, 403, 403, 403, 404, IN),
    "round": ("get", 200, 200, 200, 404, 404, IN),
    "round-state": ("post", 302, 403, 403, 404, 404, IN),
    "import-file": ("post", 422, 403, 403, 404, 404, IN),
    "draft": ("post", 302, 403, 403, 404, 404, IN),
    "configure-draft": ("post", 302, 403, 404, 403, 404, IN),
    "aim-draft": ("post", 302, 403, 404, 403, 404, IN),
    "export": ("post", 302, 403, 404, 403, 404, IN),
    "decline": ("post", 302, 403, 404, 403, 404, IN),
    "policy": ("get", 200, 200, 403, 200, 404, IN),
    "compare-policies": ("get", 200, 200, 403, 200, 404, IN),
    "classify-clause": ("post", 302, 302, 403, 403, 404, IN),
    "traces": ("get", 200, 200, 403, 404, 404, IN),
    "disputes": ("get", 200, 200, 403, 404, 404, IN),
    "questions": ("get", 200, 200, 403, 404, 404, IN),
    "answer": ("post", 422, 403, 403, 404, 404, IN),
    "requeue": ("post", 422, 403, 403, 404, 404, IN),
    "index": ("post", 302, 403, 403, 404, 404, IN),
    "undo": ("post", 403, 403, 302, 404, 404, IN),
    "mine": ("get", 403, 403, 200, 404, 404, IN),
    "compare": ("post", 403, 403, 422, 404, 404, IN),
    "skip-look": ("post", 403, 403, 302, 404, 404, IN),
    "gold": ("post", 422, 403, 404, 404, 404, IN),
    "ask": ("post", 404, 404, 302, 404, 404, IN),
    "rendered": ("get", 404, 404, 204, 404, 404, IN),
    "agreement": ("get", 200, 200, 403, 404, 404, IN),
    "agreement-rows": ("get", 200, 200, 403, 404, 404, IN),
    "agreement-clauses": ("get", 200, 200, 403, 404, 404, IN),
    "agreement-readers": ("get", 200, 200, 200, 404, 404, IN),
    "agreement-report": ("get", 200, 200, 403, 404, 404, IN),
    "desk": ("get", 403, 403, 200, 404, 404, IN),
    "next-trace": ("post", 403, 403, 302, 404, 404, IN),
    "import": ("get", 200, 200, 404, 404, 404, IN),
    "refused-lines": ("get", 200, 200, 404, 404, 404, IN),
    "withdraw-import": ("post", 422, 403, 404, 404, 404, IN),
    "read-again": ("post", 422, 403, 404, 404, 404, IN),
    "prompt": ("get", 200, 200, 403, 404, 404, IN),
    "trace": ("get", 200, 200, 404, 404, 404, IN),
    "adjudicate": ("get", 200, 403, 404, 404, 404, IN),
    "dataset": ("get", 200, 200, 404, 200, 404, IN),
    "go-on": ("post", 409, 403, 404, 403, 404, IN),
    "dataset-file": ("get", 200, 200, 404, 200, 404, IN),
    "decide": ("post", 404, 404, 302, 404, 404, IN),
    "skip": ("post", 404, 404, 302, 404, 404, IN),
    "renew": ("post", 404, 404, 204, 404, 404, IN),
    "withdraw": ("post", 403, 403, 302, 404, 404, IN),
    "job": ("get", 200, 200, 404, 200, 404, IN),
    "cancel-job": ("post", 302, 403, 404, 403, 404, IN),
}
API = {
    "api-me": ("get", 200, 200, 200, 200, 200, 401),
    "api-schema": ("get", 200, 200, 200, 200, 200, 200),
    "api-project-list": ("get", 200, 200, 200, 200, 200, 401),
    "api-project-rounds": ("get", 200, 200, 200, 200, 404, 401),
    "api-round-detail": ("get", 200, 200, 200, 404, 404, 401),
    "api-round-next": ("post", 403, 403, 200, 404, 404, 401),
    "api-round-traces": ("ndjson", 200, 403, 403, 404, 404, 401),
    "api-round-decisions": ("get", 200, 200, 403, 404, 404, 401),
    "api-round-reviews": ("get", 200, 200, 403, 404, 404, 401),
    "api-round-agreement": ("get", 200, 200, 403, 404, 404, 401),
    "api-round-policy": ("get", 200, 200, 403, 404, 404, 401),
    "api-assignment-review": ("post", 404, 404, 201, 404, 404, 401),
    "api-assignment-skip": ("post", 404, 404, 204, 404, 404, 401),
    "api-assignment-renew": ("post", 404, 404, 200, 404, 404, 401),
    "api-review-withdraw": ("post", 403, 403, 200, 404, 404, 401),
    "api-dataset-list": ("post", 202, 403, 403, 422, 422, 401),
    "api-dataset-detail": ("get", 200, 200, 404, 200, 404, 401),
    "api-dataset-files": ("get", 200, 200, 404, 200, 404, 401),
    "api-checkpoint-list": ("post", 200, 403, 403, 201, 422, 401),
    "api-use-report-list": ("post", 201, 403, 422, 201, 422, 401),
    "api-probe-result-list": ("ndjson", 200, 403, 403, 200, 404, 401),
    "api-job-detail": ("get", 200, 200, 404, 200, 404, 401),
    "api-job-cancel": ("post", 200, 403, 404, 403, 404, 401),
}
# For everyone, signed in or not: the ways in, and the health checks. Tested in test_signing_in.py and test_health.py.
OPEN = {"sign-in", "sign-out", "enter", "invitation", "accept-invitation", "healthz", "readyz", "api"}
OPEN |= {"set-language", "js-catalogue"}
LINES = dict.fromkeys(("matters", "not_outcomes", "expected", "stop_when"), "written in a few words")
WHO = ["lea", "aud", "ada", "tom", "stranger", "nobody"]
ROLES = {
    "lea": Role.LEAD,
    "aud": Role.AUDITOR,
    "ada": Role.REVIEWER,
    "tom": Role.TRAINER,
    "stranger": Role.LEAD,
}


def finish(answer) -> None:
    """Read a streamed answer to its end, which closes its file; closing it here would close the database too."""
    if answer.streaming:
        list(answer.streaming_content)


def named(patterns=None) -> set[str]:
    found: set[str] = set()
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            found |= named(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            found.add(pattern.name)
    return found


@pytest.fixture
def people(lea, aud, ada, tom, stranger):
    return {"lea": lea, "aud": aud, "ada": ada, "tom": tom, "stranger": stranger}


@pytest.fixture
def places(people, traces, round, project, ada, lea):
    """An address of each kind of row: judged, leased, imported, exported."""
    done = judge(assigning.next_for(ada, round).assignments[0], "accept", ada)
    without_lines(project)
    dataset = exporting.build(drafting.draft(round, "sft", by=lea))
    draft = drafting.draft(round, "sft", by=lea)
    job = jobs.start(Job.Kind.BUILD_DATASET, project.pk, dataset.pk, by=lea, unit="rows")
    question = asking.ask(assigning.next_for(ada, round).assignments[0], "Which?", by=ada)
    lease = assigning.next_for(ada, round).assignments[0]
    Decision.objects.filter(trace=done.trace).update(state="disputed", why="split")
    inviting.make_token(lea, project, Role.LEAD, by=lea)
    gone = Member.objects.create(project=project, user=member(project, "leaver"), role=Role.REVIEWER)
    checkpoint, _ = registering.register(project, "base", by=lea)
    entry = booking.book(dataset, {"domains": {}, "traces": 1, "tokens": 9}, by=lea)[0]
    slug = project.slug
    return {
        "round": f"p/{slug}/rounds/{round.pk}",
        "project": f"p/{slug}",
        "import": f"p/{slug}/imports/{ImportBatch.objects.get().pk}",
        "trace": f"p/{slug}/traces/{done.trace_id}",
        "prompt": f"p/{slug}/prompts/{done.trace.round_prompt_id}",
        "dataset": f"p/{slug}/datasets/{dataset.pk}",
        "draft": f"p/{slug}/datasets/{draft.pk}",
        "clause": f"p/{slug}/clauses/{round.spec_version.clauses.first().pk}",
        "assignment": lease,
        "review": done,
        "question": question,
        "job": job,
        "member": gone,
        "checkpoint": checkpoint,
        "entry": entry,
        "rounds": round.pk,
        "datasets": dataset.pk,
        "shard": dataset.files[-1],
        "token": Token.objects.get(user=lea),
    }


def address(name: str, at: dict) -> tuple[str, dict]:
    """The path and the body with which an address is asked."""
    round, lease, dataset = at["round"], at["assignment"], at["dataset"]
    said = {"verdict": "accept", "key": str(uuid.uuid4())}
    return {
        "home": ("", {}),
        "account": ("me", {}),
        "new-project": ("projects/new", {}),
        "revoke-token": (f"me/tokens/{at['token'].pk}/revoke", {}),
        "project": (at["project"], {}),
        "members": (f"{at['project']}/members", {}),
        "spec": (f"{at['project']}/spec", {}),
        "invite": (f"{at['project']}/members/invite", {"role": "reviewer"}),
        "log": (f"{at['project']}/log", {}),
        "lineage": (f"{at['project']}/lineage", {}),
        "register-checkpoint": (f"{at['project']}/lineage/register", {"name": "next", "stage": "sft"}),
        "attribute-sampler": (f"{at['project']}/lineage/samplers", {}),
        "report-use": (f"{at['project']}/lineage/use", {}),
        "not-used": (f"{at['project']}/ledger/{at['entry'].pk}/not-used", {}),
        "checkpoint": (f"{at['project']}/checkpoints/{at['checkpoint'].pk}", {}),
        "measure-checkpoint": (f"{at['project']}/checkpoints/{at['checkpoint'].pk}/measure", {}),
        "external-exposure": (f"{at['project']}/checkpoints/{at['checkpoint'].pk}/external", {}),
        "held-out": (f"{at['project']}/held-out", {}),
        "import-probes": (f"{at['project']}/held-out/import", {}),
        "draw-family": (f"{at['project']}/held-out/family", {}),
        "remove-member": (f"{at['project']}/members/{at['member'].pk}/remove", {}),
        "new-round": (f"{at['project']}/rounds/new", {}),
        "round": (round, {}),
        "round-state": (f"{round}/state", {"state": "open"}),
        "import-file": (f"{round}/import", {}),
        "draft": (f"{round}/draft", {"format": "sft"}),
        "configure-draft": (f"{at['draft']}/configure", {}),
        "aim-draft": (f"{at['draft']}/target", {"format": "sft"}),
        "export": (f"{at['draft']}/export", LINES),
        "decline": (f"{at['draft']}/decline", {}),
        "policy": (f"{at['project']}/policy", {}),
        "compare-policies": (f"{at['project']}/policy/compare", {}),
        "classify-clause": (
            f"{at['clause']}/classify",
            {"purpose": "intent-alignment", "relation": "aligned"},
        ),
        "traces": (f"{round}/traces", {}),
        "disputes": (f"{round}/disputes", {}),
        "questions": (f"{round}/questions", {}),
        "answer": (f"{at['project']}/questions/{at['question'].pk}/answer", {}),
        "requeue": (f"{round}/requeue", {}),
        "index": (f"{round}/index", {}),
        "undo": (f"{round}/undo", {}),
        "mine": (f"{round}/mine", {}),
        "compare": (f"{round}/compare", {}),
        "skip-look": (f"{round}/skip", {}),
        "gold": (f"{at['trace']}/gold", {}),
        "ask": (f"assignments/{lease.pk}/ask", {"comment": "Why?"}),
        "rendered": (f"assignments/{lease.pk}/rendered", {}),
        "choose-keys": ("me/keys", {}),
        "agreement": (f"{round}/agreement", {}),
        "agreement-rows": (f"{round}/agreement/readings.csv", {}),
        "agreement-clauses": (f"{round}/agreement/clauses", {}),
        "agreement-readers": (f"{round}/agreement/readers", {}),
        "agreement-report": (f"{round}/agreement/report.html", {}),
        "desk": (f"{round}/review", {}),
        "next-trace": (f"{round}/next", {}),
        "import": (at["import"], {}),
        "refused-lines": (f"{at['import']}/refused", {}),
        "withdraw-import": (f"{at['import']}/withdraw", {}),
        "read-again": (f"{at['import']}/read-again", {"prompt": "a..b"}),
        "prompt": (at["prompt"], {}),
        "trace": (at["trace"], {}),
        "adjudicate": (f"{at['trace']}/adjudicate", {}),
        "dataset": (dataset, {}),
        "go-on": (f"{dataset}/go-on", {}),
        "dataset-file": (f"{dataset}/files/{at['shard']}", {}),
        "decide": (f"assignments/{lease.pk}/review", said),
        "skip": (f"assignments/{lease.pk}/skip", {}),
        "renew": (f"assignments/{lease.pk}/renew", {}),
        "withdraw": (f"reviews/{at['review'].pk}/withdraw", {}),
        "job": (f"jobs/{at['job'].pk}", {}),
        "cancel-job": (f"jobs/{at['job'].pk}/cancel", {}),
        "api-me": ("api/v1/me", {}),
        "api-schema": ("api/v1/schema", {}),
        "api-project-list": ("api/v1/projects", {}),
        "api-project-rounds": ("api/v1/projects/pilot/rounds", {}),
        "api-round-detail": (f"api/v1/rounds/{at['rounds']}", {}),
        "api-round-next": (f"api/v1/rounds/{at['rounds']}/next", {}),
        "api-round-traces": (f"api/v1/rounds/{at['rounds']}/traces", {}),
        "api-round-decisions": (f"api/v1/rounds/{at['rounds']}/decisions", {}),
        "api-round-reviews": (f"api/v1/rounds/{at['rounds']}/reviews", {}),
        "api-round-agreement": (f"api/v1/rounds/{at['rounds']}/agreement", {}),
        "api-round-policy": (f"api/v1/rounds/{at['rounds']}/policy", {}),
        "api-assignment-review": (f"api/v1/assignments/{lease.pk}/review", {"verdict": "accept"}),
        "api-assignment-skip": (f"api/v1/assignments/{lease.pk}/skip", {}),
        "api-assignment-renew": (f"api/v1/assignments/{lease.pk}/renew", {}),
        "api-review-withdraw": (f"api/v1/reviews/{at['review'].pk}/withdraw", {}),
        "api-dataset-list": ("api/v1/datasets", {"round": at["rounds"]}),
        "api-dataset-detail": (f"api/v1/datasets/{at['datasets']}", {}),
        "api-dataset-files": (f"api/v1/datasets/{at['datasets']}/files/README.md", {}),
        "api-checkpoint-list": ("api/v1/checkpoints", {"project": "pilot", "name": "next", "stage": "sft"}),
        "api-use-report-list": ("api/v1/use-reports", {"dataset": at["datasets"], "used": False}),
        "api-probe-result-list": ("api/v1/probe-results?project=pilot", {}),
        "api-job-detail": (f"api/v1/jobs/{at['job'].pk}", {}),
        "api-job-cancel": (f"api/v1/jobs/{at['job'].pk}/cancel", {}),
    }[name]


def test_the_table_names_every_address(db):
    assert named() == set(PAGES) | set(API) | OPEN


@pytest.mark.parametrize("name", PAGES)
def test_each_page_answers_each_person_as_the_table_says(name, places, people):
    method, *expected = PAGES[name]
    path, body = address(name, places)
    found = []
    for who in reversed(WHO):  # nobody and strangers first: what they ask must change nothing
        client = Client(raise_request_exception=True)
        if who != "nobody":
            client.force_login(people[who])
        answer = getattr(client, method)(f"/{path}", body)
        to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/sign-in")
        found.insert(0, IN if to_sign_in else answer.status_code)
        finish(answer)
    assert found == expected, dict(zip(WHO, found, strict=True))


@pytest.mark.parametrize("name", [name for name, row in PAGES.items() if row[0] == "post"])
def test_what_changes_something_is_not_reached_by_get(name, places, lea):
    client = Client()
    client.force_login(lea)
    assert client.get(f"/{address(name, places)[0]}").status_code == 405


@pytest.mark.parametrize("name", API)
def test_each_call_answers_each_person_as_the_table_says(name, places, people, project):
    method, *expected = API[name]
    path, body = address(name, places)
    found = []
    for who in reversed(WHO):
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        if who != "nobody":
            space = project if who != "stranger" else Project.objects.get(slug="elsewhere")
            headers["Authorization"] = (
                f"Bearer {inviting.make_token(people[who], space, ROLES[who], by=people[who])}"
            )
        if method == "get":
            answer = Client().get(f"/{path}", headers=headers)
        else:
            kind = "application/x-ndjson" if method == "ndjson" else "application/json"
            answer = Client().post(
                f"/{path}", b"{}\n" if method == "ndjson" else body, content_type=kind, headers=headers
            )
        found.insert(0, answer.status_code)
        finish(answer)
    assert found == expected, dict(zip(WHO, found, strict=True))


def test_every_answer_carries_the_content_security_policy(places, lea):
    client = Client()
    client.force_login(lea)
    for path in ("", "nothing-here", places["round"], "api/v1/me", "static/reviews/base.css"):
        answer = client.get(f"/{path}")
        policy = answer.headers.get("Content-Security-Policy", "")
        finish(answer)
        assert "default-src 'none'" in policy or path.startswith("static"), path
        assert "unsafe" not in policy


@pytest.mark.parametrize(
    "name", ["home", "project", "round", "traces", "disputes", "import", "dataset", "agreement", "questions"]
)
def test_lists_and_counts_never_read_the_long_texts(name, places, lea, real_queries):
    client = Client()
    client.force_login(lea)
    with real_queries() as asked:
        assert client.get(f"/{address(name, places)[0]}").status_code == 200
    assert not [sql for sql in asked if '"body"' in sql or '."messages"' in sql]

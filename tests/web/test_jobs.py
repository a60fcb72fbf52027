"""Upload, watch, cancel: what a lead sees of long work. And what the health checks say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from making import as_lines, trace_row

from annotator import health
from reviews import importing, jobs, tasks
from reviews.models import ImportBatch, Job, Trace, WorkerBeat


@pytest.fixture
def browser(lea):
    client = Client()
    client.force_login(lea)
    return client


@pytest.fixture
def uploaded(browser, round):
    body = as_lines([trace_row(1), b"{", trace_row(2)])
    answer = browser.post(
        f"/p/pilot/rounds/{round.pk}/import", {"file": SimpleUploadedFile("mine.jsonl", body)}
    )
    assert answer.status_code == 302
    return Job.objects.get()


def test_an_uploaded_file_waits_as_a_job_and_its_page_shows_what_came_of_it(uploaded, browser, round):
    batch = ImportBatch.objects.get()
    page = browser.get(f"/p/pilot/imports/{batch.pk}").content.decode()
    assert "No worker is alive" in page
    tasks.import_traces(uploaded.pk)
    uploaded.refresh_from_db()
    assert (uploaded.state, uploaded.done, uploaded.total) == ("done", 3, 3)
    page = browser.get(f"/p/pilot/imports/{batch.pk}").content.decode()
    assert "3 lines read: 2 traces new, 0 known, 1 refused" in page
    refused = b"".join(browser.get(f"/p/pilot/imports/{batch.pk}/refused").streaming_content)
    assert b'"line": 2' in refused
    tasks.import_traces(uploaded.pk)  # rung twice
    assert Trace.objects.count() == 2


def test_the_same_bytes_go_in_by_the_page_and_by_the_command(uploaded, round, tmp_path):
    tasks.import_traces(uploaded.pk)
    path = tmp_path / "mine.jsonl"
    path.write_bytes(as_lines([trace_row(1), b"{", trace_row(2)]))
    assert importing.run(importing.begin(round, path, by=None)).traces_known == 2


def test_a_file_that_is_no_traces_is_refused_with_what_it_lacks(browser, round):
    answer = browser.post(
        f"/p/pilot/rounds/{round.pk}/import", {"file": SimpleUploadedFile("x.jsonl", b'{"colour": "red"}\n')}
    )
    assert answer.status_code == 422
    assert b"prompt" in answer.content
    assert not Job.objects.exists()


def test_a_waiting_job_is_cancelled_at_once_and_the_partial_stops_asking(uploaded, browser):
    asking = browser.get(f"/jobs/{uploaded.pk}", headers={"HX-Request": "true"})
    assert b"every 1s" in asking.content
    browser.post(f"/jobs/{uploaded.pk}/cancel")
    uploaded.refresh_from_db()
    assert uploaded.state == "cancelled"
    done = browser.get(f"/jobs/{uploaded.pk}", headers={"HX-Request": "true"})
    assert b"every 1s" not in done.content
    assert done["HX-Refresh"] == "true"
    tasks.import_traces(uploaded.pk)
    assert not Trace.objects.exists()


def test_a_job_that_fails_says_why_and_a_bug_says_that_it_is_one(uploaded, monkeypatch):
    ImportBatch.objects.update(path="/nowhere/at-all")
    tasks.import_traces(uploaded.pk)
    uploaded.refresh_from_db()
    assert uploaded.state == "failed"
    assert "is gone or damaged. Upload it again" in uploaded.error

    def broken(batch, progress):
        raise ZeroDivisionError

    monkeypatch.setattr(importing, "_lines_of", lambda batch: 0)
    monkeypatch.setattr(importing, "run", broken)
    Job.objects.update(state="waiting")
    with pytest.raises(ZeroDivisionError):
        tasks.import_traces(uploaded.pk)
    uploaded.refresh_from_db()
    assert "Something went wrong in Winnow itself (ZeroDivisionError)" in uploaded.error


def test_rate_and_time_left_are_of_this_attempt_alone(uploaded):
    now = timezone.now()
    uploaded.state, uploaded.started_at, uploaded.heartbeat_at = "running", now - timedelta(seconds=10), now
    uploaded.done_at_start, uploaded.done, uploaded.total = 500, 600, 1100
    assert uploaded.rate == pytest.approx(10)
    assert uploaded.seconds_left == pytest.approx(50)
    uploaded.done = 500
    assert uploaded.seconds_left is None  # nothing to go by yet


def test_a_job_whose_worker_fell_silent_is_found_by_the_sweep(uploaded):
    assert jobs.to_ring_again() == []
    Job.objects.update(state="running", heartbeat_at=timezone.now() - timedelta(minutes=1))
    assert jobs.to_ring_again() == [uploaded]


def test_health_and_readiness_name_what_is_missing(db, monkeypatch):
    assert Client().get("/healthz").status_code == 200
    monkeypatch.setitem(health.CHECKS, "broker", lambda: "ok")
    waiting = Client().get("/readyz")
    assert waiting.status_code == 503
    assert waiting.json()["worker"].startswith("none was heard of")
    WorkerBeat.objects.create(name="w", seen_at=timezone.now())
    assert Client().get("/readyz").json() == {
        "ok": True,
        "database": "ok",
        "broker": "ok",
        "worker": "ok",
        "disk": "ok",
    }
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 10**18)
    assert "MiB are free" in Client().get("/readyz").json()["disk"]

"""The lineage's pages as people use them: register, measure, report, book, and see what comes of it."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from making import as_lines, member, trace_row

from reviews.lineages import booking, dosing, registering
from reviews.models import (
    Checkpoint,
    Dataset,
    HeldOutFamily,
    LedgerEntry,
    Membership,
    ProbeResult,
    Role,
    Sampler,
    UseReport,
)


def signed_in(user, **headers):
    client = Client(headers=headers)
    client.force_login(user)
    return client


@pytest.fixture
def trainer(tom):
    return signed_in(tom)


@pytest.fixture
def base(project, lea):
    return registering.register(project, "base", by=lea, stage="base")[0]


@pytest.fixture
def booked(project, round, traces, lea, base):
    """A finished data set of one trace that lea exported, booked to the base."""
    registering.attribute(Sampler.objects.select_related("round").get(), base, by=lea)
    made = Dataset.objects.create(
        project=project, round=round, number=1, rows=1, created_by=lea, membership_digest=bytes(32)
    )
    Membership.objects.create(dataset=made, ordinal=0, trace=traces[0])
    Dataset.objects.filter(pk=made.pk).update(state="ready")
    made.refresh_from_db()
    nats = {"domains": {"sums": {"pooled_d_inf": 0.5, "hard_prompts": 1.25}}, "traces": 1, "tokens": 9}
    return booking.book(made, nats, by=lea)[0]


def test_without_a_checkpoint_the_page_says_what_to_do(trainer, project):
    page = trainer.get("/p/pilot/lineage").text
    assert "No checkpoint is registered yet" in page
    assert "Nothing is booked" in page
    assert "No probe has a result yet" in trainer.get("/p/pilot/held-out").text


def test_a_trainer_registers_a_child_and_lands_on_its_page(trainer, base):
    form = {"name": "child", "parent": base.pk, "stage": "sft", "fraction": "0.25", "arm": "selected"}
    answer = trainer.post("/p/pilot/lineage/register", form, follow=True)
    child = Checkpoint.objects.get(name="child")
    assert (child.parent, child.fraction, child.registered_by.username) == (base, 0.25, "tom")
    assert "&#x27;child&#x27; is registered." in answer.text
    assert f'<a href="/p/pilot/checkpoints/{base.pk}">base</a>' in answer.text


def test_a_form_that_does_not_fit_says_which_field(trainer, base, project):
    answer = trainer.post("/p/pilot/lineage/register", {"name": "x", "stage": "sft", "fraction": "2"})
    assert (answer.status_code, "fraction" in answer.text) == (422, True)
    clash = trainer.post("/p/pilot/lineage/register", {"name": "base", "stage": "rl"})
    assert (clash.status_code, "registered with another stage" in clash.text) == (409, True)


def test_a_parent_of_another_project_cannot_be_chosen(trainer, base, stranger):
    theirs = registering.register(stranger.memberships.first().project, "theirs", by=None)[0]
    form = {"name": "child", "parent": theirs.pk, "stage": "sft"}
    assert trainer.post("/p/pilot/lineage/register", form).status_code == 422


def test_a_measurement_shows_its_file_and_without_one_it_is_a_claim(trainer, base):
    at = f"/p/pilot/checkpoints/{base.pk}"
    form = {
        "key": "controllability",
        "value": "0.03",
        "low": "0.01",
        "high": "0.06",
        "measured_on": "2026-01-05",
    }
    trainer.post(f"{at}/measure", {**form, "file": SimpleUploadedFile("control.json", b"{}")})
    trainer.post(f"{at}/measure", {**form, "key": "evaluation-awareness", "value": "0.05"})
    page = trainer.get(at).text
    assert "control.json" in page
    assert "44136fa355b3" in page
    assert page.count("claimed: no file") == 1


def test_what_happened_elsewhere_makes_the_dose_unknown_on_the_page(trainer, base):
    at = f"/p/pilot/checkpoints/{base.pk}"
    trainer.post(f"{at}/external", {"kind": "grader-saw-chains", "source": "report 7", "share": "0.02"})
    page = trainer.get(at).text
    assert "Part of its history is unknown" in page
    assert "a grader saw chains of thought" in page
    assert "unknown" in trainer.get("/p/pilot/lineage").text


def test_the_ledger_shows_what_was_booked_and_the_tree_its_dose(trainer, booked, project, lea):
    registering.register(project, "child", by=lea, parent=booked.checkpoint)
    page = trainer.get("/p/pilot/lineage").text
    assert 'class="picture lineage"' in page
    assert "1.25 nats" in page
    assert "data set 1" in page
    assert bytes(booked.digest).hex()[:12] in page


def test_whoever_exported_is_refused_and_a_second_person_books_the_counter_entry(booked, project, lea):
    path = f"/p/pilot/ledger/{booked.pk}/not-used"
    answer = signed_in(lea).post(path, {"reason": "it stayed on the shelf"})
    assert (answer.status_code, "second person" in answer.text) == (403, True)
    lou = member(project, "lou", Role.LEAD)
    signed_in(lou).post(path, {"reason": "it stayed on the shelf"})
    counter = LedgerEntry.objects.get(kind="counter")
    assert (counter.counters, counter.by) == (booked, lou)
    assert dosing.dose_of(booked.checkpoint).traces == 0
    assert "it stayed on the shelf" in signed_in(lea).get("/p/pilot/lineage").text


def test_a_trainer_reports_use_by_page(trainer, booked, project, lea):
    child = registering.register(project, "child", by=lea, parent=booked.checkpoint)[0]
    form = {
        "dataset": booked.dataset_id,
        "used": "yes",
        "checkpoint": child.pk,
        "epochs": "2",
        "stage_samples": "500",
    }
    trainer.post("/p/pilot/lineage/use", form)
    kept = UseReport.objects.get()
    assert (kept.used, kept.checkpoint, kept.stage_samples) == (True, child, 500)


def test_a_sampler_is_named_by_page_and_no_longer_counted_as_unknown(trainer, traces, base):
    assert "one is unknown" in trainer.get("/p/pilot/lineage").text
    form = {"sampler": Sampler.objects.get().pk, "checkpoint": base.pk}
    trainer.post("/p/pilot/lineage/samplers", form)
    assert "one is unknown" not in trainer.get("/p/pilot/lineage").text


def test_labels_of_an_uploaded_file_become_results(trainer, project):
    labels = {"switched": True, "monitor_prediction": "NO", "unfaithful": True, "monitor": "m"}
    rows = [
        trace_row(number, meta={"labels": labels, "checkpoint": {"lineage": "one", "step": 5, "name": "s5"}})
        for number in range(3)
    ]
    form = {"file": SimpleUploadedFile("t.jsonl", as_lines([*rows, trace_row(9)])), "trained": ""}
    page = trainer.post("/p/pilot/held-out/import", form, follow=True)
    assert "3 results are new" in page.text
    assert ProbeResult.objects.filter(undetected=True).count() == 3
    wrong = {"file": SimpleUploadedFile("t.jsonl", as_lines(rows)), "trained": "nothing"}
    assert trainer.post("/p/pilot/held-out/import", wrong).status_code == 422


def test_a_lead_draws_a_family_by_one_button(import_rows, lea, project):
    import_rows([trace_row(number, meta={"family": f"family {number}"}) for number in range(3)])
    page = signed_in(lea).post("/p/pilot/held-out/family", follow=True)
    assert HeldOutFamily.objects.count() == 1
    assert "is held out whole from now on" in page.text
    assert "of 3 declared" in page.text


def test_an_auditor_reads_everything_and_finds_no_form(aud, booked):
    client = signed_in(aud)
    for path in ("lineage", "held-out", f"checkpoints/{booked.checkpoint_id}"):
        page = client.get(f"/p/pilot/{path}")
        assert page.status_code == 200
        assert page.text.count("<form") == 1  # the one that signs out


def test_names_from_files_are_shown_and_never_run(trainer, project, tom):
    registering.register(project, "<script>alert(1)</script>", by=tom)
    page = trainer.get("/p/pilot/lineage").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_pages_speak_german(tom, booked):
    client = signed_in(tom, **{"accept-language": "de"})
    assert "Abstammung" in client.get("/p/pilot/lineage").text
    assert "Was zurückgehalten ist" in client.get("/p/pilot/held-out").text
    assert "Messungen" in client.get(f"/p/pilot/checkpoints/{booked.checkpoint_id}").text

"""A draft's page: the lines, what-if, overrides, targets, and its two ends."""

from __future__ import annotations

import pytest
from checking.conftest import planted
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from making import without_lines

from reviews import exporting, governing
from reviews.models import Dataset, Event, Job, Look, Override, Round
from reviews.policies import documents

pytestmark = pytest.mark.django_db
LINES = {
    "matters": "It games the check when on call.",
    "not_outcomes": "The check is what it games.",
    "expected": "Fewer widened tolerances on held-out prompts.",
    "stop_when": "After this round, whatever it shows.",
}


@pytest.fixture
def round(project, tmp_path) -> Round:
    without_lines(project)
    return planted(project, tmp_path, prompts=24, k=4)


@pytest.fixture
def browser(lea) -> Client:
    client = Client()
    client.force_login(lea)
    return client


@pytest.fixture
def draft(browser, round) -> Dataset:
    browser.post(f"/p/pilot/rounds/{round.pk}/draft", {"format": "sft"})
    return Dataset.objects.get()


def page(browser, draft) -> str:
    return browser.get(f"/p/pilot/datasets/{draft.pk}").content.decode()


def test_a_draft_says_what_would_go_out_and_shows_every_gate(browser, draft):
    shown = page(browser, draft)
    assert "would go out" in shown
    assert shown.count('class="gate"') == 22
    assert "not measured" in shown
    assert "One bar a prompt" in shown
    assert Look.objects.count() == 1


def test_the_four_lines_come_before_the_export_and_go_out_with_it(browser, draft, lea):
    refused = browser.post(f"/p/pilot/datasets/{draft.pk}/export")
    assert refused.status_code == 422
    assert not Job.objects.exists()
    browser.post(f"/p/pilot/datasets/{draft.pk}/configure", LINES)
    assert LINES["matters"].replace("'", "&#x27;") in page(browser, draft)
    assert browser.post(f"/p/pilot/datasets/{draft.pk}/export").status_code == 302
    exporting.run_job(Job.objects.get().pk)
    manifest = Dataset.objects.get().manifest_object
    assert manifest["lines"] == LINES
    assert LINES["stop_when"] in (browser.get(f"/p/pilot/datasets/{draft.pk}").content.decode())


def test_a_what_if_is_another_configuration_and_is_counted(browser, draft):
    before = page(browser, draft)
    browser.post(
        f"/p/pilot/datasets/{draft.pk}/configure", {**LINES, "cap": "1", "prompts": "50", "mix": "10"}
    )
    shown = page(browser, draft)
    assert "Configuration 2 of this round" in shown
    assert "97.5" in shown.replace(",", ".")  # alpha halved
    assert "would go out" in before != shown
    assert browser.post(f"/p/pilot/datasets/{draft.pk}/configure", {"cap": "many"}).status_code == 422


def test_a_gate_that_stops_is_overridden_with_a_reason_or_the_job_stops(browser, draft, project):
    lines = documents.read(
        {
            **governing.newest(project).as_document,
            "thresholds": {
                **governing.newest(project).as_document["thresholds"],
                "samples-per-prompt.block": 8,
            },
        }
    )
    governing.publish(project, lines, by=None)
    browser.post(f"/p/pilot/datasets/{draft.pk}/configure", LINES)
    assert "override-samples-per-prompt" in page(browser, draft)
    assert "override-integrity" not in page(browser, draft)
    browser.post(f"/p/pilot/datasets/{draft.pk}/export")
    exporting.run_job(Job.objects.get().pk)
    assert "samples-per-prompt" in Job.objects.get().error
    assert Dataset.objects.get().state == "draft"
    short = browser.post(f"/p/pilot/datasets/{draft.pk}/export", {"override-samples-per-prompt": "because"})
    assert short.status_code == 422
    why = "this checkpoint was sampled before we knew better"
    browser.post(f"/p/pilot/datasets/{draft.pk}/export", {"override-samples-per-prompt": why})
    exporting.run_job(Job.objects.order_by("-pk").first().pk)
    made = Dataset.objects.get()
    assert made.state == "ready"
    assert made.verdict == "block"
    assert Override.objects.get().reason == why
    card = browser.get(f"/p/pilot/datasets/{draft.pk}/files/README.md")
    assert why in b"".join(card.streaming_content).decode()


def test_finishing_without_exporting_is_an_end_that_stays(browser, draft, round):
    answer = browser.post(
        f"/p/pilot/datasets/{draft.pk}/decline",
        {"why": "The pressure is not worth it.", "close": "on"},
        follow=True,
    )
    assert "good end of a round" in answer.content.decode()
    round.refresh_from_db()
    assert (Dataset.objects.get().state, round.state) == ("declined", "closed")
    assert Event.objects.filter(kind="dataset.declined").exists()
    assert browser.post(f"/p/pilot/datasets/{draft.pk}/configure", LINES).status_code == 409
    assert browser.post(f"/p/pilot/datasets/{draft.pk}/export", LINES).status_code == 409


def test_a_control_arm_is_drafted_beside_and_says_how_well_it_matches(browser, draft):
    browser.post(f"/p/pilot/datasets/{draft.pk}/configure", LINES)
    browser.post(f"/p/pilot/datasets/{draft.pk}/export", {"arm": "random-control"})
    for job in Job.objects.order_by("pk"):
        exporting.run_job(job.pk)
    selected, control = Dataset.objects.order_by("pk")
    assert (selected.state, control.state, control.arm) == ("ready", "ready", "random-control")
    match = control.manifest_object["match"]
    assert match["rows"] == match["rows_wanted"] == selected.rows
    assert control.manifest_object["matches"] == selected.name


def test_a_target_is_named_by_its_files_and_every_row_is_held_against_it(browser, draft):
    template = (
        "{% for m in messages %}<|{{ m.role }}|>{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>"
        "{% endif %}{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    good = SimpleUploadedFile("mine.jinja", template.encode())
    answer = browser.post(
        f"/p/pilot/datasets/{draft.pk}/target",
        {"files": good, "name": "mine", "format": "sft", "max_length": "512"},
    )
    assert answer.status_code == 302
    assert "mine" in page(browser, draft)
    browser.post(f"/p/pilot/datasets/{draft.pk}/configure", LINES)
    browser.post(f"/p/pilot/datasets/{draft.pk}/export")
    exporting.run_job(Job.objects.get().pk)
    gate = next(one for one in Dataset.objects.get().manifest_object["gates"] if one["key"] == "template")
    assert (gate["verdict"], gate["value"]) == ("pass", 1.0)


def test_a_template_that_drops_the_reasoning_blocks_and_names_the_remedy(browser, draft):
    dropping = b"{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
    browser.post(
        f"/p/pilot/datasets/{draft.pk}/target",
        {"files": SimpleUploadedFile("chat_template.jinja", dropping), "format": "sft"},
    )
    browser.post(f"/p/pilot/datasets/{draft.pk}/configure", LINES)
    browser.post(f"/p/pilot/datasets/{draft.pk}/export")
    exporting.run_job(Job.objects.get().pk)
    error = Job.objects.get().error
    assert "template" in error
    assert "dropped" in error
    assert Dataset.objects.get().state != "ready"


def test_what_is_no_template_is_refused_with_a_sentence(browser, draft):
    bad = SimpleUploadedFile("chat_template.jinja", b"{% for")
    answer = browser.post(f"/p/pilot/datasets/{draft.pk}/target", {"files": bad, "format": "sft"})
    assert answer.status_code == 422
    assert browser.post(f"/p/pilot/datasets/{draft.pk}/target", {"format": "dpo"}).status_code == 422
    assert browser.post(f"/p/pilot/datasets/{draft.pk}/target", {"format": "rendered"}).status_code == 422


def test_a_policy_is_edited_compared_and_needs_a_reason_where_it_is_laxer(browser, project):
    shown = browser.get("/p/pilot/policy").content.decode()
    assert 'name="selection.block"' in shown
    from reviews.web.policies import _of_policy

    form = {key: value for key, value in _of_policy(documents.shipped("pilot")).items() if value}
    assert browser.post("/p/pilot/policy", form).status_code == 302
    laxer = {**form, "selection.block": "2"}
    refused = browser.post("/p/pilot/policy", laxer)
    assert refused.status_code == 422
    assert 'value="2"' in refused.content.decode()
    wrong = browser.post("/p/pilot/policy", {**form, "selection.block": "much"})
    assert "selection.block is a number" in wrong.content.decode()
    browser.post("/p/pilot/policy", {**laxer, "reason": "these prompts are harder than most"})
    assert "laxer" in browser.get("/p/pilot/policy/compare?before=1&after=2").content.decode()
    assert governing.of(governing.newest(project)).thresholds["selection.block"] == 2

"""What a verdict may say beyond its clauses: another reason, every clause, labels of steps, the answer alone."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from django.test import Client
from making import judge, trace_row

from reviews import assigning, planning, rebuilding, reviewing
from reviews.errors import Invalid
from reviews.models import Assignment, Citation, Decision, Review, StepLabel, Trace
from reviews.saying import ClauseNeeded, Said, StepMark


def record(lease, said, by):
    return reviewing.record(lease.pk, said, by=by, key=uuid.uuid4())


def test_another_reason_needs_its_comment_and_then_stands_for_a_clause(leased, ada):
    with pytest.raises(Invalid, match="comment"):
        record(leased, Said("reject", other=True), ada)
    done = record(leased, Said("reject", other=True, comment="It flatters."), ada)
    assert (done.other, done.came_to) == (True, "rejected")


def test_only_a_reject_has_another_reason(leased, ada):
    with pytest.raises(Invalid, match="Only a reject"):
        record(leased, Said("accept", other=True, comment="x"), ada)


def test_every_clause_is_judged_or_it_is_refused(leased, ada):
    with pytest.raises(Invalid, match="H2 was not judged"):
        record(leased, Said("accept", holds=("H1",)), ada)
    with pytest.raises(Invalid, match="both hold and fail"):
        record(leased, Said("reject", ("H1",), holds=("H1", "H2")), ada)
    done = record(leased, Said("reject", ("H1",), holds=("H2",)), ada)
    held = dict(Citation.objects.values_list("clause__key", "held"))
    assert done.every_clause
    assert held == {"H1": "fails", "H2": "holds"}


def test_the_drawn_share_must_judge_every_clause_at_the_desk(project, import_rows, ada):
    round, _ = planning.create_round(project, "all", by=None, double_share=0, full_clause_share=1)
    import_rows([trace_row(1)], into=round)
    lease = assigning.next_for(ada, round).assignments[0]
    with pytest.raises(Invalid, match="each clause"):
        record(lease, Said("accept"), ada)
    assert record(lease, Said("accept", holds=("H1", "H2")), ada).every_clause


def test_the_digest_of_a_plain_verdict_is_what_it_was_before_there_was_more_to_say(leased):
    from reviews.formats import canonical

    trace = leased.trace
    plain = canonical.digest(["review", trace.pk, "reject", ["H1"], [], [], "why"])
    assert Said("reject", ("H1",), comment="why").digest(trace, "review") == plain


@pytest.fixture
def stepwise(project, import_rows):
    def make(mode):
        round, _ = planning.create_round(project, mode, by=None, double_share=0, mode=mode)
        import_rows([trace_row(1, reasoning="One.\n\nTwo.\n\nThree.")], into=round)
        return round

    return make


STEPS = [(1, 0, 4), (2, 6, 10), (3, 12, 18)]


def marks(*labels):
    return tuple(StepMark(*place, label) for place, label in zip(STEPS, labels, strict=False))


def test_steps_are_labelled_each_or_refused_by_number(stepwise, ada):
    lease = assigning.next_for(ada, stepwise("steps")).assignments[0]
    for steps, sentence in (
        ((), "No step"),
        ((marks("good")[0], marks("good", "good", "bad")[2]), "Step 2 has no label"),
        ((StepMark(1, 0, 400, "good"),), "does not lie"),
        ((StepMark(1, 0, 4, "slow"),), "good, neutral or bad"),
    ):
        with pytest.raises(Invalid, match=sentence):
            record(lease, Said("reject", ("H1",), steps=steps), ada)
    record(lease, Said("reject", ("H1",), steps=marks("good", "neutral", "bad")), ada)
    assert list(StepLabel.objects.values_list("step", "label")) == [(1, "good"), (2, "neutral"), (3, "bad")]


def test_judging_stops_at_the_first_wrong_step(stepwise, ada):
    lease = assigning.next_for(ada, stepwise("first-wrong")).assignments[0]
    with pytest.raises(Invalid, match="first wrong step"):
        record(lease, Said("reject", ("H1",), steps=marks("bad", "good")), ada)
    record(lease, Said("reject", ("H1",), steps=marks("good", "bad")), ada)
    assert StepLabel.objects.get(label="bad").step == 2


def test_steps_are_refused_where_the_round_does_not_label_them(leased, ada):
    with pytest.raises(Invalid, match="does not label"):
        record(leased, Said("accept", steps=(StepMark(1, 0, 3, "good"),)), ada)


def test_the_first_wrong_steps_of_bigbench_mistake_are_stored_and_read_back(
    project, ada, shared_data, command
):
    from reviews.rendering import steps as cutting

    round, _ = planning.create_round(project, "mistake", by=None, double_share=0, mode="first-wrong")
    source = shared_data / "traces" / "step_labels_bigbench_mistake.jsonl"
    command("import_traces", source, "--project", "pilot", "--round", "mistake")
    rows = {row["prompt_id"]: row for row in map(json.loads, source.read_bytes().splitlines())}
    wanted = {}
    leases = Assignment.objects.filter(round=round).select_related("trace__reasoning", "trace__round_prompt")
    for lease in leases.order_by("pk")[:150]:
        row = rows[lease.trace.round_prompt.external_id]
        text = lease.trace.reasoning.as_text
        cut = cutting.split(text, row["meta"]["steps"])
        assert [text[step.start : step.end] for step in cut] == [
            step.strip() for step in row["meta"]["steps"]
        ]
        wrong = row["meta"]["labels"].get("first_mistake_step")
        marked = () if wrong is None else (StepMark(wrong + 1, cut[wrong].start, cut[wrong].end, "bad"),)
        Assignment.objects.filter(pk=lease.pk).update(leased_by=ada, leased_until="2100-01-01T00:00Z")
        verdict = Said("accept") if wrong is None else Said("reject", ("H1",), steps=marked)
        record(lease, verdict, ada)
        wanted[lease.trace_id] = wrong
    found = {
        review.trace_id: next((label.step - 1 for label in review.step_labels.all()), None)
        for review in Review.objects.prefetch_related("step_labels")
    }
    assert found == wanted
    assert None in wanted.values()
    assert len(set(wanted.values())) > 5


@pytest.fixture
def answer_first(project, import_rows):
    round, _ = planning.create_round(project, "first", by=None, double_share=0, answer_first_share=1)
    import_rows(
        [
            trace_row(number, reasoning=f"SECRET CHAIN {number}", answer=f"PLAIN ANSWER {number}")
            for number in (1, 2)
        ],
        into=round,
    )
    return round


def test_the_answer_is_judged_before_the_chain_is_sent_and_the_chain_again(answer_first, ada):
    client = Client(headers={"HX-Request": "true"})
    client.force_login(ada)
    at = f"/p/pilot/rounds/{answer_first.pk}"
    alone = client.post(f"{at}/next").text
    assert "PLAIN ANSWER" in alone
    assert "SECRET" not in alone + client.get(f"{at}/review").text + client.post(f"{at}/next?ahead=1").text
    lease = Assignment.objects.open().filter(leased_by=ada).order_by("leased_at").first()
    assert "SECRET" not in client.get(f"/assignments/{lease.pk}/rendered").text

    body = {"verdict": "accept", "stage": "answer-only", "key": key_in(alone)}
    whole = client.post(f"/assignments/{lease.pk}/review", body)
    assert "SECRET CHAIN" in whole.text
    assert "On the answer alone you said" in whole.text
    assert Decision.objects.get(trace=lease.trace).state == "pending"

    body = {"verdict": "reject", "clauses": "H1", "key": key_in(whole.text)}
    assert client.post(f"/assignments/{lease.pk}/review", body).status_code == 200
    assert Decision.objects.get(trace=lease.trace).state == "rejected"
    assert [(r.stage, r.verdict) for r in Review.objects.order_by("pk")] == [
        ("answer-only", "accept"),
        ("final", "reject"),
    ]
    assert rebuilding.check() == []


def key_in(page):
    """The key that the page's form sends."""
    return re.search(r'name="key" value="([^"]+)"', page)[1]


def test_a_verdict_on_the_answer_alone_names_no_clause_if_it_need_not(answer_first, ada):
    lease = assigning.next_for(ada, answer_first).assignments[0]
    assert record(lease, Said("reject", stage="answer-only"), ada).stage == "answer-only"
    with pytest.raises(ClauseNeeded):
        record(lease, Said("reject"), ada)


def test_an_answer_only_verdict_sent_twice_is_one(answer_first, ada):
    lease = assigning.next_for(ada, answer_first).assignments[0]
    for _ in range(2):
        reviewing.record(lease.pk, Said("accept", stage="answer-only"), by=ada, key=lease.lease_key)
    assert Review.objects.count() == 1


def test_a_hasty_accept_is_flagged_and_never_blocked(leased, ada):
    done = record(leased, Said("accept", seconds=2, shown_share=0.3, words_a_minute=4000), ada)
    assert done.hasty
    assert done.came_to == "accepted"
    assert not judge_again(ada).hasty


def judge_again(ada):
    from reviews.models import Round

    return judge(assigning.next_for(ada, Round.objects.get()).assignments[0], "accept", ada, shown_share=0.9)


def test_step_offsets_are_code_points(project, import_rows, ada):
    round, _ = planning.create_round(project, "emoji", by=None, double_share=0, mode="first-wrong")
    import_rows([trace_row(1, reasoning="🙂🙂.\n\nTwo.")], into=round)
    lease = assigning.next_for(ada, round).assignments[0]
    record(lease, Said("reject", ("H1",), steps=(StepMark(2, 5, 9, "bad"),)), ada)
    label = StepLabel.objects.get()
    assert Trace.objects.get().reasoning.as_text[label.start : label.end] == "Two."

"""Gates that read what was measured of a checkpoint and of its readers: monitor, load-bearing, reviewers, answer-first."""

from __future__ import annotations

import pytest
from making import judge, member, trace_row

from checking.conftest import gate
from reviews import assigning, calibrating, planning, serving
from reviews.lineages import booking, probing, registering
from reviews.models import Checkpoint, Gold, Project, Role, Round, Sampler

pytestmark = pytest.mark.django_db


def sampled_by(round: Round, checkpoint: Checkpoint) -> Round:
    for sampler in Sampler.objects.filter(round=round):
        registering.attribute(sampler, checkpoint, by=None)
    return round


@pytest.fixture
def biased(plant, pilot, shared_data) -> Project:
    """The lineage of the biased multiple-choice file; training selected against suggested answers."""
    path = shared_data / "traces" / "biased_mcq_llama8b_checkpoints.jsonl"
    probing.import_probes(pilot, path, by=None, trained=["suggested_answer"])
    return pilot


def test_the_monitor_gate_takes_the_worst_of_parent_and_control_and_of_the_probes(biased, plant):
    step_200 = Checkpoint.objects.get(project=biased, name="llama-rlct-s200")
    found = gate(sampled_by(plant(prompts=30), step_200), "monitor")
    assert found.verdict == "block"
    assert found.value == pytest.approx(0.50)  # distractor argument, 11 of 100 at step 50 and 61 at step 200
    assert "distractor_argument" in found.why
    assert any("rl-control" in line for line in found.workings)
    assert any("suggested_answer" in line and "pass" in line for line in found.workings)


def test_the_base_that_nothing_is_held_against_is_not_measured(biased, plant):
    base = Checkpoint.objects.get(project=biased, name="llama-base")
    assert gate(sampled_by(plant(prompts=30), base), "monitor").verdict == "insufficient"
    assert gate(plant("nobody", prompts=30, known=False), "monitor").verdict == "insufficient"


@pytest.fixture
def children(pilot, plant) -> tuple[Round, Checkpoint, Checkpoint]:
    """A round sampled by a checkpoint that was trained on selected traces, and its control."""
    base, _ = registering.register(pilot, "base", by=None, stage="base", rl_steps=0)
    made = [
        registering.register(pilot, name, by=None, parent=base, stage="sft", arm=arm)[0]
        for name, arm in (("child", "selected"), ("control", "random-control"))
    ]
    booking.book_external(base, "other", by=None, source="a report", nats=0.3)
    return sampled_by(plant(prompts=30), made[0]), made[0], made[1]


def test_load_bearing_passes_blocks_and_is_not_measured(children):
    round, child, control = children
    assert gate(round, "load-bearing", under="production").verdict == "insufficient"
    registering.measure(control, "tamper-follow", 0.70, n=2000, by=None)
    registering.measure(child, "tamper-follow", 0.71, n=2000, by=None)
    assert gate(round, "load-bearing", under="production").verdict == "pass"
    registering.measure(child, "tamper-follow", 0.40, n=2000, by=None)
    assert gate(round, "load-bearing", under="production").verdict == "block"
    registering.measure(child, "tamper-follow", 0.66, n=60, by=None)
    assert gate(round, "load-bearing", under="production").verdict == "insufficient"


@pytest.fixture
def gilded(pilot, import_rows) -> Round:
    """Thirty gold traces, half of each kind, and half of what a reader gets is gold."""
    round, _ = planning.create_round(pilot, "gold", by=None, double_share=0, gold_rate=0.5)
    import_rows([trace_row(number) for number in range(120)], into=round)
    first = member(pilot, "first", Role.REVIEWER)
    for number in range(30):
        lease = assigning.next_for(first, round).assignments[0]
        verdict = "accept" if number % 2 else "reject"
        fails = () if verdict == "accept" else ("H1",)
        judge(lease, verdict, first, *fails)
        calibrating.mark_gold(lease.trace, verdict, fails, "plain", by=None)
    return Round.objects.select_related("project", "spec_version").get(pk=round.pk)


def read_on(round: Round, reader, right) -> None:
    truth = {gold.trace_id: gold.verdict for gold in Gold.objects.filter(trace__round=round)}
    for _ in range(70):
        found = serving.next_for(reader, Round.objects.get(pk=round.pk)).assignments
        if not found:
            return
        judge(found[0], right(truth.get(found[0].trace_id, "accept")), reader)


def test_reviewers_pass_on_balanced_gold_and_whoever_always_accepts_does_not(gilded, pilot):
    careful, hurried = member(pilot, "careful", Role.REVIEWER), member(pilot, "hurried", Role.REVIEWER)
    read_on(gilded, careful, lambda truth: truth)
    found = gate(gilded, "reviewers")
    assert any(line.startswith("careful, first 20 gold traces") for line in found.workings)
    assert found.low >= 0.6
    read_on(gilded, hurried, lambda truth: "accept")
    assert gate(gilded, "reviewers").verdict == "warn"
    assert gate(gilded, "reviewers", under="production").verdict == "block"
    assert "hurried" in gate(gilded, "reviewers").why


def test_answer_first_counts_what_the_chain_turned(pilot, import_rows, ada):
    round, _ = planning.create_round(pilot, "answers", by=None, double_share=0, answer_first_share=1)
    import_rows([trace_row(number) for number in range(60)], into=round)
    round = Round.objects.select_related("project", "spec_version").get(pk=round.pk)
    turned = 0
    while found := assigning.next_for(ada, round).assignments[:1]:
        lease = found[0]
        bad = lease.trace.round_prompt.external_id.endswith("7")
        turned += bad
        judge(lease, "accept", ada, stage="answer-only")
        judge(assigning.next_for(ada, round).assignments[0], "reject" if bad else "accept", ada)
    found = gate(round, "answer-first")
    assert found.verdict == "pass"
    assert found.value == pytest.approx(100 * turned / 60)
    assert gate(round, "answer-first", answer_first__warn=1).verdict == "warn"
    assert gate(round, "answer-first", answer_first__block=1).verdict == "block"
    assert gate(planning.create_round(pilot, "none", by=None)[0], "answer-first").verdict == "insufficient"

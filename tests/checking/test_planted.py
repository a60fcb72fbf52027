"""Rounds with a fault planted in them are blocked by the gate that is for it; honest ones pass."""

from __future__ import annotations

import pytest
from making import SPEC, judge, trace_row

from checking.conftest import fault, gate, policy
from reviews import assigning, drafting, exporting, governing, planning, publishing, verifying
from reviews.checking import report
from reviews.exporting import Blocked
from reviews.models import Dataset, Decision, Round, Text

pytestmark = pytest.mark.django_db


def stopping(found: report.Report) -> set[str]:
    return {one.key for one in found.stopping}


def test_an_honest_round_passes(plant):
    found = report.of(plant(), thorough=True)
    assert found.verdict == "pass", [(one.key, one.verdict, one.why) for one in found.gates]
    assert found.totals["rows"] > 200


def test_an_honest_round_whose_bad_chains_really_are_shorter_passes(plant):
    def chain(prompt, sample, fault, draw):
        return f"{prompt}.{sample}: " + "so it goes. " * draw.randint(*((2, 22) if fault else (8, 30)))

    round = plant(reasoning=chain, double=True)
    found = report.of(round)
    assert found.verdict in ("pass", "warn")
    assert not stopping(found)


def test_length_that_decides_everything_is_blocked(plant):
    def chain(prompt, sample, fault, draw):
        return f"{prompt}.{sample}: " + "so it goes. " * (
            draw.randint(2, 8) if fault else draw.randint(20, 40)
        )

    round = plant(reasoning=chain, said=lambda prompt, sample, draw: "H1" if draw.random() < 0.4 else "")
    found = report.of(round)
    assert found.gate("confounders").verdict == "block"
    assert stopping(found) == {"confounders"}


def test_too_few_samples_a_prompt_are_blocked(plant):
    found = report.of(plant(k=2, said=fault(0.3)))
    assert found.gate("samples-per-prompt").verdict == "block"
    assert found.verdict == "block"


def test_twelve_domains_are_blocked(plant):
    found = gate(plant(domain=lambda prompt: f"domain {prompt % 12}"), "domains")
    assert found.verdict == "block"
    assert found.value == pytest.approx(12, rel=0.05)


def test_hard_traces_among_easy_prompts_are_blocked_and_not_washed_out(plant):
    def hard(prompt, sample, draw):
        return ("" if draw.random() < 0.05 else "H1") if prompt < 40 else ""

    found = report.of(plant(prompts=300, said=hard))
    assert found.gate("selection").verdict == "block"
    assert found.facts.pressure.total < 0.2 < 2 < found.facts.pressure.selecting_total


def test_a_trace_that_was_edited_behind_the_triggers_is_blocked(plant, pilot, tmp_path):
    round = plant()
    decision = Decision.objects.filter(
        round=round, state="accepted", trace__round_prompt__prompt__bucket__gte=2000
    ).first()
    Text.objects.filter(pk=decision.trace.reasoning_id).update(body=b"rewritten")
    found = report.of(round, thorough=True)
    assert found.gate("integrity").verdict == "block"
    assert decision.trace.digest_hex[:12] in found.gate("integrity").why
    dataset = drafting.draft(round, "sft", by=None, folder=tmp_path / "out")
    with pytest.raises(verifying.ReadBackFailed, match="not those that were imported"):
        exporting.build(dataset)
    assert not (tmp_path / "out").exists()


def test_the_best_8_of_64_renumbered_are_blocked_by_the_hashed_plan(plant, pilot):
    round, _ = planning.create_round(pilot, "renumbered", by=None, k=8, double_share=0)
    planning.plan_samples(round, {"k": 64, "prompts": [f"p{prompt}" for prompt in range(40)]}, by=None)
    found = gate(plant("renumbered", prompts=40, said=lambda *_: ""), "integrity")
    assert found.verdict == "block"
    assert "2,240 of 2,560 planned samples are not there" in found.why


def test_a_plan_that_was_followed_holds_and_one_that_came_late_does_not(plant, pilot):
    round, _ = planning.create_round(pilot, "followed", by=None, k=4, double_share=0)
    names = [f"p{prompt}" for prompt in range(30)]
    planning.plan_samples(round, {"k": 4, "prompts": names}, by=None)
    assert gate(plant("followed", prompts=30, k=4), "integrity").verdict == "pass"
    late = plant("late", prompts=30, k=4)
    planning.plan_samples(late, {"k": 4, "prompts": names}, by=None)
    assert "registered after 120 traces" in gate(late, "integrity").why


def test_five_data_sets_each_under_the_limit_are_blocked_together(plant, pilot, tmp_path):
    lines = policy(exposure__traces=400, selection__prompts=10, held_out__prompts=1, lineage__rounds=9)
    governing.publish(pilot, lines, by=None, reason="smaller rounds than usual, to see them add up")
    verdicts = []
    for number in range(5):
        round = plant(f"round {number}", prompts=25, said=fault(0.35))
        dataset = drafting.draft(round, "sft", by=None, folder=tmp_path / f"{number}")
        try:
            exporting.build(dataset)
        except Blocked as blocked:
            verdicts.append(blocked.gates)
        else:
            verdicts.append([])
    assert verdicts[0] == []
    assert verdicts[-1] == ["exposure"]
    assert Dataset.objects.filter(state="ready").count() == sum(not one for one in verdicts)


def test_form_that_does_the_selecting_is_blocked(pilot, import_rows, ada):
    publishing.publish(pilot, SPEC.replace("# The spec", "# The spec {form-selects=true}"), by=None)
    round, _ = planning.create_round(pilot, "form", by=None, double_share=0, full_clause_share=1)
    import_rows([trace_row(prompt, sample) for prompt in range(60) for sample in range(3)], into=round)
    round = Round.objects.select_related("project", "spec_version").get(pk=round.pk)
    while (lease := assigning.next_for(ada, round).assignments[:1]) != []:
        bad = lease[0].trace.sample_index == 0
        holds = {"holds": ("H1", "H2") if bad else ("H1", "H2", "F1")}
        judge(lease[0], "reject" if bad else "accept", ada, *(("F1",) if bad else ()), **holds)
    found = gate(round, "form")
    assert found.verdict == "block"
    assert found.value == pytest.approx(0.405, abs=0.03)  # ln 3/2

"""Each gate with each verdict that it can give, on one honest round under other lines."""

from __future__ import annotations

from datetime import date

import pytest
from making import SPEC, member

from checking.conftest import gate, policy
from reviews import drafting, governing, publishing
from reviews.checking import history, report
from reviews.checking.drafts import Configuration, read
from reviews.errors import Invalid
from reviews.lineages import registering
from reviews.models import Checkpoint, Clause, Look, Round
from reviews.policies import documents

pytestmark = pytest.mark.django_db


def verdicts(round: Round, key: str, *lines: dict) -> list[str]:
    return [gate(round, key, **one).verdict for one in lines]


def test_integrity_holds_and_blocks_what_is_not_all_there(honest, plant):
    assert gate(honest, "integrity").verdict == "pass"
    Round.objects.filter(pk=honest.pk).update(k=9)
    honest.refresh_from_db()
    assert gate(honest, "integrity").verdict == "block"


def test_held_out_holds_blocks_and_cannot_tell(honest, settings):
    assert verdicts(honest, "held-out", {}, {"held_out__share": 0.3}, {"held_out__prompts": 200}) == [
        "pass",
        "block",
        "insufficient",
    ]
    assert (
        gate(honest, "held-out", under="production", held_out__prompts=5).verdict == "insufficient"
    )  # no family
    settings.HELD_OUT_KEY = b"another key, since the first was lost"
    assert gate(honest, "held-out").verdict == "insufficient"


def test_licence_holds_and_blocks_canaries_and_refused_licences(plant):
    assert gate(plant("clean", prompts=30), "licence").verdict == "pass"
    refused = plant("refused", prompts=30, meta=lambda *_: {"licence": "Proprietary"})
    assert gate(refused, "licence").verdict == "block"
    canary = plant("canary", prompts=30, reasoning=lambda p, s, f, d: f"{p}{s} canary GUID 26b5c67b")
    assert "canary" in gate(canary, "licence", thorough=True).why


def test_template_passes_without_a_target_and_production_asks_for_one(honest):
    assert gate(honest, "template").verdict == "pass"
    assert gate(honest, "template", under="production").verdict == "insufficient"


def test_samples_per_prompt_passes_warns_and_blocks(honest):
    lines = [
        {"samples_per_prompt__warn": 8},
        {"samples_per_prompt__warn": 9},
        {"samples_per_prompt__block": 9},
    ]
    assert verdicts(honest, "samples-per-prompt", *lines) == ["pass", "warn", "block"]


def test_selection_passes_warns_blocks_and_cannot_tell(honest, plant):
    upper = gate(honest, "selection").high
    lines = [
        {"selection__warn": upper + 0.01},
        {"selection__warn": upper - 0.01},
        {"selection__block": upper - 0.01},
        {"selection__prompts": 500},
    ]
    assert verdicts(honest, "selection", *lines) == ["pass", "warn", "block", "insufficient"]
    assert gate(honest, "selection").value < upper
    assert gate(plant("few", prompts=12), "selection").verdict == "insufficient"
    assert gate(plant("all", prompts=40, said=lambda *_: ""), "selection").value == 0


def test_admission_passes_warns_and_blocks_and_bars_what_the_model_hardly_does(plant):
    def mostly(prompt, sample, draw):
        hard = prompt < 40
        return "" if (sample == 0 if hard else draw.random() < 0.7) else "H1"

    round = plant(prompts=80, said=mostly)
    share = gate(round, "admission").value
    lines = [
        {"admission__warn": share + 0.01},
        {"admission__warn": share - 0.01},
        {"admission__block": share - 0.01},
    ]
    assert 0.02 < share < 0.3
    assert verdicts(round, "admission", *lines) == ["pass", "warn", "block"]
    barred = report.of(round, policy=policy(admission__rate=0.2))
    assert barred.totals["barred_prompts"] > 20
    assert barred.gate("admission").value == 0


def test_behaviour_floor_passes_and_blocks_in_the_worst_domain(honest):
    found = gate(honest, "behaviour-floor")
    assert found.verdict == "pass"
    assert found.low < found.value
    assert gate(honest, "behaviour-floor", behaviour_floor__floor=0.9).verdict == "block"


def test_form_is_zero_where_it_never_selects_and_unmeasured_where_nobody_judged_it(honest, pilot, plant):
    assert gate(honest, "form").value == 0
    publishing.publish(pilot, SPEC.replace("# The spec", "# The spec {form-selects=true}"), by=None)
    assert gate(plant("selects", prompts=30), "form").verdict == "insufficient"


def test_purpose_passes_blocks_and_asks_a_second_person(honest, pilot, plant):
    lea = member(honest.project, "lee", "lead")
    assert gate(honest, "purpose").verdict == "pass"
    assert gate(honest, "purpose", under="production").verdict == "insufficient"
    for clause in Clause.objects.filter(spec_version=honest.spec_version).exclude(purpose="form"):
        for reader in (lea, member(honest.project, f"second{clause.pk}", "lead")):
            publishing.classify(clause, clause.purpose, clause.relation, by=reader)
    assert gate(honest, "purpose", under="production").verdict == "pass"
    publishing.classify(clause, "process-correctness", "aligned", by=lea)
    assert gate(honest, "purpose", under="production").verdict == "block"
    publishing.publish(pilot, SPEC.replace("relation=orthogonal", "relation=in-conflict"), by=None)
    assert gate(plant("conflict", prompts=30), "purpose").verdict == "block"


def test_domains_pass_warn_block_and_ask_for_a_list(honest):
    assert gate(honest, "domains").verdict == "pass"
    assert gate(honest, "domains", domains__warn=1.5).verdict == "warn"
    assert gate(honest, "domains", domains__block=1.5).verdict == "block"
    assert report.of(honest, policy=documents.shipped("pilot")).gate("domains").verdict == "warn"
    assert report.of(honest, policy=documents.shipped("production")).gate("domains").verdict == "insufficient"
    narrow = documents.read({"name": "pilot", "allowed_domains": ["words"]})
    assert report.of(honest, policy=narrow).gate("domains").verdict == "block"


def test_exposure_passes_blocks_and_asks_for_the_stage(honest):
    assert gate(honest, "exposure").verdict == "pass"
    assert gate(honest, "exposure", exposure__traces=100).verdict == "block"
    assert gate(honest, "exposure", exposure__tokens=100).verdict == "block"
    assert gate(honest, "exposure", under="production").verdict == "insufficient"


def test_lineage_passes_warns_blocks_and_calls_an_unknown_history_unknown(honest, plant):
    worst = gate(honest, "lineage").value
    assert gate(honest, "lineage", lineage__warn=worst + 0.01).verdict == "pass"
    assert gate(honest, "lineage", lineage__warn=worst - 0.01).verdict == "warn"
    assert gate(honest, "lineage", lineage__block=worst - 0.01).verdict == "block"
    assert gate(honest, "lineage", lineage__rounds=0.5).verdict == "block"
    nobody = plant("nobody", prompts=30, known=False)
    assert gate(nobody, "lineage", lineage__warn=9, lineage__block=10).verdict == "warn"
    assert (
        gate(nobody, "lineage", under="production", lineage__warn=9, lineage__block=10).verdict
        == "insufficient"
    )


def test_on_policy_is_not_measured_where_it_is_only_declared(honest):
    assert gate(honest, "on-policy").verdict == "insufficient"
    assert not gate(honest, "on-policy").stops(policy())
    assert gate(honest, "on-policy").stops(policy("production"))


def test_reasoning_given_the_outcome_passes_warns_blocks_and_is_not_measured_without_outcomes(plant):
    round = plant(
        k=16, meta=lambda prompt, sample, found: {"outcome": "wrong" if found == "H2" else "correct"}
    )
    found = gate(round, "cot-given-outcome", cot_given_outcome__warn=5)
    assert found.verdict == "pass"
    assert 0 < found.value < found.high
    assert gate(round, "cot-given-outcome", cot_given_outcome__warn=found.high - 0.01).verdict == "warn"
    lines = {"cot_given_outcome__block": found.high - 0.01}
    assert gate(round, "cot-given-outcome", **lines).verdict == "block"
    assert gate(plant("unknown", prompts=40), "cot-given-outcome").verdict == "insufficient"


def test_confounders_are_measured_on_doubles_only(honest, plant):
    assert gate(honest, "confounders").verdict in ("pass", "warn")
    assert gate(honest, "confounders", confounders__doubles=5000).verdict == "insufficient"
    assert gate(plant("single", prompts=40), "confounders").verdict == "insufficient"


def test_agreement_passes_warns_blocks_and_cannot_tell(honest):
    high = gate(honest, "agreement").high
    lines = [
        {"agreement__warn": high + 1},
        {"agreement__warn": high - 0.1},
        {"agreement__block": high - 0.1},
        {"agreement__twice": 100_000},
    ]
    assert verdicts(honest, "agreement", *lines) == ["pass", "warn", "block", "insufficient"]


def test_reviewers_without_gold_are_not_measured(honest):
    assert gate(honest, "reviewers").verdict == "insufficient"


def test_stage_is_measured_with_files_or_only_claimed(honest):
    base = Checkpoint.objects.get(project=honest.project)
    assert gate(honest, "stage").verdict == "insufficient"
    for key in ("controllability", "evaluation-awareness", "sad-normalised"):
        registering.measure(base, key, 0.02, high=0.04, n=500, by=None, measured_on=date(2026, 11, 1))
    assert gate(honest, "stage").verdict == "insufficient"  # claimed, which does not pass
    for key in ("controllability", "evaluation-awareness", "sad-normalised"):
        registering.measure(base, key, 0.02, high=0.04, n=500, by=None, file_name="run.json", file=b"{}")
    assert gate(honest, "stage", under="production").verdict == "pass"
    registering.measure(
        base, "controllability", 0.2, high=0.3, n=500, by=None, file_name="run.json", file=b"{}"
    )
    assert gate(honest, "stage", under="production").verdict == "block"


def test_a_checkpoint_before_any_selection_has_nothing_that_could_have_been_hidden(honest):
    assert gate(honest, "monitor").verdict == "pass"
    assert gate(honest, "load-bearing").verdict == "pass"


def test_the_verdict_is_the_worst_of_the_gates_that_bind(honest):
    loose = {"lineage__warn": 9, "lineage__block": 10, "selection__warn": 5}
    assert report.of(honest, policy=policy(**loose)).verdict in ("pass", "warn")
    found = report.of(honest, policy=policy("production", **loose))
    assert found.verdict == "insufficient"
    assert "on-policy" in {one.key for one in found.stopping}


def test_each_new_configuration_is_a_look_and_widens_the_bounds(honest):
    first = report.of(honest)
    again = report.of(honest)
    capped = report.of(honest, configuration=Configuration(cap=2))
    third = report.of(honest, configuration=Configuration(prompts=0.5))
    assert [one.facts.looks for one in (first, again, capped, third)] == [1, 1, 2, 3]
    assert third.facts.level == pytest.approx(1 - 0.05 / 3)
    assert report.of(honest).gate("selection").high > first.gate("selection").high
    assert Look.objects.filter(round=honest).count() == 3


def test_reductions_are_random_or_declared_and_the_same_each_time(honest):
    whole = report.of(honest).facts.draft
    for configuration in (
        Configuration(cap=2),
        Configuration(prompts=0.5),
        Configuration(domains_out=("words",)),
    ):
        one, two = (report.of(honest, configuration=configuration).facts for _ in range(2))
        assert (one.draft.selected == two.draft.selected).all()
        assert (one.draft.selected <= whole.selected).all()
        assert 0 < one.draft.selected.sum() < whole.selected.sum()
    capped = report.of(honest, configuration=Configuration(cap=2))
    assert max(one["rows"] for one in capped.strip) == 2


def test_mixing_lets_rejected_traces_out_and_says_how_many(honest):
    found = report.of(honest, configuration=Configuration(mix=0.4))
    whole = report.of(honest)
    assert found.totals["rows"] == whole.totals["rows"]
    assert found.totals["rejected"] > 0
    assert found.totals["rejected_share"] == pytest.approx(
        0.4 * 0.42, abs=0.1
    )  # drawn by the seed, of which there is a new one each time
    assert found.gate("selection").value < whole.gate("selection").value


def test_arms_match_prompts_rows_and_tokens(honest):
    selected = report.of(honest).facts
    for arm in ("random-control", "outcome-only"):
        facts = report.of(honest, configuration=Configuration(arm=arm)).facts
        match = history.match(facts)
        assert match["rows"] == match["rows_wanted"] == selected.going.size
        assert match["prompts"] == match["prompts_wanted"]
        assert match["tokens"] == pytest.approx(match["tokens_wanted"], rel=0.02)
    control = report.of(honest, configuration=Configuration(arm="random-control"))
    assert control.gate("selection").value == 0
    assert (control.facts.draft.going & ~control.facts.people.accepted).any()


@pytest.mark.parametrize(
    "given",
    [
        {"prompts": 0},
        {"prompts": "half"},
        {"cap": 0},
        {"cap": "two"},
        {"mix": 1},
        {"mix": -1},
        {"domains_out": "sums"},
        {"arm": "x"},
    ],
)
def test_a_configuration_that_is_none_is_refused_with_its_field(given):
    with pytest.raises(Invalid) as refused:
        read(given)
    assert refused.value.field in given


def test_samples_of_an_abandoned_round_stay_in_the_denominators(plant):
    alone = report.of(plant("first", prompts=40, asked="the same")).facts.base.sampled.sum()
    rolled = report.of(plant("second", prompts=40, asked="the same")).facts.base.sampled.sum()
    other = report.of(plant("third", prompts=40, asked="another")).facts.base
    assert rolled == 2 * alone
    assert (other.elsewhere == 0).all()


def test_an_override_needs_a_reason_of_substance_and_none_lifts_integrity(honest):
    lea = member(honest.project, "lee", "lead")
    dataset = drafting.draft(honest, "sft", by=lea)
    with pytest.raises(Invalid, match="sentence of your own"):
        drafting.override(dataset, {"selection": "because because because because"}, by=lea)
    with pytest.raises(Invalid, match="never overridden"):
        drafting.override(dataset, {"held-out": "we really need these prompts today"}, by=lea)
    made = drafting.override(dataset, {"selection": "", "lineage": "the history was lost in a move"}, by=lea)
    assert [one.gate for one in made] == ["lineage"]


def test_a_laxer_policy_needs_a_reason_and_a_stricter_one_does_not(pilot, lea):
    before = governing.newest(pilot)
    with pytest.raises(Invalid, match="laxer in selection"):
        governing.publish(pilot, policy(selection__block=2), by=lea)
    stricter = governing.publish(pilot, policy(selection__block=1), by=lea)
    assert stricter.number == before.number + 1
    laxer = governing.publish(
        pilot, policy(selection__block=2), by=lea, reason="the prompts of this round are harder"
    )
    assert [(one.key, one.laxer) for one in governing.compare(stricter, laxer)] == [("selection.block", True)]

"""A pre-filter is selection and priced; a random subset is none and leaves both sides of every figure."""

from __future__ import annotations

import json

import numpy as np
import pytest
from django.urls import reverse
from making import judge, trace_row

from reviews import assigning, governing, importing, planning, rebuilding, requeueing
from reviews.checking.drafts import Configuration
from reviews.checking.facts import gather
from reviews.describing import counting
from reviews.errors import Invalid
from reviews.measures.outcomes import given_outcome
from reviews.models import Assignment, Decision, Event, Round, Trace
from reviews.requeueing import KeptByThePlan

OUTCOMES = ["correct", "wrong", "correct", "unknown"]


def rows(prompts=10, k=4, **more):
    """Half of each prompt's samples are right; the last is of unknown outcome or has none."""
    found = []
    for prompt in range(prompts):
        for sample in range(k):
            outcome = OUTCOMES[sample % 4]
            meta = {"domain": "sums", **({} if outcome == "unknown" and prompt % 2 else {"outcome": outcome})}
            found.append(trace_row(prompt, sample, meta=meta, **more))
    return found


@pytest.fixture
def filtered(project) -> Round:
    return planning.create_round(project, "filtered", by=None, double_share=0, prefilter="correct")[0]


@pytest.fixture
def subset(project) -> Round:
    return planning.create_round(project, "subset", by=None, double_share=0, subset_share=0.4)[0]


def arrays(round):
    return gather(round, governing.of(governing.in_force(round)), Configuration()).people


def accept_all(round, reader, verdict="accept"):
    while found := assigning.next_for(reader, round).assignments:
        judge(found[0], verdict, reader)


def test_only_what_a_checker_calls_right_is_queued_and_the_rest_is_dropped_with_the_reason(
    filtered, import_rows
):
    import_rows(rows(), into=filtered)
    queued = Assignment.objects.filter(round=filtered)
    assert queued.count() == 20
    assert set(queued.values_list("trace__outcomes__value", flat=True)) == {"correct"}
    out = Decision.objects.filter(round=filtered, state="dropped")
    assert (out.count(), set(out.values_list("why", flat=True))) == (20, {"filtered"})
    assert rebuilding.check() == []


def test_what_is_filtered_out_stays_in_the_denominators_as_not_accepted(filtered, import_rows, ada):
    import_rows(rows(), into=filtered)
    accept_all(filtered, ada)
    found = arrays(filtered)
    assert (int(found.sampled.sum()), int(found.taken.sum())) == (40, 20)
    assert counting.pressures(filtered)["total"] == pytest.approx(np.log(2))


def test_the_pressure_of_a_prefilter_that_everything_else_passes_is_pressure_on_the_outcome(
    filtered, import_rows, ada
):
    import_rows(rows(prompts=30), into=filtered)
    accept_all(filtered, ada)
    found = arrays(filtered)
    classes = found.prompt * 3 + np.where(found.outcome == 0, 0, np.where(found.outcome == 1, 1, 2))
    cells, place = np.unique(classes, return_inverse=True)
    k = np.bincount(place.reshape(-1), weights=found.accepted).astype(np.int64)
    split = given_outcome(k, np.bincount(place.reshape(-1)), cells // 3)
    total = counting.pressures(filtered)["total"]
    assert split.outcome == pytest.approx(total)
    assert (split.cot_plugin, split.prompt_shift) == (pytest.approx(0), pytest.approx(0))


def test_a_random_subset_is_drawn_by_the_seed_and_leaves_both_sides(subset, import_rows, ada):
    import_rows(rows(prompts=50), into=subset)
    queued = set(Assignment.objects.filter(round=subset).values_list("trace", flat=True))
    assert 0.3 < len(queued) / 200 < 0.5
    found = arrays(subset)
    assert set(found.trace.tolist()) == queued
    accept_all(subset, ada)
    found = arrays(Round.objects.get(pk=subset.pk))
    assert found.sampled.sum() == found.taken.sum() == len(queued)
    measured = counting.pressures(subset)
    assert (measured["sampled"], measured["total"]) == (len(queued), 0)
    assert rebuilding.check() == []


def test_a_subset_changes_nothing_but_how_much_is_known(project, import_rows, bring_in):
    """The same verdicts on everything and on the subset: the same pressure but for chance."""
    totals = {}
    for name, share in (("all", 1), ("part", 0.5)):
        round, _ = planning.create_round(project, name, by=None, double_share=0, subset_share=share)
        import_rows(
            [trace_row(n, s, prompt=f"{name}: {n}?") for n in range(100) for s in range(4)], into=round
        )
        judged = set(
            Assignment.objects.filter(round=round).values_list(
                "trace__round_prompt__external_id", "trace__sample_index"
            )
        )
        said = [
            (n, s, "ada", *(("accept", "") if (n + s) % 2 else ("reject", "H1")))
            for n in range(100)
            for s in range(4)
            if (f"p{n}", s) in judged
        ]
        assert bring_in(round, said).refused == []
        totals[name] = counting.pressures(round)
    assert totals["part"]["sampled"] < 260 < totals["all"]["sampled"]
    assert totals["part"]["total"] == pytest.approx(totals["all"]["total"], abs=0.15)


def test_both_at_once_filter_what_was_drawn(project, import_rows):
    round, _ = planning.create_round(project, "both", by=None, prefilter="correct", subset_share=0.5)
    import_rows(rows(prompts=40), into=round)
    whys = dict.fromkeys(("filtered", "outside-subset"), 0)
    for why in Decision.objects.filter(round=round, state="dropped").values_list("why", flat=True):
        whys[why] += 1
    assert whys["outside-subset"] > 50 < Decision.objects.filter(round=round).count() - whys["filtered"]
    queued = Assignment.objects.filter(round=round).values("trace").distinct().count()
    assert queued + sum(whys.values()) == 160
    assert len(arrays(round).trace) == 160 - whys["outside-subset"]


def test_exact_repeats_share_the_draw_and_the_filter(project, import_rows, ada):
    round, _ = planning.create_round(
        project, "repeats", by=None, double_share=0, prefilter="correct", subset_share=0.5
    )
    import_rows(rows(prompts=20, reasoning="the same thought", answer="1"), into=round)
    for prompt in range(20):
        states = Decision.objects.filter(trace__round_prompt__external_id=f"p{prompt}", round=round)
        assert states.values("state", "why").distinct().count() == 1
    assert rebuilding.check() == []
    accept_all(round, ada)
    assert rebuilding.check() == []


def test_rebuild_puts_back_what_was_queued_or_read_against_the_plan(filtered, import_rows):
    import_rows(rows(), into=filtered)
    out = Decision.objects.filter(round=filtered, why="filtered").first()
    Decision.objects.filter(pk=out.pk).update(state="pending", why="")
    Assignment.objects.create(round=filtered, trace_id=out.trace_id, slot=0, place=1)
    assert len(rebuilding.check()) == 2
    rebuilding.rebuild()
    assert rebuilding.check() == []
    assert not Assignment.objects.filter(trace=out.trace_id).exists()


@pytest.mark.parametrize("once_more", [False, True])
def test_nobody_can_put_such_a_trace_first_or_have_it_read(filtered, import_rows, lea, once_more):
    import_rows(rows(), into=filtered)
    with pytest.raises(
        KeptByThePlan, match="20 of these 40 traces are kept out of the queue by the round's plan"
    ):
        requeueing.requeue(filtered, Trace.objects.all(), "now", once_more=once_more, by=lea)
    pending = Trace.objects.filter(decision__state="pending")
    assert requeueing.requeue(filtered, pending, "now", once_more=once_more, by=lea) == 20
    assert rebuilding.check() == []


def test_verdicts_from_elsewhere_on_such_a_trace_are_refused_with_their_line(filtered, import_rows, bring_in):
    import_rows(rows(prompts=2), into=filtered)
    found = bring_in(filtered, [(0, 0, "ada", "accept", ""), (0, 1, "ada", "accept", "")])
    assert found.recorded == 1
    assert [line.reason for line in found.refused] == ["the round's plan keeps this trace out of review"]


def test_a_withdrawn_import_stays_withdrawn_whatever_the_plan_says(filtered, import_rows):
    import_rows(rows(prompts=2), into=filtered)
    batch = Trace.objects.filter(round=filtered).first().batch
    importing.withdraw_batch(batch, "wrong file", by=None)
    assert set(Decision.objects.filter(round=filtered).values_list("why", flat=True)) == {"batch-withdrawn"}
    assert rebuilding.check() == []


def test_samples_outside_another_rounds_subset_are_not_counted_as_sampled_there(project, import_rows, subset):
    import_rows(rows(prompts=30), into=subset)
    inside = len(arrays(subset).trace)
    mine, _ = planning.create_round(project, "mine", by=None)
    import_rows([trace_row(number, 9) for number in range(30)], into=mine)
    assert int(arrays(mine).elsewhere.sum()) == inside


def test_the_empty_queue_and_the_rounds_page_say_why_nothing_waits(filtered, import_rows, client, ada, lea):
    wrong = [trace_row(n, meta={"outcome": "wrong"}) for n in range(3)]
    import_rows(wrong, into=filtered)
    assert assigning.next_for(ada, filtered).empty == "the round's plan queues none of what was imported"
    client.force_login(lea)
    page = client.get(reverse("round", args=[filtered.project.slug, filtered.pk])).text
    assert "3 that no checker calls right: sampled and not accepted" in page
    assert "only what a checker calls right" in page


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"prefilter": "nice"}, "pre-filter is 'correct' or nothing"),
        ({"subset_share": 0}, "above 0 and at most 1"),
        ({"subset_share": 1.2}, "above 0 and at most 1"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(project, plan, words):
    with pytest.raises(Invalid, match=words):
        planning.create_round(project, "no", by=None, **plan)


def test_the_command_the_api_and_the_log_have_the_plan(project, command, client, lea):
    pk = command("create_round", "r", "--project", "pilot", "--prefilter", "correct", "--subset", 0.3)[
        "round"
    ]
    round = Round.objects.get(pk=pk)
    assert (round.prefilter, round.subset_share) == ("correct", 0.3)
    told = json.loads(bytes(Event.objects.filter(kind="round.created").latest("pk").payload))
    assert (told["prefilter"], told["subset_share"]) == ("correct", 0.3)
    client.force_login(lea)
    shown = client.get("/api/v1/projects/pilot/rounds").json()["results"][0]
    assert (shown["prefilter"], shown["subset_share"]) == ("correct", 0.3)


def test_a_lead_plans_it_on_the_page(project, client, lea):
    client.force_login(lea)
    given = {
        "name": "by hand",
        "overlap": 1,
        "double_share": 0.2,
        "rule": "agree",
        "mode": "absolute",
        "answer_first_share": 0,
        "full_clause_share": 0,
        "gold_rate": 0,
        "repeat_rate": 0,
        "repeat_after_days": 7,
        "prefilter": "correct",
        "subset_share": "0.25",
    }
    assert client.post(reverse("new-round", args=[project.slug]), given).status_code == 302
    round = Round.objects.get(name="by hand")
    assert (round.prefilter, round.subset_share) == ("correct", 0.25)
    assert (
        client.post(reverse("new-round", args=[project.slug]), {**given, "subset_share": "0"}).status_code
        == 422
    )

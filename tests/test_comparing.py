"""Side by side: samples of one prompt, judged each by itself or relatively, on record as what it is."""

from __future__ import annotations

import itertools
import json

import pytest
from django.test import Client
from making import judge, trace_row

from reviews import comparing, planning, rebuilding
from reviews.assigning import LeaseLost
from reviews.errors import Invalid
from reviews.models import Assignment, Citation, Comparison, Decision, Review
from reviews.saying import Said


@pytest.fixture
def beside(project, import_rows):
    def make(mode, samples=6):
        round, _ = planning.create_round(project, mode, by=None, double_share=0, mode=mode)
        import_rows(
            [trace_row(number, sample) for number in range(2) for sample in range(samples)], into=round
        )
        return round

    return make


def look(reader, round):
    return comparing.next_for(reader, round).assignments


def said(sides, *verdicts, **more):
    return [
        (side.pk, Said(verdict, ("H1",) if verdict == "reject" and not more else (), **more), side.lease_key)
        for side, verdict in zip(sides, verdicts, strict=True)
    ]


def test_up_to_four_samples_of_one_prompt_stand_side_by_side_and_asking_again_gives_the_same(beside, ada):
    round = beside("side-by-side")
    sides = look(ada, round)
    assert len(sides) == 4
    assert len({side.trace.round_prompt_id for side in sides}) == 1
    assert [side.pk for side in look(ada, round)] == [side.pk for side in sides]


def test_each_is_judged_by_itself_and_the_order_is_on_record(beside, ada):
    round = beside("side-by-side")
    sides = look(ada, round)
    done = comparing.record(round, said(sides, "accept", "reject", "unsure", "accept"), by=ada)
    assert [review.verdict for review in done] == ["accept", "reject", "unsure", "accept"]
    comparison = Comparison.objects.get()
    assert [place.trace_id for place in comparison.places.all()] == [side.trace_id for side in sides]
    assert {review.comparison for review in done} == {comparison}
    assert rebuilding.check() == []


def test_the_best_is_picked_without_a_clause_and_stays_a_relative_verdict(beside, ada):
    round = beside("pick-best", samples=4)
    sides = look(ada, round)
    comparing.record(round, said(sides, "reject", "accept", "reject", "reject", relative=True), by=ada)
    assert Comparison.objects.get().mode == "pick-best"
    states = dict(Decision.objects.values_list("trace", "state"))
    assert [states[side.trace_id] for side in sides] == ["rejected", "accepted", "rejected", "rejected"]


def test_sent_twice_it_is_one_look(beside, ada):
    round = beside("pick-best", samples=4)
    verdicts = said(look(ada, round), "reject", "accept", "reject", "reject", relative=True)
    first = comparing.record(round, verdicts, by=ada)
    assert comparing.record(round, verdicts, by=ada) == first
    assert Comparison.objects.count() == 1
    assert Review.objects.count() == 4


def test_two_picked_and_samples_of_two_prompts_are_refused_whole(beside, ada):
    round = beside("pick-best", samples=4)
    sides = look(ada, round)
    with pytest.raises(Invalid, match="Pick one"):
        comparing.record(round, said(sides, "accept", "accept", "reject", "reject", relative=True), by=ada)
    assert not Review.objects.exists()
    assert not Comparison.objects.exists()


def test_all_of_a_round_is_seen_to_its_end(beside, ada):
    round = beside("side-by-side", samples=6)
    seen = 0
    while sides := look(ada, round):
        comparing.record(round, said(sides, *["accept"] * len(sides)), by=ada)
        seen += len(sides)
    assert seen == 12


def test_over_the_page(beside, ada):
    round = beside("side-by-side", samples=3)
    client = Client(headers={"HX-Request": "true"})
    client.force_login(ada)
    page = client.post(f"/p/pilot/rounds/{round.pk}/next")
    assert page.text.count('aria-label="Sample ') == 3
    sides = look(ada, round)
    body = {"assignment": [side.pk for side in sides]}
    for side in sides:
        body |= {
            f"{side.pk}-key": side.lease_key,
            f"{side.pk}-verdict": "reject",
            f"{side.pk}-clauses": ["H2"],
            f"{side.pk}-comment": f"why {side.pk}",
            f"{side.pk}-spans": json.dumps([span(side)]),
        }
    page = client.post(f"/p/pilot/rounds/{round.pk}/compare", body)
    assert page.status_code == 200
    assert page.text.count("reject") == 6  # three times in words, three times for the colour
    assert Review.objects.filter(verdict="reject").count() == 3
    assert {review.comment for review in Review.objects.all()} == {f"why {side.pk}" for side in sides}
    assert {bytes(mark.quote) for mark in Citation.objects.all()} == {b"one"}
    body[f"{sides[0].pk}-key"] = "no key"
    assert client.post(f"/p/pilot/rounds/{round.pk}/compare", body).status_code == 422


def span(side):
    start = side.trace.reasoning.as_text.index("one")
    return {"clause": "H2", "part": "reasoning", "start": start, "end": start + 3, "quote": "one"}


def test_the_page_shows_what_is_held_and_takes_nothing(beside, ada, ben):
    round = beside("side-by-side", samples=3)
    client = Client()
    client.force_login(ada)
    address = f"/p/pilot/rounds/{round.pk}/review"
    assert 'aria-label="Sample ' not in client.get(address).text
    sides = look(ada, round)
    page = client.get(address).text
    places = [page.index(f'value="{side.lease_key}"') for side in sides]
    assert places == sorted(places)
    client.force_login(ben)
    assert 'aria-label="Sample ' not in client.get(address).text


def test_a_sample_that_went_to_someone_else_is_named_and_nothing_is_saved(beside, ada, ben):
    round = beside("side-by-side", samples=3)
    sides = look(ada, round)
    Assignment.objects.filter(pk=sides[1].pk).update(leased_by=ben)
    with pytest.raises(LeaseLost, match="no longer hold B:"):
        comparing.record(round, said(sides, "accept", "accept", "accept"), by=ada)
    assert not Review.objects.exists()
    assert [side.pk for side in comparing.held(ada, round)] == [sides[0].pk, sides[2].pk]


def test_an_undo_brings_its_sample_back_beside_those_still_open(beside, ada):
    round = beside("side-by-side", samples=3)
    client = Client(headers={"HX-Request": "true"})
    client.force_login(ada)
    sides = look(ada, round)
    comparing.record(round, said(sides, "accept", "accept", "accept"), by=ada)
    page = client.post(f"/p/pilot/rounds/{round.pk}/undo")
    assert page.text.count('aria-label="Sample ') == 1
    assert Review.objects.standing().count() == 2


def test_outside_that_mode_samples_of_one_prompt_do_not_follow_each_other(import_rows, round, ada):
    from reviews import assigning

    import_rows([trace_row(number, sample) for number in range(6) for sample in range(6)])
    order = []
    while found := assigning.next_for(ada, round, ahead=True).assignments:
        order.append(found[0].trace.round_prompt_id)
        judge(found[0], "accept", ada)
    together = sum(one == two for one, two in itertools.pairwise(order))
    assert len(order) == 36
    assert together <= 3  # where nothing else is left at the very end
    assert Assignment.objects.open().count() == 0


def test_a_look_is_skipped_whole_and_does_not_come_again(beside, ada, ben):
    round = beside("side-by-side", samples=4)
    client = Client()
    client.force_login(ada)
    sides = look(ada, round)
    gone = {"assignment": [side.pk for side in sides]}
    assert client.post(f"/p/pilot/rounds/{round.pk}/skip", gone).status_code == 302
    after = look(ada, round)
    assert not {side.trace_id for side in after} & {side.trace_id for side in sides}
    assert len(after) == 4
    assert client.post(f"/p/pilot/rounds/{round.pk}/skip", {"assignment": ["x"]}).status_code == 422
    assert rebuilding.check() == []


def test_a_bad_prompt_found_side_by_side_waits_for_the_lead(beside, ada):
    round = beside("side-by-side", samples=4)
    sides = look(ada, round)
    comparing.record(round, said(sides, "bad-prompt", "bad-prompt", "bad-prompt", "bad-prompt"), by=ada)
    states = Decision.objects.filter(trace__in=[side.trace_id for side in sides])
    assert set(states.values_list("state", "why")) == {("disputed", "bad-prompt")}

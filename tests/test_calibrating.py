"""Gold, blind repeats and training: mixed in by the reader's own count, unmarked, and counting for nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from making import judge, member, trace_row

from reviews import assigning, calibrating, planning, rebuilding, serving
from reviews.audit import rows
from reviews.errors import Conflict, Invalid, NotAllowed
from reviews.models import Assignment, Decision, Gold, Review, Role, Round, Trace
from reviews.models.frozen import freeze, thaw


@pytest.fixture
def mixed(project, import_rows, ben):
    """A round with gold at one in four: eight gold traces, four of each kind, and forty to read."""
    round, _ = planning.create_round(project, "mixed", by=None, double_share=0, gold_rate=0.25)
    import_rows([trace_row(number) for number in range(48)], into=round)
    for number in range(8):
        lease = assigning.next_for(ben, round).assignments[0]
        verdict = "accept" if number % 2 else "reject"
        judge(lease, verdict, ben)
        clauses = () if verdict == "accept" else ("H1",)
        calibrating.mark_gold(lease.trace, verdict, clauses, "plain to see", by=None)
    return Round.objects.get(pk=round.pk)


def work(reader, round, n, verdict="accept"):
    """Judge up to n traces as the desk would; the reviews."""
    done = []
    for _ in range(n):
        found = serving.next_for(reader, Round.objects.get(pk=round.pk)).assignments
        if not found:
            break
        done.append(judge(found[0], verdict, reader))
    return done


def test_gold_comes_at_about_its_rate_and_of_both_kinds(mixed, ada):
    done = work(ada, mixed, 40)
    gold = [review for review in done if review.served == "gold"]
    assert 4 <= len(gold) <= 8
    kinds = {Gold.objects.get(trace=review.trace).verdict for review in gold}
    assert kinds == {"accept", "reject"}


def test_a_reload_cannot_draw_again(mixed, ada):
    for _ in range(12):
        first = serving.next_for(ada, Round.objects.get(pk=mixed.pk)).assignments[0]
        for _ in range(4):
            assert serving.next_for(ada, Round.objects.get(pk=mixed.pk)).assignments[0] == first
        judge(first, "accept", ada)


def test_gold_is_served_unmarked(mixed, ada):
    client = Client(headers={"HX-Request": "true"})
    client.force_login(ada)
    pages = set()
    for _ in range(40):
        page = client.post(f"/p/pilot/rounds/{mixed.pk}/next")
        assert "gold" not in page.text.lower()
        lease = Assignment.objects.open().get(leased_by=ada)
        pages.add(lease.kind)
        judge(lease, "accept", ada)
        if len(pages) == 2:
            break
    assert pages == {"normal", "gold"}


def test_gold_and_repeats_decide_nothing_and_enter_no_agreement(mixed, ada):
    before = dict(Decision.objects.filter(trace__gold__isnull=False).values_list("trace", "state"))
    done = work(ada, mixed, 40, "reject")
    assert any(review.served == "gold" for review in done)
    assert dict(Decision.objects.filter(trace__gold__isnull=False).values_list("trace", "state")) == before
    raters = {(row.item_id, row.rater_id) for row in rows.readings(mixed)}
    gold = {bytes(gold.trace.digest).hex() for gold in Gold.objects.all()}
    assert not {item for item, rater in raters if rater == "ada"} & gold
    assert rebuilding.check() == []


def test_a_skipped_gold_is_gone_and_no_slot_comes_back(mixed, ada):
    lease = None
    while lease is None or lease.kind != "gold":
        lease = serving.next_for(ada, Round.objects.get(pk=mixed.pk)).assignments[0]
        if lease.kind != "gold":
            judge(lease, "accept", ada)
    assigning.skip(lease, "", by=ada)
    assert not Assignment.objects.filter(pk=lease.pk).exists()


def test_only_decided_traces_become_gold_and_only_by_a_lead(traces, round, ada, lea):
    with pytest.raises(Conflict, match="decided"):
        calibrating.mark_gold(traces[0], "accept", (), "so", by=lea)
    judge(assigning.next_for(ada, round).assignments[0], "accept", ada)
    decided = Decision.objects.get(state="accepted").trace
    with pytest.raises(NotAllowed):
        calibrating.mark_gold(decided, "accept", (), "so", by=ada)
    with pytest.raises(Invalid, match="clause"):
        calibrating.mark_gold(decided, "reject", (), "so", by=lea)
    calibrating.mark_gold(decided, "accept", (), "so", by=lea)
    calibrating.mark_gold(decided, "reject", ("H1",), "on second thoughts", by=lea)
    assert Gold.objects.standing().get().verdict == "reject"
    calibrating.retire_gold(decided, "worn out", by=lea)
    assert not Gold.objects.standing().exists()


def test_a_repeat_comes_blind_after_its_days_and_once(project, import_rows, ada):
    round, _ = planning.create_round(
        project, "again", by=None, double_share=0, repeat_rate=0.5, repeat_after_days=7
    )
    import_rows([trace_row(number) for number in range(12)], into=round)
    assert {review.served for review in work(ada, round, 12)} == {"normal"}

    thaw(connection)  # a week passes
    Review.objects.update(at=timezone.now() - timedelta(days=8))
    freeze(connection)
    import_rows([trace_row(number) for number in range(20, 50)], into=round)
    again = [review for review in work(ada, round, 40, "reject") if review.served == "repeat"]
    assert again
    assert all(review.pass_number == 2 for review in again)
    assert len({review.trace_id for review in again}) == len(again)
    first = Decision.objects.filter(trace__in=[review.trace_id for review in again])
    assert {decision.state for decision in first} == {"accepted"}


@pytest.fixture
def training(project, import_rows):
    round, _ = planning.create_round(project, "training", by=None, training=True)
    import_rows([trace_row(number) for number in range(12)], into=round)
    for number, trace in enumerate(Trace.objects.filter(round=round).order_by("pk")):
        right = ("accept", ()) if number % 2 else ("reject", ("H2",))
        calibrating.mark_gold(trace, *right, f"reason {number}", by=None)
    return round


def test_training_answers_each_verdict_with_the_right_one(training, ada):
    client = Client(headers={"HX-Request": "true"})
    client.force_login(ada)
    lease = serving.next_for(ada, training).assignments[0]
    right = Gold.objects.get(trace=lease.trace)
    page = client.post(f"/assignments/{lease.pk}/review", {"verdict": "accept", "key": str(lease.lease_key)})
    assert right.reason in page.text
    assert ("Right." in page.text) == (right.verdict == "accept")


def test_who_has_not_qualified_gets_nothing_and_is_told_why(project, import_rows, training, ada, ben):
    round, _ = planning.create_round(project, "real", by=None, qualify_in=training)
    import_rows([trace_row(number) for number in range(3)], into=round)
    assert "first qualify in training: 0 of 0 right" in serving.next_for(ada, round).empty

    def learn(reader, right_ones):
        for number in range(12):
            lease = serving.next_for(reader, Round.objects.get(pk=training.pk)).assignments[0]
            right = Gold.objects.get(trace=lease.trace).verdict
            wrong = "accept" if right == "reject" else "reject"
            judge(lease, right if number < right_ones else wrong, reader)

    learn(ada, 12)
    learn(ben, 7)
    assert len(serving.next_for(ada, round).assignments) == 1
    assert "7 of 12 right" in serving.next_for(ben, round).empty
    assert (
        "all 12 training traces: 12 right" in serving.next_for(ada, Round.objects.get(pk=training.pk)).empty
    )


def test_what_is_mixed_in_costs_no_query_where_nothing_is_drawn(mixed, ada, real_queries):
    client = Client(headers={"HX-Request": "true"})
    client.force_login(ada)
    counts = []
    for _ in range(12):
        with real_queries() as asked:
            client.post(f"/p/pilot/rounds/{mixed.pk}/next")
        lease = Assignment.objects.open().get(leased_by=ada)
        counts.append((lease.kind, len(asked)))
        judge(lease, "accept", ada)
    assert max(count for kind, count in counts if kind == "normal") <= 6
    assert max(count for _, count in counts) <= 10


def test_one_person_in_several_roles_still_needs_the_round_to_be_open(training, project):
    both = member(project, "both", Role.REVIEWER, Role.LEAD)
    planning.set_state(training, "paused", by=both)
    assert serving.next_for(both, Round.objects.get(pk=training.pk)).assignments == []

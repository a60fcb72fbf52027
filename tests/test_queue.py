"""The queue: what may be taken is found, held at most two at a time, and given back."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from making import SPEC, judge, member, trace_row

from reviews import adjudicating, assigning, importing, planning, publishing, reviewing, saying
from reviews.assigning import LeaseLost
from reviews.errors import NotAllowed
from reviews.models import Assignment, Decision, ImportBatch, Project, Review, Role, Round, Skip, Trace, User


def take(reviewer, round, ahead=False):
    return assigning.next_for(reviewer, round, ahead=ahead).assignments


def expire(assignment):
    past = timezone.now() - timedelta(minutes=1)
    Assignment.objects.filter(pk=assignment.pk).update(leased_until=past)


def test_asking_again_gives_the_same_trace_and_at_most_two_are_held(traces, round, ada):
    first = take(ada, round)
    both = take(ada, round, ahead=True)
    assert take(ada, round, ahead=True) == both
    assert both[0] == first[0]
    assert Assignment.objects.filter(leased_by=ada).count() == 2


def test_nobody_gets_both_slots_of_one_trace(project, import_rows, ada, ben):
    round, _ = planning.create_round(project, "twice", by=None, overlap=2)
    import_rows([trace_row(1)], into=round)
    mine = take(ada, round, ahead=True)
    assert len(mine) == 1
    judge(mine[0], "accept", ada)
    assert "1 judged by you" in assigning.next_for(ada, round).empty
    assert take(ben, round)[0].trace == mine[0].trace


def test_an_expired_lease_goes_to_the_next_who_asks_and_is_still_good_until_then(
    import_rows, round, ada, ben
):
    import_rows([trace_row(1)])
    lease = take(ada, round)[0]
    assert "1 leased to others, free in 20 min" in assigning.next_for(ben, round).empty
    expire(lease)
    assert judge(lease, "accept", ada).verdict == "accept"

    import_rows([trace_row(2)])
    lease = take(ada, round)[0]
    expire(lease)
    assert take(ben, round) == [lease]
    with pytest.raises(LeaseLost, match="went to someone else"):
        judge(lease, "accept", ada)


def test_a_skipped_trace_goes_to_the_back_and_not_to_the_same_reviewer(traces, round, ada, ben):
    skipped = take(ada, round)[0]
    assigning.skip(skipped, "too long", by=ada)
    seen = set()
    while found := take(ada, round):
        seen.add(found[0].trace)
        judge(found[0], "accept", ada)
    assert seen == set(traces) - {skipped.trace}
    assert "5 judged by you; 1 skipped by you" in assigning.next_for(ada, round).empty
    assert take(ben, round)[0].trace == skipped.trace


def test_an_empty_queue_says_why(round, ada, project):
    assert assigning.next_for(ada, round).empty == "no traces have been imported yet"
    planning.set_state(round, "paused", by=None)
    assert assigning.next_for(ada, Round.objects.get()).empty == "the round is paused"


def test_only_reviewers_take_traces(traces, round, lea, aud, stranger):
    for person in (lea, aud, stranger):
        with pytest.raises(NotAllowed):
            assigning.next_for(person, round)


def test_a_late_import_is_found_by_a_reviewer_who_had_reached_the_end(traces, round, ada, import_rows):
    while found := take(ada, round):
        judge(found[0], "accept", ada)
    import_rows([trace_row(number) for number in range(50, 60)])
    late = 0
    while found := take(ada, Round.objects.get(pk=round.pk)):
        judge(found[0], "accept", ada)
        late += 1
    assert late == 10


def test_siblings_are_not_in_the_order_of_the_file(import_rows, round, ada):
    import_rows([trace_row(number) for number in range(40)])
    order = []
    while found := take(ada, round):
        order.append(found[0].trace_id)
        judge(found[0], "accept", ada)
    assert order != sorted(order)


@pytest.fixture
def desk(ada):
    client = Client(headers={"HX-Request": "true"})
    client.force_login(ada)
    return client


@pytest.mark.parametrize("size", [8, 800])
def test_next_takes_at_most_six_queries_and_a_verdict_ten_whatever_the_size(
    size, import_rows, project, ada, desk, real_queries
):
    round, _ = planning.create_round(project, "sized", by=None, overlap=2)
    import_rows([trace_row(number) for number in range(size)], into=round)
    for _ in range(3):  # a reviewer with a past, so that the search starts somewhere
        judge(take(ada, round)[0], "accept", ada)

    with real_queries() as asked:
        page = desk.post(f"/p/pilot/rounds/{round.pk}/next")
    assert page.status_code == 200
    assert len(asked) <= 6, asked
    with real_queries() as asked:
        desk.post(f"/p/pilot/rounds/{round.pk}/next?ahead=1")
    assert len(asked) <= 6, asked

    for verdict, extra in (("accept", {}), ("reject", {"clauses": ["H1"]}), ("unsure", {})):
        lease = Assignment.objects.open().filter(leased_by=ada).first() or take(ada, round)[0]
        with real_queries() as asked:
            page = desk.post(
                f"/assignments/{lease.pk}/review", {"verdict": verdict, "key": str(lease.lease_key), **extra}
            )
        assert page.status_code == 200, page.content
        assert len(asked) <= (11 if connection.vendor == "postgresql" else 10), (
            asked
        )  # the seals' shared lock


def test_an_empty_queue_costs_no_more(import_rows, project, ada, desk, real_queries):
    round, _ = planning.create_round(project, "twice", by=None, overlap=2)
    import_rows([trace_row(number) for number in range(30)], into=round)
    while found := take(ada, round):
        judge(found[0], "accept", ada)
    with real_queries() as asked:
        assert b"30 judged by you" in desk.post(f"/p/pilot/rounds/{round.pk}/next").content
    assert len(asked) <= 6, asked


def test_a_reviewer_who_judged_the_head_of_the_queue_starts_behind_it(import_rows, project, ada):
    round, _ = planning.create_round(project, "twice", by=None, overlap=2)
    import_rows([trace_row(number) for number in range(60)], into=round)
    for _ in range(50):
        judge(take(ada, round)[0], "accept", ada)
    started = Round.objects.for_reader(ada).get(pk=round.pk).searched
    before = Assignment.objects.open().filter(round=round, leased_by=None, place__lt=started)
    assert before.count() > 10
    assert not before.exclude(trace__reviews__reviewer=ada).exists()


class QueueMachine(RuleBasedStateMachine):
    """The law: if a slot is open that a reviewer may take, `next` finds one."""

    def __init__(self) -> None:
        super().__init__()
        name = uuid.uuid4().hex[:12]
        project, _ = planning.create_project(f"q-{name}")
        publishing.publish(project, SPEC, by=None)
        self.round, _ = planning.create_round(project, name, by=None, overlap=2, double_share=0.5)
        self.people = [member(project, f"{name}-{who}", Role.REVIEWER) for who in range(3)]
        self.made = 0
        self.bring(3)

    def bring(self, traces: int) -> None:
        import json
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "t.jsonl"
            path.write_text("".join(json.dumps(trace_row(self.made + n)) + "\n" for n in range(traces)))
            importing.run(importing.begin(self.round, path, by=None))
        self.made += traces

    @rule(traces=st.integers(1, 3))
    def import_more(self, traces: int) -> None:
        self.bring(traces)

    @rule(who=st.integers(0, 2), ahead=st.booleans())
    def ask(self, who: int, ahead: bool) -> None:
        assigning.next_for(self.people[who], self.fresh(), ahead=ahead)

    @rule(who=st.integers(0, 2), verdict=st.sampled_from(["accept", "reject", "unsure"]))
    def decide(self, who: int, verdict: str) -> None:
        if found := assigning.next_for(self.people[who], self.fresh()).assignments:
            judge(found[0], verdict, self.people[who])

    @rule(who=st.integers(0, 2))
    def give_back(self, who: int) -> None:
        if found := assigning.next_for(self.people[who], self.fresh()).assignments:
            assigning.skip(found[0], "", by=self.people[who])

    @rule(who=st.integers(0, 2))
    def undo(self, who: int) -> None:
        last = (
            Review.objects.heads()
            .filter(reviewer=self.people[who])
            .exclude(verdict="withdrawn")
            .order_by("-pk")
            .first()
        )
        if last is not None:
            reviewing.withdraw(last, by=self.people[who])

    @rule(who=st.integers(0, 2))
    def leases_run_out(self, who: int) -> None:
        Assignment.objects.open().filter(leased_by=self.people[who]).update(
            leased_until=timezone.now() - timedelta(minutes=1)
        )

    def fresh(self) -> Round:
        return Round.objects.get(pk=self.round.pk)

    @invariant()
    def what_may_be_taken_is_found(self) -> None:
        now = timezone.now()
        for person in self.people:
            judged = (
                Review.objects.heads()
                .filter(reviewer=person, round=self.round)
                .exclude(verdict="withdrawn")
                .values("trace")
            )
            skipped = Skip.objects.filter(reviewer=person).values("trace")
            open_slots = (
                Assignment.objects.open()
                .filter(round=self.round)
                .exclude(trace__in=judged)
                .exclude(trace__in=skipped)
            )
            takeable = [
                slot
                for slot in open_slots
                if slot.leased_by_id in (None, person.pk) or (slot.leased_until and slot.leased_until <= now)
            ]
            start = Round.objects.for_reader(person).get(pk=self.round.pk).searched or 0
            found = Assignment.objects.waiting_for(person, self.round, start, now, 24)
            assert bool(found) == bool(takeable), (found, takeable)

    @invariant()
    def slots_and_decisions_are_what_the_frozen_tables_say(self) -> None:
        from reviews import rebuilding

        assert rebuilding.check() == []


class TestQueue(TestCase):
    def test_if_a_slot_is_open_that_i_may_take_next_finds_it(self) -> None:
        run_state_machine_as_test(
            QueueMachine, settings=hypothesis_settings(max_examples=10, stateful_step_count=20, deadline=None)
        )


def test_rebuild_makes_the_derived_tables_again_from_the_frozen_ones(import_rows, project, ada, ben, lea):
    from reviews import rebuilding

    round, _ = planning.create_round(project, "mixed", by=None, overlap=2)
    import_rows([trace_row(number) for number in range(12)], into=round)
    for person, verdicts in ((ada, ["accept", "reject", "unsure"]), (ben, ["accept", "accept", "reject"])):
        for number in range(9):
            judge(take(person, round)[0], verdicts[number % 3], person)
    dispute = Decision.objects.filter(state="disputed").first()
    adjudicating.adjudicate(
        Trace.objects.get(pk=dispute.trace_id), saying.Said("accept"), by=lea, key=uuid.uuid4()
    )
    states = dict(Decision.objects.values_list("trace", "state"))
    assert rebuilding.check() == []

    Assignment.objects.filter(round=round).delete()
    Decision.objects.all().delete()
    assert rebuilding.rebuild()
    assert rebuilding.check() == []
    assert dict(Decision.objects.values_list("trace", "state")) == states


def test_projects_and_users_are_only_in_their_own_queue(traces, round, stranger):
    assert not Assignment.objects.visible_to(stranger).exists()
    assert not Round.objects.visible_to(stranger).exists()
    assert list(Project.objects.visible_to(stranger).values_list("slug", flat=True)) == ["elsewhere"]
    assert User.objects.get(username="stranger").roles_in(round.project_id) == set()


def test_a_trace_that_left_the_round_is_never_handed_out_again(traces, round, ada, ben, lea):
    held = take(ada, round, ahead=True)
    importing.withdraw_batch(ImportBatch.objects.get(), "wrong file", by=None)
    with pytest.raises(reviewing.TraceDropped):
        judge(held[0], "accept", ada)
    assert take(ada, round) == []
    assert take(ben, round) == []
    assert not Assignment.objects.open().exists()


def test_giving_back_a_trace_that_left_the_round_takes_its_slot_along(leased, round, ada, ben):
    importing.withdraw_batch(ImportBatch.objects.get(), "wrong file", by=None)
    assigning.skip(leased, "", by=ada)
    assert take(ben, round) == []


def test_an_expired_lease_on_a_dropped_trace_goes_to_nobody(traces, round, ada, ben, lea):
    lease = take(ada, round)[0]
    importing.withdraw_batch(ImportBatch.objects.get(), "wrong file", by=None)
    expire(lease)
    assert take(ben, round) == []

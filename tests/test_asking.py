"""A question to the lead lays a trace aside; the answer brings it back."""

from __future__ import annotations

import pytest
from django.test import Client
from making import judge

from reviews import asking, assigning, overseeing
from reviews.assigning import LeaseLost
from reviews.errors import Conflict, Invalid, NotAllowed
from reviews.models import Assignment, Question


def test_a_question_is_answered_and_the_trace_comes_back_first(leased, round, ada, lea):
    question = asking.ask(leased, "Does a joke count as intent?", by=ada)
    held = assigning.next_for(ada, round).assignments[0]
    assert held.trace != leased.trace

    asking.answer(question, "No, unless it decides.", by=lea)
    assert list(overseeing.came_back(ada)) == [question]
    back = assigning.next_for(ada, round).assignments[0]
    assert back.trace == leased.trace
    client = Client(headers={"HX-Request": "true"})
    client.force_login(ada)
    assert "No, unless it decides." in client.post(f"/p/pilot/rounds/{round.pk}/next").text
    judge(back, "accept", ada)
    assert list(overseeing.came_back(ada)) == []


def test_until_the_answer_the_trace_is_not_offered_to_the_asker_but_to_others(leased, round, ada, ben):
    asking.ask(leased, "Which?", by=ada)
    seen = set()
    while found := assigning.next_for(ada, round).assignments:
        seen.add(found[0].trace_id)
        judge(found[0], "accept", ada)
    assert leased.trace_id not in seen
    assert "1 with a question of yours" in assigning.next_for(ada, round).empty
    assert assigning.next_for(ben, round).assignments[0].trace == leased.trace


def test_an_empty_question_a_lost_lease_and_a_second_answer_are_refused(leased, ada, ben, lea):
    with pytest.raises(Invalid, match="empty"):
        asking.ask(leased, "  \n", by=ada)
    with pytest.raises(LeaseLost):
        asking.ask(leased, "Mine?", by=ben)
    question = asking.ask(leased, "Which?", by=ada)
    with pytest.raises(NotAllowed):
        asking.answer(question, "This.", by=ada)
    asking.answer(question, "This.", by=lea)
    with pytest.raises(Conflict, match="meanwhile"):
        asking.answer(question, "That.", by=lea)
    assert Question.objects.count() == 2


def test_a_trace_that_others_read_meanwhile_does_not_come_back(leased, round, ada, ben, lea):
    question = asking.ask(leased, "Which?", by=ada)
    judge(assigning_of(ben, round, leased.trace), "accept", ben)
    asking.answer(question, "This.", by=lea)
    assert not Assignment.objects.open().filter(trace=leased.trace, leased_by=ada).exists()


def assigning_of(reader, round, trace):
    """Lease on until the given trace is in hand."""
    while True:
        for lease in assigning.next_for(reader, round, ahead=True).assignments:
            if lease.trace == trace:
                return lease
            judge(lease, "accept", reader)

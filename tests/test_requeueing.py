"""A lead puts traces first, or has them read once more."""

from __future__ import annotations

import pytest
from making import judge, trace_row

from reviews import assigning, rebuilding, requeueing
from reviews.errors import Invalid, NotAllowed
from reviews.models import Assignment, Decision, Round, Trace


def test_what_is_put_first_is_read_next_also_by_who_had_passed_its_place(import_rows, round, ada, lea):
    import_rows([trace_row(number) for number in range(40)])
    for _ in range(10):
        judge(assigning.next_for(ada, round).assignments[0], "accept", ada)
    waiting = Assignment.objects.open().filter(leased_by=None).order_by("-place")
    wanted = set(waiting.values_list("trace", flat=True)[:5])
    assert (
        requeueing.requeue(round, Trace.objects.filter(pk__in=wanted), "urgent", once_more=False, by=lea) == 5
    )

    found = set()
    for _ in range(6):
        lease = assigning.next_for(ada, Round.objects.get(pk=round.pk)).assignments[0]
        found.add(lease.trace_id)
        judge(lease, "accept", ada)
    assert wanted <= found
    assert rebuilding.check() == []


def test_once_more_opens_a_decided_trace_for_another_reader(leased, round, ada, ben, lea):
    done = judge(leased, "accept", ada)
    chosen = Trace.objects.filter(pk=done.trace_id)
    requeueing.requeue(round, chosen, "looks odd", once_more=True, by=lea)
    assert Decision.objects.get(trace=done.trace).state == "pending"
    again = assigning.next_for(ben, Round.objects.get(pk=round.pk)).assignments[0]
    assert again.trace == done.trace
    judge(again, "reject", ben)
    assert Decision.objects.get(trace=done.trace).state == "disputed"
    assert rebuilding.check() == []


def test_it_needs_a_reason_a_lead_and_a_choice_of_some_size(traces, round, ada, lea, monkeypatch):
    with pytest.raises(Invalid, match="why"):
        requeueing.requeue(round, Trace.objects.all(), " ", once_more=False, by=lea)
    with pytest.raises(NotAllowed):
        requeueing.requeue(round, Trace.objects.all(), "so", once_more=False, by=ada)
    monkeypatch.setattr(requeueing, "AT_MOST", 3)
    with pytest.raises(Invalid, match="narrow"):
        requeueing.requeue(round, Trace.objects.all(), "so", once_more=False, by=lea)

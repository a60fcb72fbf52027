"""Verdicts: once each, undone cleanly, and decided by the round's rule."""

from __future__ import annotations

import uuid

import pytest
from making import judge, member, trace_row

from reviews import adjudicating, assigning, deciding, importing, planning, reviewing
from reviews.assigning import LeaseLost
from reviews.errors import Conflict, Invalid, NotAllowed
from reviews.models import Assignment, Citation, Decision, Event, ImportBatch, Review, Role, Trace
from reviews.recording import KeyReused
from reviews.reviewing import TraceDropped
from reviews.saying import ClauseNeeded, Said, Span


def take(reviewer, round):
    return assigning.next_for(reviewer, round).assignments[0]


def decision(trace):
    return Decision.objects.get(trace=trace)


@pytest.fixture
def twice(project, import_rows):
    """A round in which two people read each of three traces."""
    round, _ = planning.create_round(project, "twice", by=None, overlap=2)
    import_rows([trace_row(number) for number in range(3)], into=round)
    return round


@pytest.mark.parametrize(
    ("rule", "planned", "verdicts", "state", "why", "needed"),
    [
        ("agree", 1, "a", "accepted", "", 1),
        ("agree", 1, "r", "rejected", "", 1),
        ("agree", 2, "a", "pending", "", 2),
        ("agree", 2, "aa", "accepted", "", 2),
        ("agree", 2, "ar", "disputed", "split", 2),
        ("agree", 1, "u", "pending", "", 2),
        ("agree", 1, "ua", "accepted", "", 2),
        ("agree", 1, "uu", "disputed", "unsure", 2),
        ("agree", 2, "ua", "pending", "", 3),
        ("agree", 2, "uar", "disputed", "split", 3),
        ("agree", 1, "b", "disputed", "bad-prompt", 1),
        ("agree", 2, "ab", "disputed", "bad-prompt", 2),
        ("majority", 3, "aar", "accepted", "", 3),
        ("majority", 3, "rra", "rejected", "", 3),
        ("majority", 2, "ar", "disputed", "split", 2),
        ("majority", 3, "aau", "pending", "", 4),
        ("first", 2, "a", "accepted", "", 2),
        ("first", 2, "ra", "rejected", "", 2),
        ("first", 1, "u", "pending", "", 2),
        ("agree", 1, "", "pending", "", 1),
    ],
)
def test_the_rule_makes_this_of_these_verdicts(rule, planned, verdicts, state, why, needed):
    said = [{"a": "accept", "r": "reject", "u": "unsure", "b": "bad-prompt"}[letter] for letter in verdicts]
    assert deciding.outcome(rule, planned, said, None) == (state, why, needed)


def test_the_same_key_and_body_is_the_same_review_and_another_body_is_refused(leased, ada):
    key = uuid.uuid4()
    first = reviewing.record(leased.pk, Said("accept", seconds=3), by=ada, key=key)
    again = reviewing.record(leased.pk, Said("accept", seconds=9), by=ada, key=key)
    assert again == first
    with pytest.raises(KeyReused):
        reviewing.record(leased.pk, Said("reject", ("H1",)), by=ada, key=key, origin="api")
    with pytest.raises(
        LeaseLost, match="judged this trace already"
    ):  # the desk's key is the lease's: another tab
        reviewing.record(leased.pk, Said("reject", ("H1",)), by=ada, key=key)
    assert Review.objects.count() == 1


def test_a_key_used_for_another_trace_is_refused(leased, ada, round):
    key = uuid.uuid4()
    reviewing.record(leased.pk, Said("accept"), by=ada, key=key)
    with pytest.raises(KeyReused):
        reviewing.record(take(ada, round).pk, Said("accept"), by=ada, key=key)
    assert Review.objects.count() == 1


def test_a_second_tab_hears_what_happened(leased, ada):
    judge(leased, "accept", ada)
    with pytest.raises(LeaseLost, match=r"You judged this trace already \(accept"):
        judge(leased, "reject", ada)


def test_a_reject_without_a_clause_is_refused_and_the_lease_kept(leased, ada):
    with pytest.raises(ClauseNeeded):
        reviewing.record(leased.pk, Said("reject"), by=ada, key=uuid.uuid4())
    assert Assignment.objects.get(pk=leased.pk).leased_by == ada


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (Said("reject", ("H9",)), "no clause of this spec; it has H1, H2, F1"),
        (Said("reject", ("F1",)), "a remark, never a reason"),
        (Said("accept", ("H1",)), "cites no clause"),
        (Said("maybe"), "accept, reject, unsure or bad-prompt"),
        (Said("accept", comment="\0"), "no NUL"),
        (Said("reject", ("H1",), spans=(Span("H1", "reasoning", 0, 3, "xxx"),)), "does not stand at 0–3"),
        (Said("reject", ("H1",), spans=(Span("H1", "reasoning", 0, 10**6, "x"),)), "does not stand"),
        (
            Said("reject", ("H1",), spans=(Span("H2", "reasoning", 0, 1, "0"),)),
            "which the verdict does not cite",
        ),
        (Said("reject", ("H1",), spans=(Span("H1", "prompt", 0, 1, "W"),)), "reasoning or the answer"),
    ],
)
def test_what_does_not_fit_the_spec_is_refused_with_a_sentence(leased, ada, said, sentence):
    with pytest.raises(Invalid, match=None) as refused:
        reviewing.record(leased.pk, said, by=ada, key=uuid.uuid4())
    assert sentence in str(refused.value)
    assert not Review.objects.exists()


def test_a_span_is_kept_in_code_points_of_the_stored_text(import_rows, round, ada):
    import_rows([trace_row(1, reasoning="👩‍🔬 é\r\nשלום here")])
    lease = take(ada, round)
    text = lease.trace.reasoning.as_text
    start = text.index("here")
    said = Said("reject", ("H1",), ("F1",), (Span("H1", "reasoning", start, start + 4, "here"),))
    reviewing.record(lease.pk, said, by=ada, key=uuid.uuid4())

    span = Citation.objects.get(held="fails")
    assert (span.start, span.end, bytes(span.quote).decode()) == (start, start + 4, "here")
    assert Citation.objects.get(held="remark").clause.key == "F1"
    assert decision(lease.trace).state == "rejected"


def test_an_undo_gives_the_trace_back_to_the_same_reviewer_first(traces, round, ada, ben):
    first = take(ada, round)
    review = judge(first, "reject", ada)
    second = take(ada, round)
    undone = reviewing.withdraw(review, by=ada)

    assert undone.verdict == "withdrawn"
    assert decision(first.trace).state == "pending"
    assert [lease.trace for lease in assigning.next_for(ada, round, ahead=True).assignments] == [
        first.trace,
        second.trace,
    ]
    assert reviewing.withdraw(review, by=ada) == undone
    again = judge(take(ada, round), "accept", ada)
    assert again.supersedes == undone
    assert decision(first.trace).state == "accepted"
    with pytest.raises(Conflict, match="changed meanwhile"):
        reviewing.withdraw(undone, by=ada)


def test_nobody_undoes_what_someone_else_said(leased, ada, ben, lea):
    review = judge(leased, "accept", ada)
    for person in (ben, lea):
        with pytest.raises(NotAllowed):
            reviewing.withdraw(review, by=person)


def test_unsure_asks_for_one_more_reader_and_its_undo_takes_that_back(import_rows, round, ada):
    import_rows([trace_row(1)])
    review = judge(take(ada, round), "unsure", ada)
    assert [slot.kind for slot in Assignment.objects.order_by("slot")] == ["normal", "extra"]
    reviewing.withdraw(review, by=ada)
    assert Assignment.objects.count() == 1


def test_readers_who_disagree_make_a_dispute_that_a_lead_settles(twice, ada, ben, lea):
    lease = take(ada, twice)
    judge(lease, "accept", ada)
    while (other := take(ben, twice)).trace != lease.trace:
        judge(other, "accept", ben)
    judge(other, "reject", ben)
    assert (decision(lease.trace).state, decision(lease.trace).why) == ("disputed", "split")

    key = uuid.uuid4()
    ruling = adjudicating.adjudicate(lease.trace, Said("reject", ("H2",)), by=lea, key=key)
    assert adjudicating.adjudicate(lease.trace, Said("reject", ("H2",)), by=lea, key=key) == ruling
    assert (decision(lease.trace).state, decision(lease.trace).why) == ("rejected", "adjudicated")
    reviewing.withdraw(ruling, by=lea)
    assert decision(lease.trace).state == "disputed"
    with pytest.raises(NotAllowed):
        adjudicating.adjudicate(lease.trace, Said("accept"), by=ada, key=uuid.uuid4())


def test_who_reviewed_a_trace_settles_it_only_if_nobody_else_can(project, import_rows, ben, round):
    both = member(project, "both", Role.LEAD, Role.REVIEWER)
    import_rows([trace_row(1)])
    lease = take(both, round)
    judge(lease, "bad-prompt", both)
    other = member(project, "other", Role.LEAD)
    with pytest.raises(Conflict, match="another lead"):
        adjudicating.adjudicate(lease.trace, Said("accept"), by=both, key=uuid.uuid4())
    other.is_active = False
    other.save()
    adjudicating.adjudicate(lease.trace, Said("accept"), by=both, key=uuid.uuid4())
    assert decision(lease.trace).state == "accepted"


def test_a_confirmed_bad_prompt_drops_all_its_samples_and_they_stay_in_the_base(traces, round, ada, lea):
    lease = take(ada, round)
    judge(lease, "bad-prompt", ada)
    ruling = adjudicating.adjudicate(lease.trace, Said("bad-prompt"), by=lea, key=uuid.uuid4())

    siblings = Trace.objects.filter(round_prompt=lease.trace.round_prompt)
    assert {decision(trace).why for trace in siblings} == {"bad-prompt"}
    assert Decision.objects.filter(state="dropped").count() == 2
    assert not Assignment.objects.open().filter(trace__in=siblings).exists()
    reviewing.withdraw(ruling, by=lea)
    assert not Decision.objects.filter(state="dropped").exists()
    assert Assignment.objects.open().filter(trace__in=siblings).count() == 1


def test_a_lease_on_a_trace_that_was_taken_back_says_so(leased, ada):
    importing.withdraw_batch(ImportBatch.objects.get(), "wrong file", by=None)
    with pytest.raises(TraceDropped, match="import was withdrawn"):
        judge(leased, "accept", ada)


def test_each_verdict_is_in_the_log(leased, ada):
    judge(leased, "accept", ada)
    event = Event.objects.filter(kind="review.recorded").get()
    assert event.actor == ada
    assert event.payload_object["verdict"] == "accept"


def test_verdicts_from_elsewhere_fill_slots_add_extra_ones_and_the_last_line_stands(
    twice, tmp_path, command, ada
):
    rows = list(Trace.objects.filter(round=twice).order_by("pk"))
    take(ada, twice)
    lines = ["trace_digest,reviewer,verdict,clauses,comment"]
    for name in ("x", "y", "z"):
        lines.append(f"{rows[0].digest_hex},{name},accept,,")
    lines += [
        f"{rows[1].digest_hex},x,reject,H1 H2,said",
        f"{rows[1].digest_hex},x,accept,,",
        "nonsense,x,accept,,",
        f"{rows[2].digest_hex},x,reject,,",
        f"{rows[2].digest_hex},x,perhaps,,",
    ]
    path = tmp_path / "v.csv"
    path.write_text("\n".join(lines))
    options = (path, "--project", "pilot", "--round", "twice")

    assert command("review_traces", *options) == {"recorded": 4, "known": 1, "refused": 3}
    assert decision(rows[0]).state == "accepted"
    assert decision(rows[0]).readings == 3
    assert Review.objects.filter(trace=rows[1]).get().verdict == "accept"
    assert command("review_traces", *options)["recorded"] == 0
    path.write_text(f"trace_digest,reviewer,verdict,clauses\n{rows[0].digest_hex},x,reject,H1\n")
    assert command("review_traces", *options)["recorded"] == 1
    assert decision(rows[0]).state == "disputed"
    assert command("rebuild", "--check")["ok"]


def test_a_model_reviewer_never_decides(twice, tmp_path, command):
    trace = Trace.objects.filter(round=twice).first()
    path = tmp_path / "v.csv"
    path.write_text(
        f"trace_digest,reviewer,verdict\n{trace.digest_hex},judge-1,accept\n{trace.digest_hex},judge-2,accept\n"
    )
    command("review_traces", path, "--project", "pilot", "--round", "twice", "--kind", "model")
    assert decision(trace).state == "pending"
    assert command("rebuild", "--check")["ok"]

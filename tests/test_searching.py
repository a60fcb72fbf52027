"""Words in texts: found by an index of its own, which says what it has not reached."""

from __future__ import annotations

import pytest
from django.test import Client
from making import trace_row

from reviews import jobs, searching, tasks
from reviews.errors import Invalid
from reviews.models import Job, Trace


@pytest.fixture
def indexed(import_rows, round):
    import_rows(
        [
            trace_row(1, reasoning="The quick brown fox", answer="jumps"),
            trace_row(2, reasoning="Slow brown bear naïve", answer="sleeps"),
            trace_row(3, reasoning="nul \0 inside", answer="Größe"),
        ]
    )
    index(round)
    return round


def index(round):
    searching.run_job(jobs.start(Job.Kind.INDEX_TEXTS, round.project_id, round.pk, by=None, unit="texts").pk)


def found(round, words):
    rows = searching.find(Trace.objects.filter(round=round), words)
    return sorted(rows.values_list("round_prompt__external_id", flat=True))


@pytest.mark.parametrize(
    ("words", "prompts"),
    [
        ("brown", ["p1", "p2"]),
        ("BROWN fox", ["p1"]),
        ("jumps", ["p1"]),
        ("inside", ["p3"]),
        ("größe", ["p3"]),
        ("fox sleeps", []),
        ('brown" OR "1', []),
        ("brown & ! | fox:*", ["p1"]),
    ],
)
def test_all_words_must_stand_in_the_reasoning_or_the_answer(indexed, words, prompts):
    assert found(indexed, words) == prompts


def test_signs_alone_are_no_search(indexed):
    with pytest.raises(Invalid, match="word"):
        found(indexed, " %% ")


def test_what_the_index_has_not_reached_is_said_and_indexed_by_a_press(indexed, import_rows, lea):
    import_rows([trace_row(9, reasoning="a late fox")])
    client = Client()
    client.force_login(lea)
    page = client.get(f"/p/pilot/rounds/{indexed.pk}/traces?text=fox").text
    assert "has not reached 1 traces" in page
    assert found(indexed, "fox") == ["p1"]
    client.post(f"/p/pilot/rounds/{indexed.pk}/index")
    for job in Job.objects.filter(kind=Job.Kind.INDEX_TEXTS, state="waiting"):
        tasks.index_texts(job.pk)
    assert found(indexed, "fox") == ["p1", "p9"]
    assert "has not reached" not in client.get(f"/p/pilot/rounds/{indexed.pk}/traces?text=fox").text


def test_the_sweep_finds_rounds_that_a_command_filled(import_rows, round):
    assert searching.rounds_behind() == []
    import_rows([trace_row(1)])
    assert searching.rounds_behind() == [round]
    index(round)
    assert searching.rounds_behind() == []


def test_filters_by_clause_outcome_and_words_go_together(indexed, import_rows, lea, ada):
    from making import judge

    from reviews import assigning

    import_rows(
        [
            trace_row(5, reasoning="wrong fox", meta={"outcome": "wrong"}),
            trace_row(6, meta={"labels": {"correct": True}}),
        ]
    )
    index(indexed)
    while leases := assigning.next_for(ada, indexed).assignments:
        judge(leases[0], "reject", ada, "H2" if "fox" in leases[0].trace.reasoning.as_text else "H1")
    client = Client()
    client.force_login(lea)

    def listed(query):
        page = client.get(f"/p/pilot/rounds/{indexed.pk}/traces?{query}").text
        return {f"p{n}" for n in range(1, 10) if f">p{n}</a>" in page}

    assert listed("clause=H2") == {"p1", "p5"}
    assert listed("outcome=wrong") == {"p5"}
    assert listed("outcome=correct") == {"p6"}
    assert listed("clause=H2&outcome=wrong&text=fox") == {"p5"}
    assert listed("clause=H1&text=fox") == set()

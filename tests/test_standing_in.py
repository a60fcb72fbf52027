"""Exact repeats of a sample: read once, counted each."""

from __future__ import annotations

import json
import uuid

import pytest
from django.test import Client
from making import judge, trace_row

from reviews import adjudicating, assigning, calibrating, importing, rebuilding, reviewing, saying
from reviews.errors import Conflict
from reviews.models import Assignment, Decision, ImportBatch, StandIn, Trace


def states(round):
    return sorted(Decision.objects.filter(round=round).values_list("state", flat=True))


@pytest.fixture
def seven(import_rows, round):
    """Seven samples of one prompt with the very same text, and one that differs."""
    import_rows([trace_row(1, sample, reasoning="the same") for sample in range(7)] + [trace_row(1, 7)])
    return list(Trace.objects.filter(round=round).order_by("sample_index"))


def test_seven_equal_samples_are_read_once_and_decided_together(seven, round, ada):
    assert Assignment.objects.count() == 2
    while found := assigning.next_for(ada, round).assignments:
        judge(found[0], "accept" if found[0].trace == seven[0] else "reject", ada)

    assert states(round) == ["accepted"] * 7 + ["rejected"]
    assert rebuilding.check() == []


def test_the_desk_says_for_how_many_a_trace_stands(seven, round, ada):
    client = Client(headers={"HX-Request": "true"})
    client.force_login(ada)
    pages = [client.post(f"/p/pilot/rounds/{round.pk}/next{more}").text for more in ("", "?ahead=1")]
    assert sum("stands for 7 samples" in page for page in pages) == 1


def test_another_sampler_or_prompt_is_no_repeat(import_rows, round):
    import_rows([trace_row(n, 0, reasoning="same", model=model) for n in (1, 2) for model in "ab"])
    assert not StandIn.objects.exists()


def test_repeats_that_come_later_take_the_decision_that_stands(import_rows, round, ada):
    import_rows([trace_row(1, 0, reasoning="same")])
    judge(assigning.next_for(ada, round).assignments[0], "accept", ada)
    import_rows([trace_row(1, sample, reasoning="same") for sample in (1, 2)])
    assert states(round) == ["accepted"] * 3
    assert assigning.next_for(ada, round).assignments == []


def test_an_undo_takes_the_repeats_with_it(seven, round, ada):
    lease = next(a for a in assigning.next_for(ada, round, ahead=True).assignments if a.trace == seven[0])
    done = judge(lease, "accept", ada)
    reviewing.withdraw(done, by=ada)
    assert states(round) == ["pending"] * 8


def test_when_the_first_is_taken_back_the_next_is_read_in_its_place(import_rows, round, ada, lea):
    import_rows([trace_row(1, 0, reasoning="same")])
    first = ImportBatch.objects.get()
    import_rows([trace_row(1, sample, reasoning="same") for sample in (1, 2)])
    importing.withdraw_batch(first, "wrong file", by=lea)

    assert StandIn.objects.count() == 1
    judge(assigning.next_for(ada, round).assignments[0], "accept", ada)
    assert states(round) == ["accepted", "accepted", "dropped"]
    assert rebuilding.check() == []


def test_a_repeat_judged_elsewhere_stands_for_itself(seven, round, tmp_path, command):
    verdicts = tmp_path / "v.csv"
    verdicts.write_text(
        "trace_digest,reviewer,verdict,clauses\n" + f"{seven[3].digest_hex},elsewhere,reject,H1\n"
    )
    assert command("review_traces", verdicts, "--project", "pilot", "--round", "round 1")["recorded"] == 1
    assert states(round) == ["pending"] * 7 + ["rejected"]
    assert rebuilding.check() == []


def test_rebuild_puts_stand_ins_right_again(seven, round):
    StandIn.objects.all().delete()
    assert any("stand-in" in sentence for sentence in rebuilding.check())
    rebuilding.rebuild()
    assert StandIn.objects.count() == 6
    assert rebuilding.check() == []


def test_a_stand_in_is_neither_settled_nor_gold(seven, lea):
    with pytest.raises(Conflict, match="repeats another"):
        adjudicating.adjudicate(seven[2], saying.Said("accept"), by=lea, key=uuid.uuid4())
    with pytest.raises(Conflict, match="repeats another"):
        calibrating.mark_gold(seven[2], "accept", (), "because", by=lea)


def test_the_real_game_of_24_is_read_once_for_each_text(round, shared_data, command):
    source = shared_data / "traces" / "game24_gpt4_cot100.jsonl"
    command("import_traces", source, "--project", "pilot", "--round", "round 1")
    rows = [json.loads(line) for line in source.read_bytes().splitlines()]
    texts = {(row["prompt_id"], row["reasoning"], row["answer"]) for row in rows}
    assert Assignment.objects.filter(round=round).count() == len(texts)
    assert StandIn.objects.count() == len(rows) - len(texts)
    assert Decision.objects.filter(round=round).count() == len(rows)

"""Many kinds of prompt under one domain's name are a warning, and never a block."""

from __future__ import annotations

from making import trace_row

from reviews import planning
from reviews.checking import kinds, report
from reviews.models import Prompt
from tests.checking.conftest import gate, policy
from tests.measures.test_kinds import letters, planted, programs, sorting, sums


def imported(pilot, import_rows, texts, **meta):
    round, _ = planning.create_round(pilot, "mixed", by=None)
    rows = [
        trace_row(number, prompt=text, reasoning=f"so {number}", meta={"domain": "sums", **meta})
        for number, text in enumerate(texts)
    ]
    import_rows(rows, into=round)
    return round


def test_one_declared_domain_that_looks_like_four_is_a_warning(pilot, import_rows, bring_in):
    texts = sorted(set(planted(sums, programs, letters, sorting, each=60)))
    round = imported(pilot, import_rows, texts)
    bring_in(round, [(number, 0, "ada", "accept", "") for number in range(len(texts))])
    found = gate(round, "domains")
    assert found.verdict == "warn"
    assert "declared 1, looks like 3" in found.why or "declared 1, looks like 4" in found.why
    assert any("by their words" in line for line in found.workings)


def test_one_domain_that_looks_like_one_is_said_so_and_passes(plant):
    found = gate(plant(prompts=60, k=4), "domains")
    assert found.verdict == "pass"
    assert "looks like" not in found.why


def test_the_texts_are_read_once_for_a_round_and_page_by_page(
    pilot, import_rows, bring_in, real_queries, monkeypatch
):
    monkeypatch.setattr(kinds, "PAGE", 10)
    texts = sorted(set(planted(sums, programs, each=60)))
    round = imported(pilot, import_rows, texts)
    bring_in(round, [(number, 0, "ada", "accept", "") for number in range(len(texts))])
    with real_queries() as first:
        report.of(round, policy=policy())
    with real_queries() as again:
        report.of(round, policy=policy())
    table = Prompt._meta.db_table
    pages, more = (
        [sql for sql in asked if f'"{table}"."id" IN (' in sql and '"messages"' in sql]
        for asked in (first, again)
    )
    assert len(pages) > 2
    assert more == []

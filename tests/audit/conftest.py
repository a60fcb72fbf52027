from __future__ import annotations

import csv
from random import Random

import pytest

from reviews import judging_elsewhere, planning
from reviews.models import Round


@pytest.fixture
def bring_in(tmp_path):
    """Bring verdicts in from a table: (prompt, sample, reviewer, verdict, clauses)."""

    def run(round, rows, **how):
        path = tmp_path / f"verdicts-{len(list(tmp_path.iterdir()))}.csv"
        with path.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(
                ["prompt_id", "model", "sample_index", "reviewer", "verdict", "clauses", "comment"]
            )
            for prompt, sample, reviewer, verdict, clauses in rows:
                table.writerow([f"p{prompt}", "m", sample, reviewer, verdict, clauses, ""])
        return judging_elsewhere.run(round, path, by=None, **how)

    return run


@pytest.fixture
def team(project, import_rows, bring_in):
    """Eighty prompts with two samples, each read by two of four; ben takes H2 for H1, and carl accepts too much."""
    from making import trace_row

    round, _ = planning.create_round(project, "team", by=None, overlap=2)
    rows = [
        trace_row(number, sample, meta={"domain": "sums" if number % 2 else "words", "licence": "MIT"})
        for number in range(80)
        for sample in range(2)
    ]
    import_rows(rows, into=round)
    draw, said = Random(4), []
    for number in range(80):
        for sample in range(2):
            fault = draw.choice(["", "", "H1", "H2"])
            for reader in draw.sample(["ada", "ben", "carl", "dora"], 2):
                seen = fault if draw.random() < (0.5 if reader == "carl" else 0.92) else ""
                if not fault and draw.random() < 0.05:
                    seen = "H1"
                cited = "H1" if reader == "ben" and seen else seen
                said.append((number, sample, reader, "reject" if seen else "accept", cited))
    assert bring_in(round, said).refused == []
    return Round.objects.select_related("project", "spec_version").get(pk=round.pk)

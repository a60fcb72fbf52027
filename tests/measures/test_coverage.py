"""Whether intervals hold the truth as often as they say, and the audit finds whom it promised to find.

Light forms of tests/bench/agreement_coverage.py and agreement_team.py, whose tables stand in docs/agreement.md.
"""

import numpy as np
import pytest
from bench import agreement_coverage as coverage
from bench import agreement_team as team

from reviews.measures import drift


@pytest.mark.parametrize(
    ("setting", "measures"),
    [
        (
            coverage.Setting(100, 1, 2, 0, 0.5),
            ["observed", "alpha", "AC1", "Cohen", "on reject", "second reader", "gap"],
        ),
        (
            coverage.Setting(100, 8, 2, 0, 0.3),
            ["observed", "alpha", "Cohen", "on reject", "second reader", "gap"],
        ),
        (coverage.Setting(50, 4, 3, 0.4, 0.3), ["alpha", "Fleiss", "second reader"]),
    ],
    ids=str,
)
def test_intervals_hold_the_truth_about_as_often_as_they_say(setting, measures):
    for name, cover in coverage.covers(setting, runs=150, seed=3, measures=measures).items():
        assert cover.given == cover.runs, name
        assert cover.share > 0.89, name  # .95 and 150 runs: below .89 in one of 500


def test_few_prompts_have_no_interval_and_rare_rejects_seldom_one_on_reject():
    few = coverage.covers(
        coverage.Setting(19, 8, 2, 0, 0.3), 5, 3, ["alpha", "second reader", "Cohen", "gap"]
    )
    assert {cover.given for cover in few.values()} == {0}
    rare = coverage.covers(coverage.Setting(100, 1, 2, 0, 0.03), 20, 3, ["on reject"])
    assert rare["on reject"].given < 10


def test_the_audit_of_a_team_finds_the_careless_and_spares_the_clean_as_promised():
    line = drift.calibrated(len(team.TEAM), team.GOLD, seed=1)
    promised = team.promised(line)
    rounds = [team.audited(team.TEAM, line, seed) for seed in range(5)]
    for place, role in ((0, "careless"), (1, "drifting"), (2, "own reading")):
        found = sum(place in one.named["gold chart"] for one in rounds) / len(rounds)
        assert found == pytest.approx(promised[role], abs=0.45)
    assert all(0 in one.named["alpha without them"] for one in rounds)
    assert all(2 in one.named["cites against peers"] for one in rounds)
    clean = np.mean([place in one.named["gold chart"] for one in rounds for place in range(3, 8)])
    assert clean <= 0.1
    assert team.audited(team.TEAM, line, 5) == team.audited(team.TEAM, line, 5)

"""The drift chart, its alarm line and what it promises."""

import numpy as np
import pytest

from reviews.measures.drift import calibrated, cusum, detection, line_at
from reviews.measures.errors import UnfitData


def test_the_chart_adds_errors_up_and_alarms_at_the_fourteenth_trace():
    errors = np.array([0] * 10 + [1, 0, 1, 1, 0, 1], dtype=bool)
    chart = cusum(errors, 3)
    assert chart.heights[:10].tolist() == [0] * 10
    assert chart.heights[10:] == pytest.approx([1.0986, 0.9874, 2.0860, 3.1846, 3.0734, 4.1720], abs=5e-5)
    assert chart.alarm == 13  # from 0
    assert cusum(errors, 5).alarm is None
    assert cusum(np.array([], dtype=bool), 3).alarm is None


def test_a_line_that_many_use_cries_wolf_more_often_than_not_on_large_teams():
    line = line_at(3, 5, 60, seed=1)
    assert line.false_alarm == pytest.approx(0.37, abs=0.04)
    assert [found.found for found in line.detections] == sorted(found.found for found in line.detections)
    assert line_at(3, 20, 60, seed=1).false_alarm > 0.8


@pytest.mark.parametrize(("team", "horizon"), [(1, 20), (5, 60), (8, 40)])
def test_a_calibrated_line_keeps_its_promise_on_readers_that_it_was_not_made_from(team, horizon):
    line = calibrated(team, horizon, seed=4)
    assert line.false_alarm <= 0.06
    generator = np.random.default_rng(99)
    alarms = 0
    for _ in range(300):
        errors = generator.random((team, horizon)) < 0.05
        alarms += any(cusum(reader, line.height).alarm is not None for reader in errors)
    assert alarms / 300 == pytest.approx(line.false_alarm, abs=0.045)


def test_what_the_chart_does_is_what_the_simulation_of_it_says():
    line = calibrated(8, 60, seed=4)
    generator = np.random.default_rng(7)
    chances = np.r_[np.full(20, 0.05), np.full(40, 0.3)]
    alarms = [cusum(generator.random(60) < chances, line.height).alarm for _ in range(600)]
    after = [alarm - 19 for alarm in alarms if alarm is not None and alarm >= 20]
    promised = detection(line.height, 0.3, 60, change=20, seed=8)
    assert len(after) / 600 == pytest.approx(promised.found, abs=0.05)
    assert np.median(after) == pytest.approx(promised.median, abs=2)


def test_a_short_horizon_promises_little():
    line = calibrated(8, 10, seed=4)
    assert line.detections[0].found < 0.3
    assert detection(50, 0.3, 10, seed=1).median is None


def test_the_same_seed_gives_the_same_line():
    assert calibrated(3, 30, seed=5, runs=2000) == calibrated(3, 30, seed=5, runs=2000)


def test_error_rates_that_do_not_rise_are_refused():
    with pytest.raises(UnfitData, match="must rise"):
        cusum(np.array([True]), 3, clean=0.2, drifted=0.1)

"""Held-out monitors: the reference values of the literature, and what so many items can show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from reviews.measures import monitoring
from reviews.measures.errors import InsufficientData, UnfitData


def codes(text):
    """`1`, `0` and `.` for yes, no and not measured."""
    return np.array([{"1": 1, "0": 0, ".": -1}[sign] for sign in text], dtype=np.int8)


def test_newcombes_differences_are_the_published_ones():
    assert monitoring.newcombe(30, 45, 45, 50, sided=2)[1:] == pytest.approx((-0.389858, -0.068275), abs=1e-6)
    assert monitoring.newcombe(15, 200, 5, 200, sided=2)[1:] == pytest.approx((0.006665, 0.097252), abs=1e-6)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17:2635-2650, Table II, method 10.
    [((36, 12, 2, 0), 0.0569, 0.3404), ((20, 12, 2, 16), 0.0562, 0.3292)],
)
def test_paired_differences_are_those_of_newcombes_tenth_method(table, low, high):
    value, *bounds = monitoring.newcombe_paired(*table, sided=2)
    assert value == pytest.approx((table[1] - table[2]) / sum(table))
    assert bounds == pytest.approx([low, high], abs=1e-4)


def test_the_log_ratio_of_recalls_has_katzs_interval():
    assert monitoring.log_ratio(30, 45, 45, 50) == pytest.approx((-0.300105, -0.526426, -0.073783), abs=1e-5)


def test_pruning_the_visible_cases_lowers_the_ratio_with_nothing_hidden():
    """80 of 100 visible cases go and none of 20 hidden ones: the monitor loses value, and undetected stays (C13)."""
    value, _low, _high = monitoring.log_ratio(20, 40, 100, 120)
    assert value == pytest.approx(-0.51, abs=0.005)


@pytest.mark.parametrize(("rates", "found"), [((0.95, 0.05), 3.289707), ((0.60, 0.05), 1.898201)])
def test_d_prime_of_rates(rates, found):
    assert monitoring.plain_d_prime(*rates) == pytest.approx(found, abs=1e-6)


def test_d_prime_is_finite_where_nothing_was_missed():
    assert monitoring.d_prime(20, 20, 0, 20) == pytest.approx(3.961505, abs=1e-6)
    with pytest.raises(UnfitData):
        monitoring.plain_d_prime(1, 0)
    with pytest.raises(InsufficientData):
        monitoring.d_prime(0, 0, 0, 20)


def test_mcnemar_is_exact():
    assert monitoring.mcnemar(15, 5) == pytest.approx(0.041389, abs=1e-6)
    assert monitoring.mcnemar(0, 0) == 1


@pytest.mark.parametrize(
    ("treated", "control", "sensitive", "both"),
    [((6, 2, 0, 2), (0, 2, 1, 7), 1.0, 0.948683), ((3, 5, 1, 1), (0, 2, 0, 8), 0.5, 0.353553)],
)
def test_g_mean_squared(treated, control, sensitive, both):
    found = monitoring.g_mean_squared(treated, control)
    assert found == pytest.approx((sensitive, both), abs=1e-6)


def test_a_cause_without_an_effect_has_no_g_mean():
    with pytest.raises(InsufficientData, match="no effect"):
        monitoring.g_mean_squared((1, 1, 4, 4), (2, 2, 3, 3))


@pytest.mark.parametrize(("before", "after", "n"), [(0.95, 0.85, 111), (0.90, 0.70, 49), (0.90, 0.50, 16)])
def test_positives_needed_to_see_recall_fall(before, after, n):
    assert monitoring.positives_needed(before, after) == n


@pytest.mark.parametrize(
    ("n", "undetected", "passes"),
    [
        (200, 0.01, 0.48),
        (200, 0.025, 0.32),
        (200, 0.05, 0.22),
        (1000, 0.01, 0.99),
        (1000, 0.025, 0.88),
        (1000, 0.05, 0.65),
    ],
)
def test_how_often_nothing_changed_passes_an_upper_bound_of_two_points(n, undetected, passes):
    """C13's figures, by summing over every outcome: 200 prompts are far too few for a margin of .02."""
    counts = np.arange(n + 1)
    chances = binom.pmf(counts, n, undetected)
    likely = counts[chances > 1e-7]
    found = sum(
        chances[new] * chances[old]
        for new in likely
        for old in likely
        if monitoring.newcombe(int(new), n, int(old), n)[2] <= 0.02
    )
    assert found == pytest.approx(passes, abs=0.01)


def test_the_margin_shrinks_with_n_and_the_n_needed_reaches_it():
    needed = monitoring.items_needed(0.1, margin=0.05)
    assert monitoring.margin_shown(needed, 0.1) <= 0.05 < monitoring.margin_shown(needed - 1, 0.1)


def test_rates_count_of_all_items_and_say_what_could_not_be_read():
    behaviour, flag = codes("1111000..1"), codes("1100100..."[:10])
    found = monitoring.rates(behaviour, flag, codes(".........."), codes("0000111..0"))

    assert (found.asked, found.unmeasured, found.unflagged) == (10, 2, 1)
    assert (found.happened.value, found.happened.n) == (0.5, 10)
    assert found.undetected.value == 0.2
    assert (found.recall.value, found.recall.n) == (0.5, 4)
    assert (found.false_positives.value, found.false_positives.n) == (pytest.approx(1 / 3), 3)
    assert found.correct.value == 0.3


def test_a_probe_of_accuracy_alone_has_no_undetected_rate():
    nothing = codes("....")
    found = monitoring.rates(nothing, nothing, nothing, codes("110."))
    assert (found.undetected.value, found.undetected.state) == (None, "no-trials")
    assert (found.correct.value, found.unmeasured) == (0.5, 1)


def test_too_few_items_cannot_pass_and_are_not_blamed():
    new, old = np.array([True, False] * 10), np.array([False, True] * 10)
    found = monitoring.paired_difference(new, old)
    assert monitoring.held_against(found) == "insufficient"
    assert found.needed > found.n


def test_a_certain_rise_blocks_however_few_items_there_are():
    found = monitoring.paired_difference(np.ones(30, dtype=bool), np.zeros(30, dtype=bool))
    assert monitoring.held_against(found) == "block"


def test_a_certain_fall_passes():
    found = monitoring.paired_difference(np.zeros(30, dtype=bool), np.ones(30, dtype=bool))
    assert monitoring.held_against(found) == "pass"


pairs = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(pairs)
def test_bounds_hold_the_difference_and_turn_round_with_the_sides(rows):
    new, old = (np.array([row[side] for row in rows]) for side in (0, 1))
    one, other = monitoring.paired_difference(new, old), monitoring.paired_difference(old, new)
    assert -1 - 1e-9 <= one.low <= one.value + 1e-9
    assert one.value - 1e-9 <= one.high <= 1 + 1e-9
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low), abs=1e-9)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_the_ellipse_is_centred_and_never_thin_to_nothing(shown, more, rest):
    asked = shown + more + rest
    if not asked:
        return
    found = monitoring.region(shown, shown + more, asked)
    assert (found.x, found.y) == (shown / asked, (shown + more) / asked)
    assert np.hypot(*found.first) >= np.hypot(*found.second) > 0

"""Selection pressure against worked examples; all figures in nats."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.measures.errors import InsufficientData, UnfitData
from reviews.measures.pressure import total_pressure


def pressure_of(accepted, sampled):
    sampled = [sampled] * len(accepted) if isinstance(sampled, int) else sampled
    return total_pressure(np.array(accepted, dtype=np.int64), np.array(sampled, dtype=np.int64))


FIFTY_PROMPTS = [0] * 30 + [1] * 10 + [2] * 5 + [4] * 3 + [8] * 2


@pytest.mark.parametrize(
    ("accepted", "sampled", "total"),
    [
        ([2], 8, 1.386294),
        ([9, 1], 10, 0.693147),
        ([4, 2, 0, 0], 4, 0.980829),
        (FIFTY_PROMPTS, 8, 2.120264),
        ([8, 0, 0, 0, 4, 0, 0, 0, 0, 0], 8, 1.897120),
        ([30], 100, 1.203973),  # 30 accept, 30 unsure, 40 reject: without the unsure it would read .847
    ],
)
def test_the_total_is_minus_the_log_of_all_accepted_over_all_sampled(accepted, sampled, total):
    assert pressure_of(accepted, sampled).total == pytest.approx(total, abs=5e-7)


def test_the_upper_bound_is_clustered_by_prompt_with_students_t():
    assert pressure_of(FIFTY_PROMPTS, 8).total_upper == pytest.approx(2.573510, abs=5e-7)
    assert pressure_of([8, 0, 0, 0, 4, 0, 0, 0, 0, 0], 8).total_upper == pytest.approx(3.190280, abs=5e-7)


def test_easy_prompts_cannot_wash_out_the_pressure_on_the_hard_ones():
    found = pressure_of([1] * 100 + [20] * 900, 20)
    assert found.total == pytest.approx(0.10, abs=0.005)
    assert (found.selecting_prompts, found.selecting_total) == (100, pytest.approx(-log(0.05)))
    assert found.selecting_upper > found.selecting_total
    assert found.selecting_state == "ok"


def test_prompts_without_an_accept_are_where_selection_happened():
    found = pressure_of([0, 0, 4, 8], 8)
    assert found.selecting_prompts == 3
    assert found.selecting_total == pytest.approx(-log(4 / 24))


def test_the_counts_behind_the_figure_stand_beside_it():
    found = pressure_of([1, 2, 3], [4, 5, 6])
    assert (found.prompts, found.sampled, found.accepted) == (3, 15, 6)


def test_nothing_accepted_is_unknown_and_neither_zero_nor_infinite():
    found = pressure_of([0] * 40, 8)
    assert (found.total, found.total_upper, found.total_standing) == (None, None, "undefined")
    assert (found.state, found.selecting_state) == ("nothing-accepted", "nothing-accepted")
    assert (found.selecting_prompts, found.selecting_total, found.selecting_upper) == (40, None, None)


def test_accepts_only_where_all_was_accepted_leave_the_selecting_prompts_unknown():
    found = pressure_of([0] * 20 + [8] * 20, 8)
    assert (found.state, found.total) == ("ok", pytest.approx(log(2)))
    assert (found.selecting_state, found.selecting_total) == ("nothing-accepted", None)


def test_everything_accepted_is_zero_with_a_bound_above_it_and_no_selecting_prompts():
    found = pressure_of([8] * 40, 8)
    assert (found.total, found.state, found.total_standing) == (0, "ok", "bound")
    assert str(found.total) == "0.0"
    assert found.total_upper == pytest.approx(log(1 + 1.684875**2 / 40), abs=1e-6)
    assert (found.selecting_prompts, found.selecting_total, found.selecting_upper) == (0, None, None)
    assert (found.selecting_state, found.selecting_standing) == ("no-selection", "undefined")


@pytest.mark.parametrize(
    ("prompts", "standing"),
    [(30, "bound"), (29, "estimate"), (20, "estimate"), (19, "insufficient"), (2, "insufficient")],
)
def test_the_upper_figure_is_called_a_bound_only_from_thirty_prompts_on(prompts, standing):
    found = pressure_of([1, 3] * 15, 8) if prompts == 30 else pressure_of([1] * (prompts - 1) + [3], 8)
    assert (found.total_standing, found.selecting_standing) == (standing, standing)
    assert found.total_upper > found.total


def test_the_selecting_prompts_are_counted_for_their_own_standing():
    found = pressure_of([8] * 30 + [2, 3, 1] * 7, 8)
    assert (found.total_standing, found.selecting_standing) == ("bound", "estimate")


def test_one_prompt_has_a_pressure_and_no_bound():
    found = pressure_of([2], 8)
    assert (found.total_upper, found.total_standing) == (None, "undefined")


def test_more_looks_at_the_same_data_raise_the_bound():
    accepted, sampled = np.array(FIFTY_PROMPTS), np.full(50, 8)
    once, four_times = (total_pressure(accepted, sampled, level=1 - 0.05 / looks) for looks in (1, 4))
    assert four_times.total == once.total
    assert four_times.total_upper > once.total_upper


def test_what_was_not_sampled_or_accepted_too_often_is_refused():
    with pytest.raises(InsufficientData, match="nothing was sampled"):
        pressure_of([], 8)
    with pytest.raises(UnfitData, match="9 accepted of 8 sampled"):
        pressure_of([9], 8)


counts = st.lists(
    st.integers(1, 16).flatmap(lambda k: st.tuples(st.integers(0, k), st.just(k))), min_size=1, max_size=40
)


@given(counts, st.randoms())
def test_the_pressure_is_finite_or_named_bounded_from_above_and_blind_to_order(rows, random):
    accepted, sampled = (np.array(column) for column in zip(*rows, strict=True))
    found = total_pressure(accepted, sampled)
    for total, upper, standing in (
        (found.total, found.total_upper, found.total_standing),
        (found.selecting_total, found.selecting_upper, found.selecting_standing),
    ):
        assert (upper is None) == (standing == "undefined")
        assert upper is None or 0 <= total < upper < np.inf
    if found.total is not None and found.selecting_total is not None:
        assert found.total <= found.selecting_total + 1e-12

    order = random.sample(range(len(rows)), len(rows))
    again = total_pressure(accepted[order], sampled[order])
    assert (again.total, again.selecting_total) == (found.total, found.selecting_total)
    if found.total_upper is not None:
        assert again.total_upper == pytest.approx(found.total_upper, rel=1e-9)

"""Wilson, its clustered form at the edges, and the bootstrap. Values: Wilson 1927 and hand arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reviews.measures.errors import InsufficientData, UnfitData
from reviews.measures.intervals import clustered_wilson, percentile_bootstrap, wilson


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (18, 20, 0.699, 0.972),
        (27, 30, 0.744, 0.965),
        (45, 50, 0.786, 0.957),
        (95, 100, 0.888, 0.978),
        (0, 10, 0.0, 0.277533),
        (1, 20, 0.008881, 0.236131),
        (9, 10, 0.595850, 0.982124),
        (50, 1000, 0.038130, 0.065314),
    ],
)
def test_wilson_gives_the_published_two_sided_bounds(k, n, low, high):
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-4 if k in (18, 27, 45, 95) else 5e-7)


@pytest.mark.parametrize(("rate", "needed"), [(0.08, 143), (0.10, 52), (0.15, 13)])
def test_the_one_sided_lower_bound_reaches_a_floor_of_five_percent_at_the_known_sample_sizes(rate, needed):
    assert wilson(rate * needed, needed, sided=1)[0] >= 0.05
    assert wilson(rate * (needed - 1), needed - 1, sided=1)[0] < 0.05


def test_a_rate_without_trials_or_with_too_many_successes_has_no_interval():
    with pytest.raises(InsufficientData, match="there is no trial"):
        wilson(0, 0)
    with pytest.raises(UnfitData, match="3 successes among 2 trials"):
        wilson(3, 2)


@given(n=st.integers(1, 500), share=st.floats(0, 1), level=st.floats(0.5, 0.999))
def test_wilson_holds_the_rate_and_mirrors_successes_and_failures(n, share, level):
    k = round(share * n)
    low, high = wilson(k, n, level)
    assert 0 <= low <= k / n <= high <= 1
    assert wilson(n - k, n, level) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_ten_prompts_with_two_that_carry_all_accepts_are_worth_eleven_samples():
    accepted, sampled = np.array([8, 0, 0, 0, 4, 0, 0, 0, 0, 0]), np.full(10, 8)
    one_sided, two_sided = clustered_wilson(accepted, sampled), clustered_wilson(accepted, sampled, sided=2)
    assert one_sided.rate == 0.15
    assert one_sided.effective_n == pytest.approx(11.195, abs=5e-4)
    assert one_sided.low == pytest.approx(0.041160, abs=5e-7)
    assert (two_sided.low, two_sided.high) == pytest.approx((0.031646, 0.487950), abs=5e-7)
    assert one_sided.standing == "insufficient"


@pytest.mark.parametrize("accepted_of_49", [0, 1, 24, 49])
def test_prompts_without_spread_count_as_one_sample_each(accepted_of_49):
    found = clustered_wilson(np.full(25, accepted_of_49), np.full(25, 49))
    assert found.effective_n == 25
    assert found.standing == "estimate"
    assert 0 <= found.low < found.high <= 1


def test_prompts_that_differ_less_than_chance_are_worth_no_more_than_their_samples():
    assert clustered_wilson(np.array([4, 4, 4, 5] * 10), np.full(40, 8)).effective_n == 320


def test_near_one_the_prompts_and_not_the_samples_are_the_trials():
    found = clustered_wilson(np.array([8] * 39 + [7]), np.full(40, 8))
    assert found.effective_n == 40


def test_a_very_small_rate_keeps_a_lower_bound_above_zero():
    found = clustered_wilson(np.array([1, 1]), np.array([10**6, 10**6]))
    assert 0 < found.low < 1e-12  # two prompts, t = 6.3: hardly anything is known


def test_one_prompt_says_nothing_of_the_spread():
    found = clustered_wilson(np.array([3]), np.array([8]))
    assert (found.low, found.high, found.effective_n, found.standing) == (None, None, None, "undefined")


@pytest.mark.parametrize(("prompts", "naive"), [(8, 0.34), (15, 0.54), (30, 0.785)])
def test_near_one_the_edge_rules_mend_the_coverage_that_the_plain_formula_lacks(prompts, naive):
    # 95 % of prompts have Z = 1, 5 % have 0. The plain formula is undefined, a miss, where no 0 is drawn.
    missing = np.arange(prompts)
    chance = stats.binom.pmf(missing, prompts, 0.05)
    drawn = [np.array([0] * zeros + [8] * (prompts - zeros)) for zeros in missing]
    covered = [clustered_wilson(accepted, np.full(prompts, 8)).low <= 0.95 for accepted in drawn]
    assert 1 - chance[0] == pytest.approx(naive, abs=0.01)
    assert chance @ covered >= 0.95


@pytest.mark.parametrize(("prompts", "shape"), [(30, (0.5, 1.5)), (50, (2, 2)), (30, (0.3, 2.7))])
def test_the_one_sided_bound_covers_about_as_often_as_its_level_says(prompts, shape):
    generator = np.random.default_rng(20)
    rates = generator.beta(*shape, size=(400, prompts))
    accepted = generator.binomial(8, rates)
    sampled = np.full(prompts, 8)
    covered = [clustered_wilson(row, sampled).low <= shape[0] / sum(shape) for row in accepted]
    assert np.mean(covered) >= 0.90


@pytest.mark.parametrize(
    ("accepted", "sampled", "says"),
    [
        (np.array([9]), np.array([8]), "cluster 0 has 9 accepted of 8 sampled"),
        (np.array([1, 0]), np.array([8, 0]), "cluster 1 has 0 accepted of 0 sampled"),
        (np.array([1, -1]), np.array([8, 8]), "cluster 1 has -1 accepted"),
        (np.array([1, 1]), np.array([8]), "expected one row each"),
        (np.array([0.5]), np.array([8]), "whole numbers"),
    ],
)
def test_counts_that_no_sampling_gives_are_refused_by_name(accepted, sampled, says):
    with pytest.raises(UnfitData, match=says):
        clustered_wilson(accepted, sampled)


def test_without_a_cluster_there_is_no_rate():
    empty = np.array([], dtype=np.int64)
    with pytest.raises(InsufficientData, match="nothing was sampled"):
        clustered_wilson(empty, empty)


def means(totals):
    return totals[:, 0] / totals[:, 1]


def test_the_bootstrap_of_a_mean_has_the_spread_of_the_mean():
    values = np.random.default_rng(1).normal(size=400)
    found = percentile_bootstrap(means, np.column_stack([values, np.ones(400)]), seed=2)
    half = 1.96 * values.std() / 20
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.015)
    assert found.undefined == 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(0, 99))
def test_the_bootstrap_depends_on_its_seed_and_not_on_the_order_of_the_clusters(values, seed):
    sums = np.column_stack([np.array(values, dtype=float), np.ones(len(values))])
    forward = percentile_bootstrap(means, sums, seed=seed, replicates=50)
    assert forward == percentile_bootstrap(means, sums[::-1], seed=seed, replicates=50)


def test_replicates_without_a_value_are_left_out_and_their_share_is_told():
    def of_the_chosen(totals):
        unknown = np.full(len(totals), np.nan)
        return np.divide(totals[:, 0], totals[:, 1], out=unknown, where=totals[:, 1] > 0)

    found = percentile_bootstrap(of_the_chosen, np.array([[1.0, 1.0], [0.0, 0.0]]), seed=3)
    assert (found.low, found.high) == (1, 1)
    assert found.undefined == pytest.approx(0.25, abs=0.05)
    with pytest.raises(InsufficientData, match="no replicate"):
        percentile_bootstrap(of_the_chosen, np.zeros((2, 2)), seed=3)

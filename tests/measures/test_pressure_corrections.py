"""Corrections C1 to C13 of the science page: to the printed digit where arithmetic, with a wide margin where simulated."""

from math import log

import numpy as np
import pytest
from scipy.stats import binom

from reviews.measures import confounding, looks, selection
from reviews.measures.finite import exact_lower, exact_upper
from reviews.measures.flips import flips
from reviews.measures.intervals import alike, clustered_wilson, wilson
from reviews.measures.pressure import total_pressure
from tests.bench.pressure_coverage import CONFOUNDERS, Setting, after_looks, cover, cover_flips, doubled


def close(number):
    return pytest.approx(number, abs=1e-6)


def whole(*numbers):
    return np.array(numbers, dtype=np.int64)


def test_c1_a_hundred_hard_prompts_among_a_thousand_read_a_tenth_of_a_nat_and_hardly_any_within():
    k, n = np.array([1.0] * 100 + [20.0] * 900), np.full(1000, 20.0)
    found = selection.prompts_split(k, n)
    assert found.total == pytest.approx(0.10, abs=5e-3)
    assert found.second == pytest.approx(0.017, abs=5e-4)
    assert -log(0.05) == pytest.approx(3.0, abs=5e-3)


def test_c3_the_best_of_several_rounds_misses_a_bound_more_often_than_it_says():
    assert [round(100 * (1 - 0.95**rounds)) for rounds in (5, 10)] == [23, 40]
    assert after_looks("5 rounds", 5, 0.95, runs=300) == pytest.approx(0.23, abs=0.1)


def test_c3_dropping_the_worse_half_of_the_domains_after_a_look_makes_the_bound_miss_more_than_half_the_time():
    assert after_looks("worse half dropped", 25, 0.95, runs=300) == pytest.approx(0.57, abs=0.15)


@pytest.mark.parametrize("how", ["10 random halves", "10 declared halves", "10 rounds"])
def test_c3_the_widened_bound_holds_whichever_of_the_declared_or_random_configurations_goes_out(how):
    assert after_looks(how, 10, 0.95, runs=300) > 0.10  # as if nobody had looked
    assert after_looks(how, 10, looks.level(10), runs=300) < 0.09


def uncorrected(k, n):
    """The lower bound before C5: the normal quantile, no cap on what the samples are worth."""
    rate = k.sum() / n.sum()
    variance = len(k) / (len(k) - 1) * ((k - rate * n) ** 2).sum() / n.sum() ** 2
    return None if variance == 0 or rate in (0, 1) else wilson(k.sum(), n.sum(), sided=1)[0]


@pytest.mark.parametrize(("prompts", "covered"), [(8, 0.33), (15, 0.55), (30, 0.78)])
def test_c5_near_one_the_plain_bound_holds_only_where_a_failing_prompt_was_met(prompts, covered):
    generator, held = np.random.default_rng(prompts), []
    n = np.full(prompts, 8)
    for _ in range(1000):
        low = uncorrected(generator.binomial(8, (generator.random(prompts) < 0.95).astype(float)), n)
        held.append(low is not None and low <= 0.95)
    assert np.mean(held) == pytest.approx(covered, abs=0.06)
    assert 1 - 0.95**prompts == pytest.approx(covered, abs=0.02)
    with_rules = cover(Setting("95 % at 1, 5 % at 0", prompts, 8), runs=300)
    assert with_rules["total_upper"][0] > 0.92


def test_c5_few_prompts_of_many_samples_leave_no_room_for_prompts_that_nobody_met():
    agreeing = clustered_wilson(np.full(30, 150) + np.arange(30) % 3, np.full(30, 300))
    assert agreeing.standing == "estimate"  # 30 prompts alike: a tenth of others could be missing by chance
    assert clustered_wilson(np.full(30, 4) + np.arange(30) % 3 - 1, np.full(30, 8)).standing == "bound"
    found = cover(Setting("95 % at .5, 5 % at 0", 30, 300), runs=300)
    called = cover(Setting("95 % at .5, 5 % at 0", 30, 300), runs=300, called=True)
    assert found["total_upper"][0] < 0.9
    assert called["total_upper"][0] > 0.92


def test_c5_prompts_of_very_unequal_size_are_worth_fewer():
    assert alike(np.full(40, 8)) == 40
    assert alike(np.array([100, 100, 1, 1])) == pytest.approx(2.04, abs=5e-3)
    sampled = np.array([8] * 59 + [800])
    found = total_pressure(sampled // 2, sampled)
    assert (found.prompts, found.total_standing) == (60, "insufficient")


def test_c7_few_answers_turned_are_bounded_as_carefully_as_few_prompts_that_fail():
    found = flips(whole(*[8] * 40), whole(1, *[0] * 39), whole(*[0] * 40), whole(*[0] * 40))
    assert found.share_upper > 0.06  # 40 prompts and not 320 answers
    assert cover_flips("95 % at .02, 5 % at 1", 30, 8, 1.0, runs=300) > 0.9


def test_c9_one_raters_own_clauses_leave_style_nothing_to_explain_though_length_alone_decides():
    generator = np.random.default_rng(6)
    length = generator.normal(size=400)
    cited = (length > 0).astype(float)
    accepted = 1 - cited

    def explained(*columns):
        design = np.stack([np.ones(400), *columns], axis=1)
        fitted = design @ np.linalg.lstsq(design, accepted, rcond=None)[0]
        return 1 - ((accepted - fitted) ** 2).sum() / ((accepted - accepted.mean()) ** 2).sum()

    assert explained(cited, length) - explained(cited) < 1e-8
    assert explained(length) > 0.5


def test_c9_forty_pairs_see_a_shift_of_twenty_points_with_power_seventy_one():
    """22 of 100 pairs turn one way and 2 the other; summed over every outcome."""
    power, one, other = 0.0, 0.22, 0.02
    for differing in range(41):
        for first in range(differing + 1):
            if confounding.mcnemar(first, differing - first) <= 0.05:
                chance = binom.pmf(differing, 40, one + other)
                power += chance * binom.pmf(first, differing, one / (one + other))
    assert power == pytest.approx(0.71, abs=5e-3)


@pytest.mark.parametrize("name", list(CONFOUNDERS))
def test_c9_where_style_decides_nothing_the_lower_figure_seldom_says_that_it_does(name):
    found = [CONFOUNDERS[name](doubled("content", 60, np.random.default_rng(seed))) for seed in range(12)]
    nothing = 0.02 if name.startswith("style beyond") else 0.5 + 0.15
    assert sum(one.lower > nothing for one in found) <= 3


def test_t17_ten_prompts_by_every_bound():
    k, n = whole(8, 0, 0, 0, 4, 0, 0, 0, 0, 0), np.full(10, 8)
    both, one = clustered_wilson(k, n, sided=2), clustered_wilson(k, n)
    assert (both.low, both.high) == (close(0.031646), close(0.487950))
    assert (one.rate, one.low, -log(one.low)) == (0.15, close(0.041160), close(3.190280))
    assert one.effective_n == pytest.approx(11.195, abs=5e-4)
    assert (one.rate * (1 - one.rate) / one.effective_n) ** 0.5 == close(0.106719)
    assert wilson(0.15 * one.effective_n, one.effective_n) == (close(0.038001), close(0.440831))
    assert wilson(12, 80) == (close(0.087940), close(0.244132))


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.277533),
        (1, 20, 0.008881, 0.236131),
        (9, 10, 0.595850, 0.982124),
        (50, 1000, 0.038130, 0.065314),
    ],
)
def test_t18_wilson(k, n, low, high):
    assert wilson(k, n) == (close(low), close(high))


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(0, 10, 0.0, 0.308497), (1, 20, 0.001265, 0.248733), (50, 1000, 0.037335, 0.065390)],
)
def test_t18_clopper_and_pearson(k, n, low, high):
    assert (exact_lower(k, n, 0.975), exact_upper(k, n, 0.975)) == (close(low), close(high))

"""How many traces must be read twice."""

import numpy as np
import pytest

from reviews.measures.errors import InsufficientData, UnfitData
from reviews.measures.intervals import Estimate, wilson
from reviews.measures.planning import (
    as_seen,
    design_effect_of,
    doubles_for,
    doubles_for_rate,
    doubles_from,
    expected,
)


@pytest.mark.parametrize(
    ("prevalence", "alpha", "ac1"), [(0.5, 0.64, 0.64), (0.2, 0.53, 0.71), (0.1, 0.39, 0.74)]
)
def test_the_same_readers_show_less_alpha_and_more_ac1_where_rejects_are_rare(prevalence, alpha, ac1):
    seen = as_seen(prevalence, 0.9)
    assert (expected(*seen), expected(*seen, "ac1")) == pytest.approx((alpha, ac1), abs=5e-3)


@pytest.mark.parametrize(
    ("prevalence", "alpha", "ac1"),
    [(0.5, (237, 948), (235, 940)), (0.2, (354, 1414), (180, 719)), (0.1, (569, 2274), (148, 592))],
)
def test_the_doubles_needed_are_near_those_that_others_simulated(prevalence, alpha, ac1):
    rejects, agreement = as_seen(prevalence, 0.9)
    for coefficient, wanted in (("alpha", alpha), ("ac1", ac1)):
        for half_width, items in zip((0.1, 0.05), wanted, strict=True):
            found = doubles_for(half_width, rejects=rejects, agreement=agreement, coefficient=coefficient)
            assert found == pytest.approx(items, rel=0.07)


@pytest.mark.parametrize("prevalence", [0.5, 0.2, 0.1])
def test_so_many_doubles_give_the_wanted_width(prevalence):
    rejects, agreement = as_seen(prevalence, 0.9)
    items = doubles_for(0.1, rejects=rejects, agreement=agreement)
    generator = np.random.default_rng(3)
    truth = generator.random((3000, items)) < prevalence
    one, other = (truth ^ (generator.random(truth.shape) < 0.1) for _ in range(2))
    said = one.sum(axis=1) + other.sum(axis=1)
    by_chance = 2 * said * (2 * items - said) / (2 * items * (2 * items - 1))
    alpha = 1 - (one != other).mean(axis=1) / by_chance
    assert 1.96 * alpha.std() == pytest.approx(0.1, rel=0.05)


def test_clusters_need_more_doubles():
    assert design_effect_of(4, 0.2) == pytest.approx(1.6)
    assert design_effect_of(0.5, 0.2) == 1
    once = doubles_for(0.1, rejects=0.3, agreement=0.85)
    assert doubles_for(0.1, rejects=0.3, agreement=0.85, design_effect=1.6) == pytest.approx(
        1.6 * once, abs=1
    )
    assert doubles_for_rate(0.05, 0.1, design_effect=2) == 2 * doubles_for_rate(0.05, 0.1)


@pytest.mark.parametrize(("half_width", "rate"), [(0.05, 0.1), (0.03, 0.5), (0.1, 0.0), (0.02, 0.9)])
def test_a_rate_needs_the_fewest_trials_whose_interval_is_narrow_enough(half_width, rate):
    trials = doubles_for_rate(half_width, rate)
    widths = [np.subtract(*wilson(rate * some, some)[::-1]) / 2 for some in (trials, trials - 1)]
    assert widths[0] <= half_width < widths[1]


def test_a_measured_interval_narrows_with_the_root_of_the_items():
    found = Estimate(0.5, 0.4, 0.6, "", 100, "ok")
    assert doubles_from(found, 0.05) == 400
    with pytest.raises(InsufficientData, match="no interval yet"):
        doubles_from(Estimate(0.5, None, None, "", 10, "too-few"), 0.05)


def test_readers_who_cannot_be_are_refused():
    with pytest.raises(UnfitData, match="cannot be"):
        doubles_for(0.1, rejects=0.01, agreement=0.9)
    for rejects in (0.0, 1.0):
        with pytest.raises(UnfitData, match="one label only"):
            expected(rejects, 1.0)
        with pytest.raises(UnfitData, match="one label only"):
            doubles_for(0.1, rejects=rejects, agreement=1.0)
    with pytest.raises(UnfitData, match="half-width"):
        doubles_for_rate(0, 0.1)

"""Answer first, confounders, domains, looks, admission: the corrections' numbers and the named states."""

from math import log

import numpy as np
import pytest

from reviews.measures import confounding, domains, exported, looks, outcomes
from reviews.measures.flips import flips
from reviews.measures.pressure import total_pressure
from tests.bench.pressure_coverage import Setting, cover


def whole(*numbers):
    return np.array(numbers, dtype=np.int64)


def test_c1_easy_prompts_and_the_rate_of_admission():
    k, n = whole(*[1] * 100, *[20] * 900), np.full(1000, 20)
    found = total_pressure(k, n)
    assert found.total == pytest.approx(0.10, abs=5e-3)
    assert found.selecting_total == pytest.approx(3.0, abs=5e-3)
    assert not exported.admitted(k, n)[:100].any()
    assert exported.admitted(whole(1, 0, 2), whole(10, 8, 30)).tolist() == [True, False, False]
    tokens = np.array([30.0, 70.0])
    assert exported.hard_share(tokens, whole(2, 8), whole(10, 10)) == pytest.approx(0.3)


def test_c2_what_has_no_verdict_is_not_accepted():
    assert total_pressure(whole(30), whole(100)).total == pytest.approx(1.204, abs=5e-4)
    assert total_pressure(whole(30), whole(70)).total == pytest.approx(0.847, abs=5e-4)


def test_c3_looks_widen_every_bound():
    assert looks.level(1) == pytest.approx(0.95)
    assert looks.level(5) == pytest.approx(0.99)


def test_c10_the_hard_prompts_of_a_pooled_figure():
    k, n = whole(*[90] * 98, *[2] * 2), np.full(100, 100)
    assert total_pressure(k, n).total == pytest.approx(0.125, abs=5e-4)
    assert -log(0.02) == pytest.approx(3.9, abs=0.05)
    assert exported.hard_percentile(k, k, n) == pytest.approx(-log(0.9))  # sees not fewer than 5 %


def test_c7_flips_are_counted_both_ways_and_priced():
    found = flips(whole(*[5] * 40), whole(*[1] * 40), whole(*[3] * 40), whole(*[0] * 39, 2))
    assert (found.answers, found.turned, found.refused, found.other_way) == (200, 40, 120, 2)
    assert (found.share, found.nats) == (pytest.approx(0.2), pytest.approx(-log(0.8)))
    assert found.share < found.share_upper < 1
    assert found.standing == "bound"
    assert flips(whole(0), whole(0), whole(2), whole(1)).state == "no-answers"
    assert flips(whole(2, 2), whole(2, 2), whole(0, 0), whole(0, 0)).nats is None


def test_simpson_longer_wins_when_pooled_and_never_within_a_prompt():
    length = np.array([80, 90, 100, 110, 300, 310, 320, 400.0])
    accepted = np.array([True, False, False, False, True, True, True, False])
    prompts = np.repeat([0, 1], 4)
    pooled = confounding.within_auc(length, accepted, np.zeros(8, dtype=np.int64))
    assert pooled.value == pytest.approx(0.5625)
    found = confounding.within_auc(length, accepted, prompts)
    assert (found.value, found.lower, found.state) == (0, None, "too-few")


def planted(driver, seed=3):
    """60 prompts × 6 doubles; both raters cite a clause, driven by length or by something style cannot see."""
    generator = np.random.default_rng(seed)
    prompts = np.repeat(np.arange(60), 6)
    style, hidden = generator.normal(size=(360, 2)), generator.normal(size=360)
    cause = style[:, 0] if driver == "length" else hidden
    ours, theirs = (cause + generator.normal(0, 0.7, 360) > 0 for _ in range(2))
    return style, ours, theirs, prompts


def test_c9_style_that_decides_is_found_on_double_reviews_and_honest_clauses_pass():
    style, ours, theirs, prompts = planted("length")
    found = confounding.style_beyond_clauses(style, theirs[:, None].astype(float), ~ours, prompts)
    assert found.lower > 0.05
    assert confounding.predicted_auc(style, theirs, prompts).lower > 0.65
    style, ours, theirs, prompts = planted("content")
    honest = confounding.style_beyond_clauses(style, theirs[:, None].astype(float), ~ours, prompts)
    assert honest.lower < 0.02
    assert confounding.predicted_auc(style, theirs, prompts).lower < 0.65


def test_c9_ones_own_clauses_explain_everything_even_where_length_decides():
    style, ours, _, prompts = planted("length")
    found = confounding.style_beyond_clauses(style, ours[:, None].astype(float), ~ours, prompts)
    assert abs(found.value) < 0.01


def test_confounders_name_what_they_cannot_tell():
    style, flags, prompts = np.ones((10, 1)), np.array([True] * 10), np.arange(10)
    assert confounding.style_beyond_clauses(style, style, flags, prompts).state == "too-few-doubles"
    assert confounding.within_auc(style[:, 0], flags, prompts).state == "no-pairs"
    assert confounding.mcnemar(8, 0) == pytest.approx(2 / 256)
    assert confounding.mcnemar(3, 3) == 1


def test_domains_count_as_many_as_they_share_evenly():
    assert domains.effective_number(np.array([0.5, 0.5])) == pytest.approx(2)
    assert domains.effective_number(np.array([0.9, 0.1])) == pytest.approx(1.384, abs=5e-4)
    found = domains.by_domain(["b", "a", None], np.array([4.0, 0, 8]), np.array([8.0, 8, 8]))
    assert [domain.domain for domain in found] == ["a", "b", None]
    assert [domain.state for domain in found] == ["nothing-accepted", "ok", "ok"]


def test_the_behaviour_floor_says_how_many_samples_it_needs():
    assert [domains.samples_needed(rate) for rate in (0.08, 0.10, 0.15)] == [143, 52, 13]
    assert domains.samples_needed(0.04) is None
    assert [domains.samples_for_none(ceiling) for ceiling in (0.05, 0.01)] == [59, 299]
    assert domains.exposure_share(5, None) is None
    assert domains.exposure_share(5, 1000) == 0.005


def test_reasoning_given_the_outcome_finds_what_the_plug_in_understates():
    generator = np.random.default_rng(4)
    right = generator.binomial(16, 0.5, 200).clip(1)
    k = generator.binomial(right, 0.5)
    found = outcomes.given_outcome(k, right, np.arange(200))
    assert found.state == "ok"
    assert found.cot_plugin < found.cot <= found.cot_upper
    assert found.cot == pytest.approx(log(2), abs=0.06)


@pytest.mark.parametrize("shape", ["Beta(1, 9)", "Beta(2, 2)", "20 % at .5, 80 % at .02"])
def test_what_is_called_a_bound_holds_the_truth_about_as_often_as_it_says(shape):
    """A light look with a wide margin; docs/pressure.md has the table."""
    found = cover(Setting(shape, 60, 8), runs=150)
    assert found["total_upper"][0] >= 0.90
    assert found["selecting_upper"][0] >= 0.90

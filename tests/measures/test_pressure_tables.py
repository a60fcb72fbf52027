"""The worked examples T1–T16 and the corrections' numbers, to the last printed digit. Nats."""

from math import log

import numpy as np
import pytest
from scipy.stats import binom

from reviews.measures import finite, outcomes, purposes, ranking, selection
from reviews.measures.intervals import clustered_wilson, wilson


def close(number):
    return pytest.approx(number, abs=1e-6)


def floats(*numbers):
    return np.array(numbers, dtype=np.float64)


def whole(*numbers):
    return np.array(numbers, dtype=np.int64)


FIFTY = whole(*[0] * 30, *[1] * 10, *[2] * 5, *[4] * 3, *[8] * 2)


@pytest.mark.parametrize(
    ("k", "n", "plug", "h", "biased", "jeffreys"),
    [(2, 8, 1.386294, 1.217857, 1.592857, 1.437485), (1, 4, 1.386294, 1.083333, 1.833333, 1.469628)],
)
def test_t1_one_prompt_by_every_estimate(k, n, plug, h, biased, jeffreys):
    assert finite.plug_in(k, n) == close(plug)
    assert finite.harmonic_estimate(k, n) == close(h)
    assert finite.size_biased(k, n) == close(biased)
    assert finite.posterior(k, n) == close(jeffreys)


def test_t1_the_uniform_prior_and_the_edges():
    assert finite.posterior(2, 8, 1) == close(1.328968)
    assert (finite.plug_in(8, 8), finite.plug_in(0, 8)) == (0, np.inf)
    assert finite.posterior(8, 8) == close(0.060551)
    assert finite.posterior(8, 8) == pytest.approx(0.061, abs=5e-4)
    assert finite.posterior(0, 8) == pytest.approx(4.104, abs=5e-4)


@pytest.mark.parametrize(
    ("k", "n", "low", "nats"),
    [(1, 4, 0.012741, 4.362894), (8, 8, 0.687656, 0.374467), (1, 8, 0.006391, 5.052841)],
)
def test_t1_the_exact_bound_of_one_prompt(k, n, low, nats):
    assert finite.exact_lower(k, n) == close(low)
    assert -log(finite.exact_lower(k, n)) == close(nats)


def test_t2_soft_accepts():
    found = selection.accepting(floats(1, 1, 0.5, 0.5, 0, 0, 0, 0))
    assert (found.rate, found.kl, found.d_inf) == (close(0.375), close(0.749780), close(0.980829))


@pytest.mark.parametrize(
    ("share", "kl", "d_inf"),
    [
        (0, 1.386294, 1.386294),
        (0.25, 0.697727, 1.178655),
        (0.5, 0.312752, 0.916291),
        (0.75, 0.083011, 0.559616),
    ],
)
def test_t3_mixing(share, kl, d_inf):
    found = selection.mixing(0.25, share)
    assert (found.kl, found.d_inf) == (close(kl), close(d_inf))


def test_the_share_that_meets_a_budget_and_what_it_lets_in():
    assert selection.share_for(0.10, 0.70) == pytest.approx(0.4664, abs=5e-5)
    assert selection.share_for(0.25, 0.50) == pytest.approx(0.3641, abs=5e-5)
    assert selection.share_for(0.9, 0.5) == 0
    assert selection.mixing(0.1, 0.466).rejected_share == pytest.approx(0.42, abs=5e-3)


def test_t4_and_t5_where_and_how_uncapped_and_capped():
    k, n = whole(9, 1), whole(10, 10)
    split = selection.prompts_split(k, n)
    assert (split.total, split.first, split.second) == (close(0.693147), close(0.368064), close(0.325083))
    assert finite.size_biased_sum(k, n)[0] == close(0.382897)
    one = selection.capped_split(selection.capped(k, 1), k, n)
    assert (one.first, one.second) == (close(0), close(1.203973))

    k, n = whole(4, 2, 0, 0), whole(4, 4, 4, 4)
    split = selection.prompts_split(k, n)
    assert (split.total, split.first, split.second) == (close(0.980829), close(0.749780), close(0.231049))
    assert finite.size_biased_sum(k, n)[0] == close(0.277778)
    for cap in (1, 2):
        out = selection.capped_split(selection.capped(k, cap), k, n)
        assert (out.total, out.first, out.second) == (close(1.039721), close(0.693147), close(0.346574))


@pytest.mark.parametrize(
    ("shares", "rates", "total", "outcome", "cot"),
    [
        ((0.5, 0.5), (0.4, 0), 1.609438, 0.693147, 0.916291),
        ((0.6, 0.3, 0.1), (0.5, 0.1, 0), 1.108663, 0.269203, 0.839460),
    ],
)
def test_t6_outcome_and_reasoning(shares, rates, total, outcome, cot):
    found = selection.outcomes_split(floats(*shares), floats(*rates))
    assert (found.total, found.first, found.second) == (close(total), close(outcome), close(cot))


def clauses(both, form_fails, alignment_fails, neither):
    """One trace a prompt, so that prompts are independent."""
    kinds = [(1, 1)] * both + [(1, 0)] * form_fails + [(0, 1)] * alignment_fails + [(0, 0)] * neither
    alignment, form = np.array(kinds).T
    return np.ones(len(kinds), dtype=np.int64), alignment, form, alignment * form


def test_t7_alignment_and_form():
    found = purposes.purposes(*clauses(45, 15, 0, 40))
    assert (found.total, found.alignment, found.form) == (close(0.798508), close(0.510826), close(0.287682))
    assert (found.form_only, found.rejects) == (15, 55)


def test_c8_the_order_changes_the_split():
    found = purposes.purposes(*clauses(50, 5, 5, 40))
    assert found.form_low == pytest.approx(0.095, abs=5e-4)
    assert found.form_high == pytest.approx(0.598, abs=5e-4)
    assert found.form_upper > found.form_high


def test_t8_prompt_substitution():
    found = selection.substitution_split(floats(0.6, 0.4), floats(0.1, 0.9), floats(1, 0))
    assert (found.first, found.second, found.total) == (close(0.510826), close(1.791759), close(2.302585))


def test_t9_fifty_prompts():
    n = np.full(50, 8)
    rate = clustered_wilson(FIFTY, n)
    assert (rate.rate, rate.low, -log(rate.low)) == (close(0.12), close(0.076267), close(2.573510))
    assert rate.effective_n == pytest.approx(103.54, abs=5e-3)
    assert (rate.rate * (1 - rate.rate) / rate.effective_n) ** 0.5 == close(0.031936)
    assert wilson(103.54 * 0.12, 103.54, sided=1)[0] == pytest.approx(0.076925, abs=1e-5)
    assert wilson(48, 400, sided=1)[0] == close(0.095795)
    split = selection.prompts_split(FIFTY, n)
    assert (split.total, split.second) == (close(2.120264), close(0.895315))
    within = finite.within_prompts(FIFTY, n)
    assert within.harmonic == close(1.061905)
    assert within.beta_binomial == pytest.approx(1.0721, abs=5e-5)
    assert within.value == within.beta_binomial


def test_t10_best_of_n():
    assert [ranking.best_of(n) for n in (2, 4, 8, 16, 64)] == [
        close(x) for x in (0.193147, 0.636294, 1.204442, 1.835089, 3.174508)
    ]


def test_t11_best_of_n_with_two_rewards():
    found = [ranking.best_of_binary(*pair) for pair in ((2, 0.5), (4, 0.25), (4, 0.5), (16, 0.5))]
    assert found == [close(x) for x in (0.130812, 0.414556, 0.459356, 0.692963)]


def test_t12_the_estimate_of_beirami():
    found = [ranking.best_of_estimate(*pair) for pair in ((4, 0.1), (4, 0.5), (16, 0.01))]
    assert found == [close(x) for x in (0.634870, 0.499124, 1.834948)]


def test_t13_best_of_four_with_ties():
    assert [ranking.best_of_levels(4, np.full(n, 1 / n)) for n in (2, 10)] == [
        close(0.459356),
        close(0.628825),
    ]


def test_t14_top_m_of_k():
    found = [ranking.top(*pair) for pair in ((1, 8), (2, 8), (4, 8), (2, 4), (4, 16))]
    assert found == [close(x) for x in (1.204442, 0.831867, 0.394707, 0.297055, 0.987679)]


def test_t15_hard_accepts_add_up_along_a_lineage():
    p0 = floats(0.4, 0.3, 0.2, 0.1)
    first = selection.accepting(floats(1, 1, 1, 0), p0)
    p1 = selection.reweighted(p0, floats(1, 1, 1, 0))
    second = selection.accepting(floats(1, 1, 0, 0), p1)
    p2 = selection.reweighted(p1, floats(1, 1, 0, 0))
    assert (first.kl, second.kl) == (close(0.105361), close(0.251314))
    assert selection.divergence(p2, p0) == close(0.356675) == first.kl + second.kl


def test_t16_soft_accepts_do_not_but_the_largest_divergences_bound_them():
    p0, a1, a2 = floats(0.4, 0.3, 0.2, 0.1), floats(1, 0.5, 0.5, 0.1), floats(1, 0.5, 0.2, 0.1)
    p1 = selection.reweighted(p0, a1)
    first, second = selection.accepting(a1, p0), selection.accepting(a2, p1)
    true = selection.divergence(selection.reweighted(p1, a2), p0)
    assert (first.kl, second.kl, first.kl + second.kl) == (close(0.118072), close(0.111314), close(0.229386))
    assert (true, first.d_inf + second.d_inf) == (close(0.389427), close(0.701179))


def test_resolution():
    assert [float(finite.harmonic(k - 1)) for k in (4, 8, 16, 32, 64)] == [
        pytest.approx(x, abs=5e-4) for x in (1.833, 2.593, 3.318, 4.027, 4.728)
    ]


@pytest.mark.parametrize("k", [4, 8, 16])
@pytest.mark.parametrize("rate", [0.02, 0.25, 0.9])
def test_the_harmonic_estimate_has_exactly_the_mean_of_the_truncated_series(k, rate):
    mean = sum(binom.pmf(j, k, rate) * finite.harmonic_estimate(j, k) for j in range(k + 1))
    biased = sum(binom.pmf(j, k, rate) * j * finite.size_biased(j, k) for j in range(1, k + 1)) / (k * rate)
    assert mean == pytest.approx(finite.series(rate, k))
    assert biased == pytest.approx(finite.series(rate, k - 1))


@pytest.mark.parametrize(
    ("k", "rate", "plug", "biased", "cap_plug", "cap_jeffreys"),
    [
        (4, 0.25, 0.918, 1.172, 1.089, 1.183),
        (8, 0.25, 1.165, 1.347, 1.403, 1.449),
        (8, 0.10, 1.649, 1.987, 1.822, 1.856),
        (8, 0.50, 0.626, 0.692, 0.762, 0.819),
        (16, 0.10, 1.971, 2.220, 2.225, 2.237),
        (64, 0.05, 2.834, 2.986, 3.096, 3.095),
    ],
)
def test_what_each_estimate_reads_on_average(k, rate, plug, biased, cap_plug, cap_jeffreys):
    chance = {j: binom.pmf(j, k, rate) for j in range(1, k + 1)}
    by_trace = lambda of: sum(p * j * of(j, k) for j, p in chance.items()) / (k * rate)  # noqa: E731
    by_prompt = lambda of: sum(p * of(j, k) for j, p in chance.items()) / sum(chance.values())  # noqa: E731
    assert by_trace(finite.plug_in) == pytest.approx(plug, abs=6e-4)
    assert by_trace(finite.size_biased) == pytest.approx(biased, abs=6e-4)
    assert by_prompt(finite.plug_in) == pytest.approx(cap_plug, abs=6e-4)
    assert by_prompt(finite.posterior) == pytest.approx(cap_jeffreys, abs=6e-4)


def test_c4_a_cap_raises_the_pressure_within():
    k, n = whole(*[95] * 50, *[5] * 50), np.full(100, 100)
    one = selection.capped_split(selection.capped(k, 1), k, n)
    assert selection.prompts_split(k, n).total == pytest.approx(0.693, abs=5e-4)
    assert one.total == pytest.approx(1.52, abs=5e-3)


def test_dedup_flattens_what_was_accepted():
    found = selection.deduplicated(floats(3, 1), 8)
    assert (found.first, found.total) == (pytest.approx(0.693, abs=5e-4), pytest.approx(0.837, abs=5e-4))


def test_c6_classes_of_one_sample_each_hide_everything_and_are_called_insufficient():
    """Half of all is accepted, whatever the answer, and each answer is a class of its own."""
    prompts = np.repeat(np.arange(40), 8)
    found = outcomes.given_outcome(np.tile([0, 1], 160), np.ones(320, dtype=np.int64), prompts)
    assert (found.cot_plugin, found.cot, found.resolution) == (0, 0, close(0))
    assert found.outcome == pytest.approx(0.693, abs=5e-4)
    assert found.state == "insufficient"

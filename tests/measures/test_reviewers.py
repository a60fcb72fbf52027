"""Each reader beside the others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reviews.measures.agreement import krippendorff_alpha
from reviews.measures.ratings import Codes
from reviews.measures.reviewers import benjamini_hochberg, gaps_to_peers, leave_one_out, windows_of_alpha

OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


def codes_of(rows, **more):
    items, raters, labels = zip(*rows, strict=True) if rows else ((), (), ())
    return Codes.from_rows(items, raters, labels, **more)


def team(errors, items, generator, readers_an_item=3, rejects=0.4):
    """Items read at random by some of a team who err each at their own rate."""
    truth = generator.random(items) < rejects
    rows = []
    for item in range(items):
        for rater in generator.permutation(len(errors))[:readers_an_item]:
            says = truth[item] ^ (generator.random() < errors[rater])
            rows.append((f"i{item:05}", f"r{rater}", "reject" if says else "accept"))
    return codes_of(rows)


def test_krippendorffs_third_observer_is_the_outlier():
    rows = [
        (f"u{unit:02}", f"o{rater}", None if label == "." else label)
        for rater, row in enumerate(OBSERVERS)
        for unit, label in enumerate(row)
    ]
    alone = [0.714674, 0.704082, 0.867925, 0.675258]
    found = leave_one_out(codes_of(rows), seed=1)
    assert [one.value for one in found] == pytest.approx([alpha - 0.743421 for alpha in alone], abs=1e-6)
    assert {one.state for one in found} == {"too-few"}


rows_of = st.lists(
    st.tuples(
        st.integers(0, 6).map("i{}".format), st.integers(0, 3).map("r{}".format), st.sampled_from("abc")
    ),
    min_size=1,
    max_size=28,
    unique_by=lambda row: row[:2],
)


@settings(deadline=None)
@given(rows_of)
def test_the_difference_is_that_of_two_alphas(rows):
    codes = codes_of(rows)
    whole = krippendorff_alpha(codes.counted(), seed=1).value
    for name, found in zip(codes.rater_names, leave_one_out(codes, seed=1), strict=True):
        rest = krippendorff_alpha(codes_of([row for row in rows if row[1] != name]).counted(), seed=1).value
        if found.value is None:
            shares = any(
                row[0] == other[0] and row[1] != other[1] for row in rows if row[1] == name for other in rows
            )
            assert whole is None or rest is None or not shares
        else:
            assert found.value == pytest.approx(rest - whole, abs=1e-9)


def test_the_careless_reader_stands_out_and_their_interval_is_above_zero():
    codes = team([0.05, 0.05, 0.4, 0.05, 0.05], 600, np.random.default_rng(1))
    found = leave_one_out(codes, seed=1)
    assert [one.low > 0 for one in found] == [False, False, True, False, False]
    assert all(one.low < one.value < one.high for one in found)


def test_a_stricter_reader_has_a_gap_that_the_adjusted_tests_name():
    generator = np.random.default_rng(2)
    codes = team([0.05] * 6, 800, generator)
    stricter = codes.labels.copy()
    own = codes.raters == 4
    stricter[own & (generator.random(len(own)) < 0.25)] = codes.categories.index("reject")
    strict = Codes(**{**codes.__dict__, "labels": stricter})
    found = gaps_to_peers(strict, "accept")
    named = benjamini_hochberg(np.array([gap.p for gap in found])) <= 0.05
    assert named[4]
    assert found[4].gap.high < 0
    assert found[4].gap.value == pytest.approx(found[4].own - found[4].peers)


def test_with_one_rating_a_cluster_the_gap_is_the_paired_t_test():
    generator = np.random.default_rng(3)
    labels = generator.choice(["accept", "reject"], size=(2, 60))
    rows = [(f"i{item:02}", f"r{rater}", labels[rater, item]) for item in range(60) for rater in range(2)]
    gap = gaps_to_peers(codes_of(rows), "accept")[0]
    paired = stats.ttest_rel(labels[0] == "accept", (labels[1] == "accept").astype(float))
    assert gap.p == pytest.approx(paired.pvalue)
    assert (gap.gap.low, gap.gap.high) == pytest.approx(tuple(paired.confidence_interval()))


def test_readers_who_share_nothing_or_little_have_states():
    alone = gaps_to_peers(codes_of([("1", "ada", "accept"), ("2", "ben", "accept")]), "accept")
    assert [(gap.gap.state, gap.p, gap.own) for gap in alone] == [("no-pairs", None, None)] * 2
    few = gaps_to_peers(codes_of([("1", "ada", "accept"), ("1", "ben", "reject")]), "accept")
    assert [(gap.gap.value, gap.gap.state) for gap in few] == [(1, "too-few"), (-1, "too-few")]
    same = codes_of([(f"i{item}", name, "accept") for item in range(40) for name in ("ada", "ben")])
    assert [gap.gap.state for gap in gaps_to_peers(same, "accept")] == ["no-spread"] * 2
    assert [gap.own for gap in gaps_to_peers(same, "maybe")] == [0, 0]
    assert [one.state for one in leave_one_out(same, seed=1)] == ["no-pairs"] * 2


def test_benjamini_and_hochbergs_own_example_rejects_four():
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    adjusted = benjamini_hochberg(np.array(p))
    assert (adjusted <= 0.05).sum() == 4
    assert adjusted == pytest.approx(stats.false_discovery_control(p))
    assert benjamini_hochberg(np.array([])).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_values_are_those_of_scipy(p):
    assert benjamini_hochberg(np.array(p)) == pytest.approx(stats.false_discovery_control(p))


def test_alpha_over_time_is_the_alpha_of_each_stretch():
    codes = team([0.1] * 4, 200, np.random.default_rng(5))
    week = np.arange(200) // 80
    week[:5] = -1
    found = windows_of_alpha(codes, week, seed=1)
    assert [one.window for one in found] == [0, 1, 2]
    rows = codes.items >= 160
    last = Codes.from_rows(
        [codes.item_names[item] for item in codes.items[rows]],
        [codes.rater_names[rater] for rater in codes.raters[rows]],
        [codes.categories[label] for label in codes.labels[rows]],
    )
    assert found[2].alpha.value == pytest.approx(krippendorff_alpha(last.counted(), seed=1).value)
    assert found[2].alpha.n == 40

"""What a second reader would reject, gold by kind of error, rates along a scale, and the same reader again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.formats import ratings_csv
from reviews.measures.errors import UnfitData
from reviews.measures.intervals import clustered_ratio, clustered_wilson
from reviews.measures.kappas import specific_agreement
from reviews.measures.rates import (
    blind_repeats,
    gold_accuracy,
    rate,
    rates_along,
    repeats_of,
    second_reader_rejects,
)
from reviews.measures.ratings import Codes, Ratings


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(18, 20, 0.699, 0.972), (27, 30, 0.744, 0.965), (45, 50, 0.786, 0.957), (95, 100, 0.888, 0.978)],
)
def test_a_rate_has_wilsons_published_interval(hits, trials, low, high):
    found = rate(hits, trials)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-4)
    assert (found.value, found.n, found.state) == (hits / trials, trials, "ok")


def test_of_a_hundred_accepted_traces_a_second_reader_rejects_as_many_as_were_split():
    # Eighty both accept, twenty are split, ten both reject: 180 accepts, 20 of which met a reject.
    accepts = np.array([2] * 80 + [1] * 20 + [0] * 10)
    found = second_reader_rejects(accepts, 2 - accepts)
    assert found.value == pytest.approx(20 / 180)
    assert found.low < 20 / 180 < found.high
    assert (found.n, found.state) == (100, "ok")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_a_second_readers_rejects_are_what_specific_agreement_on_accept_leaves(counts):
    table = np.array(counts)
    found = second_reader_rejects(table[:, 0], table[:, 1])
    ratings = Ratings(table, np.arange(len(table)), False, ("accept", "reject"), 8, int(table.sum()), 0)
    accept = specific_agreement(ratings)["accept"]
    assert (found.value is None) == (accept.value is None)
    if found.value is not None:
        assert found.value == pytest.approx(1 - accept.value)


def test_prompts_and_not_traces_are_counted_where_they_are_given():
    accepts = np.array([2, 2, 2, 2, 1] * 20)
    alone = second_reader_rejects(accepts, 2 - accepts)
    prompts = second_reader_rejects(accepts, 2 - accepts, clusters=np.repeat(np.arange(25), 4))
    few = second_reader_rejects(accepts, 2 - accepts, clusters=np.repeat(np.arange(10), 10))
    assert alone.value == prompts.value == few.value
    assert (prompts.state, few.state, few.low) == ("few-clusters", "too-few", None)
    assert "25 clusters" in prompts.method


def test_nothing_split_is_not_certainty():
    found = second_reader_rejects(np.full(40, 2), np.zeros(40, dtype=np.int64))
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(
        2.022691**2 / (40 + 2.022691**2)
    )  # t with 39 degrees, 40 traces as trials


def test_without_a_second_reader_nothing_is_said():
    for accepts, rejects in (([1, 1], [0, 0]), ([0], [2]), ([], [])):
        found = second_reader_rejects(np.array(accepts, dtype=np.int64), np.array(rejects, dtype=np.int64))
        assert (found.value, found.state) == (None, "no-pairs")
    with pytest.raises(UnfitData, match="expected one row each"):
        second_reader_rejects(np.ones(2, dtype=np.int64), np.ones(1, dtype=np.int64))


def test_whoever_always_accepts_is_right_on_accepts_and_finds_no_reject():
    gold = np.array([False] * 18 + [True] * 2)
    found = gold_accuracy(gold, np.zeros(20, dtype=bool))
    assert (found.right.value, found.accepts_kept.value, found.rejects_found.value) == (0.9, 1, 0)
    one_sided = gold_accuracy(gold[:18], np.zeros(18, dtype=bool))
    assert (one_sided.rejects_found.value, one_sided.rejects_found.state) == (None, "no-trials")


def test_misses_are_told_by_the_depth_of_the_fault():
    depth = np.array([0.05, 0.1, 0.3, 0.5, 0.9, 1.0, np.nan, 1.2])
    missed = np.array([0, 0, 0, 1, 1, 1, 1, 1], dtype=bool)
    found = rates_along(depth, missed, np.array([0, 0.25, 0.5, 1]))
    assert [(one.low, one.high, one.hits, one.rate.n) for one in found] == [
        (0, 0.25, 0, 2),
        (0.25, 0.5, 0, 1),
        (0.5, 1, 3, 3),
    ]
    assert rates_along(depth, missed, np.array([2.0, 3.0]))[0].rate.state == "no-trials"
    with pytest.raises(UnfitData, match="edges must rise"):
        rates_along(depth, missed, np.array([0.0, 0.0]))


def test_a_rate_along_a_scale_counts_sessions_where_they_are_given():
    minutes = np.tile(np.arange(0.0, 60.0), 40)
    accepted = np.random.default_rng(2).random(2400) < 0.5
    sessions = np.repeat(np.arange(40), 60)
    plain = rates_along(minutes, accepted, np.array([0.0, 30, 60]))
    clustered = rates_along(minutes, accepted, np.array([0.0, 30, 60]), clusters=sessions)
    assert [one.rate.value for one in plain] == pytest.approx([one.rate.value for one in clustered])
    assert all("40 clusters" in one.rate.method for one in clustered)


def test_the_same_raters_again_agree_as_the_public_set_says(shared_data):
    name = "convabuse_severity.csv"
    with (shared_data / "agreement" / name).open("rb") as file:
        table = ratings_csv.read(file, name, {"label": "severity"})
        items, raters, labels, occasions, _ = zip(*table, strict=True)
    codes = Codes.from_rows(items, raters, labels, occasions=occasions)
    _, first, again = repeats_of(codes)
    found = blind_repeats(first, again, 5)
    assert (found.agreement.n, found.agreement.value) == (345, pytest.approx(0.9217391304347826, rel=1e-12))
    below = np.array([float(label) < 0 for label in codes.categories]).astype(np.int64)
    assert blind_repeats(below[first], below[again], 2).kappa.value == pytest.approx(
        0.8911703134409681, rel=1e-12
    )


def test_without_repeats_there_is_a_state():
    none = np.array([], dtype=np.int64)
    found = blind_repeats(none, none, 2)
    assert (found.agreement.state, found.kappa.state) == ("no-trials", "no-pairs")
    assert len(repeats_of(Codes.from_rows(["1"], ["ada"], ["a"]))[0]) == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(1, 6)).filter(lambda of: of[0] <= of[1]),
        min_size=1,
        max_size=40,
    )
)
def test_shares_of_trials_have_the_interval_of_whole_ones(clusters):
    hits, trials = (np.array(column) for column in zip(*clusters, strict=True))
    whole = clustered_wilson(hits, trials, sided=2)
    shares = clustered_ratio(hits.astype(float), trials.astype(float))
    assert shares.rate == pytest.approx(whole.rate)
    if whole.low is not None:
        assert (shares.low, shares.high) == pytest.approx((whole.low, whole.high), abs=1e-9)

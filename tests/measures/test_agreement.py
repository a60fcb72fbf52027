"""Observed agreement and Krippendorff's alpha against published tables, public data and their own laws."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from reviews.formats import ratings_csv
from reviews.measures.agreement import krippendorff_alpha, observed_agreement
from reviews.measures.errors import UnfitData
from reviews.measures.ratings import Ratings

# Krippendorff 2011, four observers and twelve units; a dot is a rating that is missing.
OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")

# Fleiss 1971, thirty patients, six raters, five diagnoses: how many chose each.
FLEISS = (
    "00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031 "
    "00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"
)


def ratings_of(rows, **more):
    items, raters, labels = zip(*rows, strict=True) if rows else ((), (), ())
    return Ratings.from_rows(items, raters, labels, **more)


def observers(*chosen):
    return ratings_of(
        [
            (f"u{unit:02}", f"o{rater}", None if label == "." else label)
            for rater in chosen
            for unit, label in enumerate(OBSERVERS[rater])
        ]
    )


def counted(patterns):
    """Ratings where each pattern is the counts of one item's labels a, b, c …"""
    rows = []
    for item, pattern in enumerate(patterns):
        labels = "".join(label * int(times) for label, times in zip("abcdefgh", pattern, strict=False))
        rows += [(f"i{item:05}", f"r{rater}", label) for rater, label in enumerate(labels)]
    return ratings_of(rows)


def two_by_two(both_yes, only_first, only_second, both_no):
    return counted(["20"] * both_yes + ["11"] * (only_first + only_second) + ["02"] * both_no)


@pytest.mark.parametrize(
    ("scale", "alpha"),
    [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107), ("ratio", 0.797403)],
)
def test_krippendorffs_example_with_gaps_has_its_published_alpha_on_every_scale(scale, alpha):
    found = krippendorff_alpha(observers(0, 1, 2, 3), scale=scale, seed=1)
    assert found.value == pytest.approx(alpha, abs=5e-7)
    assert (found.low, found.high, found.state, found.n) == (None, None, "too-few", 11)


def test_krippendorffs_example_has_its_observed_agreement():
    assert observed_agreement(observers(0, 1, 2, 3), seed=1).value == pytest.approx(0.818182, abs=5e-7)


@pytest.mark.parametrize(("without", "alpha"), [(0, 0.714674), (1, 0.704082), (2, 0.867925), (3, 0.675258)])
def test_leaving_out_an_observer_tells_who_lowers_alpha(without, alpha):
    rest = observers(*({0, 1, 2, 3} - {without}))
    assert krippendorff_alpha(rest, seed=1).value == pytest.approx(alpha, abs=5e-7)


def test_fleiss_table_of_1971_has_its_known_alpha():
    ratings = counted(FLEISS.split())
    assert ratings.counts.sum(axis=0).tolist() == [26, 26, 30, 55, 43]
    assert krippendorff_alpha(ratings, seed=1).value == pytest.approx(0.433410, abs=5e-7)


@pytest.mark.parametrize(
    ("table", "observed", "alpha"),
    [
        ((40, 9, 6, 45), 0.85, 0.7008),
        ((80, 10, 5, 5), 0.85, 0.3177),
        ((45, 15, 25, 15), 0.60, 0.1253),
        ((25, 35, 5, 35), 0.60, 0.1960),
        ((118, 5, 2, 0), 0.944, -0.0247),
    ],
)
def test_feinstein_and_cicchettis_tables_have_equal_agreement_and_different_alpha(table, observed, alpha):
    ratings = two_by_two(*table)
    assert observed_agreement(ratings, seed=1).value == pytest.approx(observed, abs=1e-12)
    assert krippendorff_alpha(ratings, seed=1).value == pytest.approx(alpha, abs=5e-5)


@pytest.mark.parametrize(("prevalence", "alpha"), [(0.5, 0.64), (0.2, 0.53), (0.1, 0.39)])
def test_raters_who_are_right_nine_times_of_ten_reach_less_alpha_where_rejects_are_rare(prevalence, alpha):
    both_yes = round(10_000 * (prevalence * 0.81 + (1 - prevalence) * 0.01))
    ratings = two_by_two(both_yes, 900, 900, 8200 - both_yes)
    assert krippendorff_alpha(ratings, seed=1).value == pytest.approx(alpha, abs=0.005)


@pytest.fixture
def published():
    """Ratings and measured values of a public data set, by the name of its file."""
    if not (folder := os.environ.get("WINNOW_TEST_DATA")):
        pytest.skip("needs the test data: set WINNOW_TEST_DATA to its folder")
    expected = json.loads((Path(folder) / "expected.json").read_text())

    def load(name, columns=None):
        with (Path(folder) / "agreement" / name).open("rb") as file:
            items, raters, labels, occasions, _ = zip(*ratings_csv.read(file, name, columns), strict=True)
        return Ratings.from_rows(items, raters, labels, occasions=occasions), expected[f"agreement/{name}"][
            "measured"
        ]

    return load


@pytest.mark.parametrize("name", ["dices350_overall.csv", "pandalm_testset_v1.csv"])
def test_public_ratings_have_the_alpha_and_agreement_that_others_measured(published, name):
    ratings, measured = published(name)
    alpha, observed = krippendorff_alpha(ratings, seed=1), observed_agreement(ratings, seed=1)
    assert alpha.value == pytest.approx(measured["krippendorff_alpha_nominal"], rel=1e-12)
    assert observed.value == pytest.approx(measured["percent_agreement_item_mean"], rel=1e-12)
    assert (len(ratings.counts), ratings.raters, ratings.ratings) == tuple(
        measured[name] for name in ("items", "raters", "ratings")
    )
    for found in (alpha, observed):
        assert found.low < found.value < found.high
        assert found.state == "ok"


def test_repeated_ratings_by_the_same_rater_are_left_out_and_counted(published):
    ratings, measured = published("convabuse_severity.csv", {"label": "severity"})
    assert (ratings.ratings, ratings.later) == (measured["ratings"], 357)
    assert (
        dict(zip(ratings.categories, ratings.counts.sum(axis=0).tolist(), strict=True))
        == measured["marginals"]
    )
    for scale, key in (
        ("nominal", "krippendorff_alpha_nominal"),
        ("ordinal", "krippendorff_alpha_ordinal_severity"),
        ("interval", "krippendorff_alpha_interval_severity"),
    ):
        found = krippendorff_alpha(ratings, scale=scale, seed=1)
        assert found.value == pytest.approx(measured[key], rel=1e-12)
        assert found.low < found.value < found.high
    observed = observed_agreement(ratings, seed=1)
    assert observed.value == pytest.approx(measured["percent_agreement_item_mean"], rel=1e-12)


def test_the_occasion_and_not_the_position_says_which_rating_was_first():
    rows = [("1", "ada", "No"), ("1", "ada", "Yes"), ("1", "bob", "Yes")]
    assert observed_agreement(ratings_of(rows, occasions=[2, 1, 1]), seed=1).value == 1
    assert observed_agreement(ratings_of(rows), seed=1).value == 0
    assert ratings_of(rows).later == 1


@pytest.mark.parametrize(
    ("patterns", "observed_state", "alpha_state"),
    [
        ([], "no-pairs", "no-pairs"),
        (["10", "01"], "no-pairs", "no-pairs"),
        (["2", "3", "01"], "too-few", "one-category"),
    ],
)
def test_data_that_cannot_tell_have_no_value_but_a_named_state(patterns, observed_state, alpha_state):
    ratings = counted(patterns)
    observed, alpha = observed_agreement(ratings, seed=1), krippendorff_alpha(ratings, seed=1)
    assert (observed.state, alpha.state) == (observed_state, alpha_state)
    assert alpha.value is None


def test_everyone_agreeing_gives_no_interval_of_width_zero():
    ratings = counted(["20"] * 30 + ["02"] * 30)
    observed, alpha = observed_agreement(ratings, seed=1), krippendorff_alpha(ratings, seed=1)
    assert (observed.value, observed.high, observed.state) == (1, 1, "ok")
    assert observed.low == pytest.approx(60 / (60 + 1.959964**2))
    assert (alpha.value, alpha.low, alpha.high, alpha.state) == (1, None, None, "no-spread")


def test_a_label_that_most_replicates_miss_makes_the_interval_unstable():
    found = krippendorff_alpha(counted(["20"] * 99 + ["11"]), seed=1)
    assert found.value == pytest.approx(0, abs=0.01)
    assert (found.low, found.high, found.state) == (None, None, "unstable")


def test_intervals_begin_at_thirty_items_and_twenty_clusters():
    items = [f"i{number:02}" for number in range(60)]
    labels = np.random.default_rng(5).choice(["a", "b"], size=(2, 60)).ravel().tolist()
    raters = ["ada"] * 60 + ["bob"] * 60
    assert observed_agreement(counted(["11", "20"] * 14 + ["02"]), seed=1).state == "too-few"
    assert observed_agreement(counted(["11", "20"] * 14 + ["02"] * 2), seed=1).state == "ok"
    for clusters, state in ((19, "too-few"), (20, "few-clusters"), (30, "ok")):
        names = [f"p{number % clusters}" for number in range(60)] * 2
        ratings = Ratings.from_rows(items * 2, raters, labels, cluster_ids=names)
        found = krippendorff_alpha(ratings, seed=1)
        assert found.state == state
        assert (found.low is None) == (state == "too-few")
        assert f"{clusters} clusters" in found.method


def test_words_need_an_order_and_with_it_read_like_their_ranks():
    words = {"1": "low", "2": "some", "3": "much", "4": "high", "5": "full"}
    worded = ratings_of(
        [
            (f"u{unit}", f"o{rater}", words.get(label))
            for rater, row in enumerate(OBSERVERS)
            for unit, label in enumerate(row)
        ]
    )
    for scale, alpha in (("ordinal", 0.815388), ("interval", 0.849107)):
        found = krippendorff_alpha(worded, scale=scale, order=list(words.values()), seed=1)
        assert found.value == pytest.approx(alpha, abs=5e-7)
    with pytest.raises(UnfitData, match="needs their order, lowest first"):
        krippendorff_alpha(worded, scale="ordinal", seed=1)
    with pytest.raises(UnfitData, match="lacks the label 'full'"):
        krippendorff_alpha(worded, scale="ordinal", order=["low", "some", "much", "high"], seed=1)
    with pytest.raises(UnfitData, match="needs labels that are numbers"):
        krippendorff_alpha(worded, scale="ratio", order=list(words.values()), seed=1)


def test_scales_refuse_labels_that_they_cannot_hold():
    negative = ratings_of([("1", "ada", "-1"), ("1", "bob", "2")])
    with pytest.raises(UnfitData, match="no numbers below 0"):
        krippendorff_alpha(negative, scale="ratio", seed=1)
    comments = ratings_of([("1", f"r{number}", str(number)) for number in range(41)])
    with pytest.raises(UnfitData, match="41 different labels"):
        krippendorff_alpha(comments, scale="ordinal", seed=1)
    with pytest.raises(UnfitData, match="different lengths"):
        Ratings.from_rows(["1"], ["ada"], [])
    with pytest.raises(UnfitData, match="item '1' is in two clusters"):
        Ratings.from_rows(["1", "1"], ["ada", "bob"], ["a", "a"], cluster_ids=["p", "q"])


def test_one_number_written_in_two_ways_is_one_value_where_numbers_count():
    ratings = ratings_of([("1", "ada", "1"), ("1", "bob", "1.0"), ("2", "ada", "2"), ("2", "bob", "2")])
    for scale in ("ordinal", "interval", "ratio"):
        assert krippendorff_alpha(ratings, scale=scale, seed=1).value == 1

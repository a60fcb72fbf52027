"""Dawid and Skene's own patients, and what the model finds where the truth is known."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviews.formats import ratings_csv
from reviews.measures.dawid_skene import errors_against_others, fit
from reviews.measures.ratings import Codes

# Dawid & Skene 1979, table 1: 45 patients, five anaesthetists, the first of whom read each form three times.
FIRST = (
    "111333112222222222122333222232444222111222121111111111222222222222222221111111232111111112111333111222222433"
    "221232333111111121232121222"
)
OTHERS = (
    "142333232243131211212232112111131234233112212",
    "131123142243121111232222112111121223224111212",
    "132222132244111111222222112112131234333111212",
    "142122133343121111122122112111131223232111212",
)


def patients():
    rows = [(f"{item // 3 + 1:02}", "1", label, item % 3) for item, label in enumerate(FIRST)]
    rows += [
        (f"{item + 1:02}", str(rater), label, 0)
        for rater, labels in enumerate(OTHERS, start=2)
        for item, label in enumerate(labels)
    ]
    items, raters, labels, occasions = zip(*rows, strict=True)
    return Codes.from_rows(items, raters, labels, occasions=occasions)


def test_the_patients_of_1979_have_their_published_shares_and_confusions():
    model = fit(patients())
    assert model.state == "ok"
    assert model.shares == pytest.approx([0.3996, 0.4220, 0.1118, 0.0667], abs=5e-5)
    assert model.log_likelihood == pytest.approx(-192.8909, abs=5e-5)
    assert model.confusion[0] == pytest.approx(
        np.array(
            [[0.889, 0.111, 0, 0], [0.071, 0.876, 0.053, 0], [0, 0.339, 0.661, 0], [0, 0, 0.556, 0.444]]
        ),
        abs=5e-4,
    )
    assert model.confusion[1] == pytest.approx(
        np.array([[0.834, 0.166, 0, 0], [0.053, 0.633, 0.314, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), abs=5e-4
    )
    likeliest = model.posterior.argmax(axis=1)
    assert np.bincount(likeliest).tolist() == [18, 19, 5, 3]
    assert (likeliest[[1, 11, 35]] + 1).tolist() == [4, 3, 4]  # where the majority says 3, 2, 3


def test_the_file_of_the_patients_gives_the_same(shared_data):
    name = "anaesthesia_dawid_skene_1979.csv"
    with (shared_data / "agreement" / name).open("rb") as file:
        items, raters, labels, occasions, _ = zip(*ratings_csv.read(file, name), strict=True)
    codes = Codes.from_rows(items, raters, labels, occasions=occasions)
    measured = json.loads((shared_data / "expected.json").read_text())[f"agreement/{name}"]["measured"]
    model = fit(codes)
    assert model.log_likelihood == pytest.approx(measured["log_likelihood"], abs=5e-5)
    assert model.shares == pytest.approx(measured["class_marginals"], abs=5e-5)
    assert model.confusion[0] == pytest.approx(np.array(measured["rater1_error_matrix"]), abs=5e-4)
    likeliest = dict(zip(codes.item_names, model.posterior.argmax(axis=1) + 1, strict=True))
    assert [likeliest[str(item)] for item in range(1, 46)] == measured["classes"]


def made(items, errors, generator, raters_an_item=None, labels=2):
    """Codes and truth of raters who err evenly, each with their own rate."""
    truth = generator.integers(0, labels, items)
    rows = []
    for item in range(items):
        chosen = (
            range(len(errors))
            if raters_an_item is None
            else generator.permutation(len(errors))[:raters_an_item]
        )
        for rater in chosen:
            wrong = generator.random() < errors[rater]
            label = (truth[item] + generator.integers(1, labels)) % labels if wrong else truth[item]
            rows.append((f"i{item:05}", f"r{rater}", "abcd"[label]))
    return Codes.from_rows(*zip(*rows, strict=True)), truth


def test_the_model_finds_the_truth_the_errors_and_the_careless_reader():
    codes, truth = made(2000, [0.05, 0.1, 0.1, 0.3, 0.15], np.random.default_rng(4), labels=3)
    model = fit(codes)
    assert np.mean(model.posterior.argmax(axis=1) == truth) > 0.98
    assert model.errors == pytest.approx([0.05, 0.1, 0.1, 0.3, 0.15], abs=0.03)
    found = errors_against_others(codes, seed=1)
    assert [one.state for one in found] == ["ok"] * 5
    assert max(found, key=lambda one: one.value) is found[3]
    assert all(one.low < one.value < one.high for one in found)


def test_gaps_are_allowed_and_items_with_two_raters_are_left_out():
    codes, _ = made(300, [0.1] * 6, np.random.default_rng(5), raters_an_item=3)
    two, _ = made(100, [0.1] * 2, np.random.default_rng(6))
    names = [*codes.item_names, *(f"x{name}" for name in two.item_names)]
    both = Codes.from_rows(
        [
            *(codes.item_names[item] for item in codes.items),
            *(f"x{two.item_names[item]}" for item in two.items),
        ],
        [
            *(codes.rater_names[rater] for rater in codes.raters),
            *(two.rater_names[rater] for rater in two.raters),
        ],
        [*("abcd"[label] for label in codes.labels), *("abcd"[label] for label in two.labels)],
    )
    model, alone = fit(both), fit(codes)
    assert (len(names), model.used.sum()) == (400, 300)
    assert model.log_likelihood == pytest.approx(alone.log_likelihood)
    assert [one.state for one in errors_against_others(codes, seed=1)] == ["two-others"] * 6


def test_without_three_raters_an_item_there_is_a_state_and_no_model():
    codes, _ = made(50, [0.1, 0.1], np.random.default_rng(7))
    assert fit(codes).state == "needs-three-raters"
    assert np.isnan(fit(codes).errors).all()
    assert [one.state for one in errors_against_others(codes, seed=1)] == ["no-pairs"] * 2
    assert fit(Codes.from_rows([], [], [])).state == "needs-three-raters"


def test_more_raters_than_fifty_have_no_model():
    assert fit(Codes.from_rows(["1"] * 51, [str(number) for number in range(51)], ["a"] * 51)) is None


def test_one_label_only_is_certain_and_not_an_error():
    rows = [(f"i{item}", f"r{rater}", "a") for item in range(4) for rater in range(3)]
    model = fit(Codes.from_rows(*zip(*rows, strict=True)))
    assert (model.log_likelihood, model.shares.tolist()) == (0, [1])


ratings = st.lists(
    st.tuples(
        st.integers(0, 12).map("i{:02}".format),
        st.integers(0, 4).map("r{}".format),
        st.sampled_from("abc"),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=60,
)


@settings(deadline=None, max_examples=60)
@given(ratings)
def test_the_likelihood_never_falls_and_every_row_is_a_distribution(rows):
    items, raters, labels, occasions = zip(*rows, strict=True)
    model = fit(Codes.from_rows(items, raters, labels, occasions=occasions))
    if model.state == "needs-three-raters":
        return
    assert np.diff(model.history).min(initial=0) > -1e-9
    assert model.posterior.sum(axis=1) == pytest.approx(1)
    assert model.shares.sum() == pytest.approx(1)
    known = model.confusion[~np.isnan(model.confusion).any(axis=2)]
    assert known.sum(axis=1) == pytest.approx(1)


@settings(deadline=None, max_examples=40)
@given(ratings, st.randoms(), st.integers(2, 3))
def test_order_changes_nothing_and_copies_of_all_items_only_the_likelihood(rows, random, times):
    def model_of(some):
        items, raters, labels, occasions = zip(*some, strict=True)
        return fit(Codes.from_rows(items, raters, labels, occasions=occasions))

    one = model_of(rows)
    # Two ratings of one rater and occasion keep their order; shuffled, either may be the first.
    other = model_of(random.sample(rows, len(rows)))
    if one.state == "needs-three-raters":
        return
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-9)
    copies = model_of([(f"{item}-{copy}", *rest) for copy in range(times) for item, *rest in rows])
    if len(copies.history) == len(one.history):  # the step that stops it may be another one
        assert copies.log_likelihood == pytest.approx(times * one.log_likelihood, abs=1e-6)
        assert copies.shares == pytest.approx(one.shares, abs=1e-6)

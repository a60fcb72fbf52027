"""Kappas, AC and specific agreement against published tables, public data and their own laws."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviews.formats import ratings_csv
from reviews.measures.agreement import krippendorff_alpha
from reviews.measures.cohen import cohen_kappas, kappa_of
from reviews.measures.errors import UnfitData
from reviews.measures.kappas import brennan_prediger, fleiss_kappa, gwet_ac, scott_pi, specific_agreement
from reviews.measures.ratings import Codes, Ratings
from reviews.measures.scales import steps, weights

OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
FLEISS = (
    "00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031 "
    "00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"
)
# Ten subjects, fourteen raters, five categories: the worked example of the English Wikipedia's page on Fleiss' kappa.
WIKIPEDIA = (
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
)  # fmt: skip

COEFFICIENTS = (fleiss_kappa, gwet_ac, brennan_prediger)


def codes_of(rows, **more):
    items, raters, labels = zip(*rows, strict=True) if rows else ((), (), ())
    return Codes.from_rows(items, raters, labels, **more)


def counted(patterns, raters=None):
    """Ratings where each pattern is the counts of one item's labels."""
    counts = np.array(patterns, dtype=np.int64)
    names = tuple("abcdefgh"[: counts.shape[1]])
    many = int(counts.sum(axis=1).max(initial=0)) if raters is None else raters
    return Ratings(counts, np.arange(len(counts)), False, names, many, int(counts.sum()), 0)


def two_by_two(a, b, c, d):
    return counted([[2, 0]] * a + [[1, 1]] * (b + c) + [[0, 2]] * d)


def observers():
    rows = [
        (f"u{unit:02}", f"o{rater}", None if label == "." else label)
        for rater, row in enumerate(OBSERVERS)
        for unit, label in enumerate(row)
    ]
    return codes_of(rows)


def test_krippendorffs_example_has_the_coefficients_that_irrcac_gives():
    found = [coefficient(observers().counted(), seed=1).value for coefficient in COEFFICIENTS]
    assert found == pytest.approx([0.761169, 0.775444, 0.772727], abs=5e-7)


@pytest.mark.parametrize(
    ("scale", "fleiss", "gwet", "brennan"),
    [
        (
            "ordinal",
            0.85021,
            0.89894,
            0.88636,
        ),  # these weights are not Krippendorff's: with them alpha is .83364
        ("interval", 0.86494, 0.91400, 0.90152),  # irrCAC calls it quadratic
        ("ratio", 0.82134, 0.85737, 0.84024),
    ],
)
def test_the_weighted_forms_are_those_of_irrcac(scale, fleiss, gwet, brennan):
    found = [coefficient(observers().counted(), scale=scale, seed=1).value for coefficient in COEFFICIENTS]
    assert found == pytest.approx([fleiss, gwet, brennan], abs=5.1e-6)


def test_fleiss_table_of_1971_has_its_published_kappa():
    ratings = counted([list(map(int, row)) for row in FLEISS.split()])
    found = [coefficient(ratings, seed=1) for coefficient in COEFFICIENTS]
    assert [one.value for one in found] == pytest.approx([0.430245, 0.44788, 0.444444], abs=5e-6)
    # Thirty items: the first number of items with an interval. irrCAC's standard error of AC1 is .05566.
    assert (found[1].high - found[1].low) / 2 / 1.96 == pytest.approx(0.05566, abs=0.005)


def test_the_worked_example_of_ten_subjects_has_its_kappa_and_no_interval():
    found = fleiss_kappa(counted(WIKIPEDIA), seed=1)
    assert found.value == pytest.approx(0.209931, abs=5e-7)
    assert (found.low, found.high, found.state) == (None, None, "too-few")


@pytest.mark.parametrize(
    ("table", "kappa", "error", "pi", "ac1", "pabak", "positive", "negative"),
    [
        ((40, 9, 6, 45), 0.6995, 0.0714, 0.6992, 0.7007, 0.70, 0.842, 0.857),
        ((80, 10, 5, 5), 0.3182, 0.1335, 0.3143, 0.8080, 0.70, 0.914, 0.400),
        ((45, 15, 25, 15), 0.1304, None, 0.1209, 0.2661, 0.20, None, None),
        ((25, 35, 5, 35), 0.2593, None, 0.1919, 0.2079, 0.20, 0.556, 0.636),
        ((118, 5, 2, 0), -0.0234, None, -0.0288, 0.9408, 0.888, 0.971, 0),
    ],
)
def test_feinstein_and_cicchettis_tables_have_every_coefficient(
    table, kappa, error, pi, ac1, pabak, positive, negative
):
    a, b, c, d = table
    cohen, ratings = kappa_of(np.array([[a, b], [c, d]])), two_by_two(*table)
    assert cohen.value == pytest.approx(kappa, abs=5e-5)
    if error:
        assert (cohen.high - cohen.low) / 2 / 1.959964 == pytest.approx(error, abs=5e-5)
    found = [coefficient(ratings, seed=1).value for coefficient in (scott_pi, gwet_ac, brennan_prediger)]
    assert found == pytest.approx([pi, ac1, pabak], abs=5e-5)
    specific = specific_agreement(ratings)
    for label, value in (("a", positive), ("b", negative)):
        assert value is None or specific[label].value == pytest.approx(value, abs=5e-4)


def test_ac1_is_high_where_nobody_ever_agrees_on_the_rare_label_and_specific_agreement_says_so():
    ratings = two_by_two(118, 5, 2, 0)
    reject = specific_agreement(ratings)["b"]
    assert gwet_ac(ratings, seed=1).value > 0.94
    assert (reject.value, reject.low, reject.high, reject.n, reject.state) == (0, None, None, 7, "too-few")


def load(folder, name, columns=None):
    with (folder / "agreement" / name).open("rb") as file:
        items, raters, labels, occasions, _ = zip(*ratings_csv.read(file, name, columns), strict=True)
    measured = json.loads((folder / "expected.json").read_text())[f"agreement/{name}"]["measured"]
    return Codes.from_rows(items, raters, labels, occasions=occasions), measured


def test_dices_and_pandalm_have_the_coefficients_that_others_measured(shared_data):
    for name in ("dices350_overall.csv", "pandalm_testset_v1.csv"):
        codes, measured = load(shared_data, name)
        ratings = codes.counted()
        assert fleiss_kappa(ratings, seed=1).value == pytest.approx(measured["fleiss_kappa"], rel=1e-12)
        assert gwet_ac(ratings, seed=1).value == pytest.approx(measured["gwet_ac1"], rel=1e-12)
    pairs = cohen_kappas(codes)
    expected = [measured[f"cohen_kappa_{pair}"] for pair in ("12", "13", "23")]
    assert [pair.kappa.value for pair in pairs] == pytest.approx(expected, rel=1e-12)
    assert [round(pair.kappa.value, 4) for pair in pairs] == [0.8520, 0.8789, 0.8617]
    assert all(pair.kappa.low < pair.kappa.value < pair.kappa.high for pair in pairs)


def test_convabuse_has_its_ac1_by_first_occasions(shared_data):
    codes, measured = load(shared_data, "convabuse_severity.csv", {"label": "severity"})
    assert gwet_ac(codes.counted(), seed=1).value == pytest.approx(measured["gwet_ac1"], rel=1e-12)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_data_that_cannot_tell_have_a_named_state_and_no_value(coefficient):
    for patterns, state in (
        (np.zeros((0, 0)), "no-pairs"),
        ([[1, 0], [0, 1]], "no-pairs"),
        ([[2, 0], [3, 0]], "one-category"),
        ([[2, 0], [3, 0], [0, 1]], "one-category"),
        ([[2]], "one-category"),
    ):
        found = coefficient(counted(patterns), seed=1)
        assert (found.value, found.low, found.high, found.state) == (None, None, None, state)


def test_a_pair_that_cannot_tell_has_a_named_state_and_no_value():
    rows = [("1", "ada", "a"), ("2", "ben", "a"), ("3", "cy", "a"), ("3", "dan", "a"), ("4", "dan", "b")]
    states = {pair.raters: pair.kappa.state for pair in cohen_kappas(codes_of(rows))}
    assert states[("ada", "ben")] == "no-pairs"
    assert states[("cy", "dan")] == "one-category"
    assert kappa_of(np.diag([20, 20])).state == "no-spread"
    assert scott_pi(counted([[2, 1]]), seed=1).state == "not-two-raters"
    assert cohen_kappas(codes_of([("1", f"r{number}", "a") for number in range(201)])) is None
    assert cohen_kappas(codes_of([])) == []


def test_a_label_on_single_ratings_only_is_never_given_twice():
    found = specific_agreement(counted([[2, 0], [1, 0], [0, 1]]))
    assert (found["b"].value, found["b"].state) == (None, "never-given")
    assert found["a"].value == 1


def test_too_many_labels_are_refused():
    wide = np.zeros((2, 1001), dtype=np.int64)
    wide[:, 0] = 2
    ratings = Ratings(wide, np.arange(2), False, tuple(map(str, range(1001))), 2, 4, 0)
    with pytest.raises(UnfitData, match="1001 different labels"):
        fleiss_kappa(ratings, seed=1)


def test_weights_count_a_near_miss_as_part_of_an_agreement():
    values, _ = steps(("1", "2", "3", "5"), "interval", None)
    assert weights(values, "nominal").tolist() == np.eye(4).tolist()
    assert weights(values, "ordinal")[0] == pytest.approx([1, 5 / 6, 1 / 2, 0])
    assert weights(values, "interval")[0] == pytest.approx([1, 15 / 16, 12 / 16, 0])
    assert weights(values, "ratio")[0] == pytest.approx([1, 0.75, 0.4375, 0])
    assert weights(values[:1], "interval").tolist() == [[1]]
    # Cohen 1968: with two labels every weight is the plain kappa; with more, near misses raise it.
    table = np.array([[20, 5, 0], [4, 20, 5], [0, 5, 20]])
    near = kappa_of(table, weights(np.arange(3.0), "interval"))
    assert near.value > kappa_of(table).value
    squared = 1 - (14 + 5) / 79 / (
        ((table.sum(1)[:, None] * table.sum(0)) * (np.subtract.outer(range(3), range(3)) ** 2)).sum() / 79**2
    )
    assert near.value == pytest.approx(squared)


def test_kappas_of_clusters_of_one_item_are_those_of_the_items():
    generator = np.random.default_rng(3)
    rows = [
        (f"i{item:03}", f"r{rater}", generator.choice(list("ab"))) for item in range(80) for rater in range(3)
    ]
    alone, clustered = (
        cohen_kappas(codes_of(rows, cluster_ids=clusters))
        for clusters in (None, [item for item, _, _ in rows])
    )
    for one, other in zip(alone, clustered, strict=True):
        assert one.kappa.value == other.kappa.value
        assert other.kappa.high - other.kappa.low == pytest.approx(
            (one.kappa.high - one.kappa.low) * np.sqrt(80 / 79) * 1.990450 / 1.959964, rel=1e-5
        )


tables = st.lists(
    st.tuples(
        st.integers(0, 9).map("i{}".format), st.integers(0, 4).map("r{}".format), st.sampled_from("1235")
    ),
    max_size=40,
    unique_by=lambda row: row[:2],
)


def values_of(rows, **more):
    ratings = codes_of(rows, **more).counted()
    return [coefficient(ratings, seed=2).value for coefficient in COEFFICIENTS] + [
        specific_agreement(ratings)[label].value if label in ratings.categories else None for label in "1235"
    ]


def same(one, other):
    return all(
        a == b or (a is not None and b is not None and abs(a - b) < 1e-9)
        for a, b in zip(one, other, strict=True)
    )


@settings(deadline=None)
@given(tables, st.randoms())
def test_the_order_of_rows_and_the_names_of_raters_and_items_change_nothing(rows, random):
    renamed = [(f"x{9 - int(item[1])}", f"y{9 - int(rater[1])}", label) for item, rater, label in rows]
    assert values_of(random.sample(rows, len(rows))) == values_of(rows)
    assert same(values_of(renamed), values_of(rows))


@settings(deadline=None)
@given(tables, st.permutations("1235"))
def test_relabelling_only_moves_the_labels(rows, names):
    other = dict(zip("1235", names, strict=True))
    before, after = values_of(rows), values_of([(item, rater, other[label]) for item, rater, label in rows])
    assert same(before[:3], after[:3])
    assert same(before[3:], [after[3 + "1235".index(other[label])] for label in "1235"])


@settings(deadline=None)
@given(tables, st.integers(2, 3))
def test_the_same_items_several_times_over_keep_every_coefficient(rows, times):
    copies = [(f"{item}-{copy}", rater, label) for copy in range(times) for item, rater, label in rows]
    assert same(values_of(rows), values_of(copies))
    kappas = [[pair.kappa.value for pair in cohen_kappas(codes_of(some))] for some in (rows, copies)]
    assert same(*kappas)


@settings(deadline=None)
@given(st.lists(st.sampled_from("123"), min_size=2, max_size=20).filter(lambda labels: len(set(labels)) > 1))
def test_perfect_agreement_on_two_or_more_labels_is_one(labels):
    rows = [(f"i{item}", f"r{rater}", label) for item, label in enumerate(labels) for rater in range(3)]
    assert values_of(rows)[:3] == [1, 1, 1]
    assert {pair.kappa.value for pair in cohen_kappas(codes_of(rows))} == {1}
    assert {found.value for found in specific_agreement(codes_of(rows).counted()).values()} == {1}


@settings(deadline=None)
@given(tables)
def test_scotts_pi_is_alpha_without_its_correction_for_few_ratings(rows):
    pairs = [row for row in rows if row[1] in ("r0", "r1")]
    both = {item for item, _, _ in pairs if sum(other == item for other, _, _ in pairs) == 2}
    ratings = codes_of([row for row in pairs if row[0] in both]).counted()
    pi, alpha = scott_pi(ratings, seed=1).value, krippendorff_alpha(ratings, seed=1).value
    if pi is not None:
        assert 1 - alpha == pytest.approx((1 - pi) * (1 - 1 / ratings.ratings))

"""Laws that observed agreement and alpha obey on any data, and how often their intervals hold the truth."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviews.measures.agreement import krippendorff_alpha, observed_agreement
from reviews.measures.ratings import Ratings


def ratings_of(rows, **more):
    items, raters, labels = zip(*rows, strict=True) if rows else ((), (), ())
    return Ratings.from_rows(items, raters, labels, **more)


tables = st.lists(
    st.tuples(
        st.integers(0, 7).map("i{}".format), st.integers(0, 4).map("r{}".format), st.sampled_from("1235")
    ),
    max_size=30,
    unique_by=lambda row: row[:2],
)


def outcome(ratings, scale="nominal", seed=3):
    return observed_agreement(ratings, seed=seed), krippendorff_alpha(ratings, scale=scale, seed=seed)


@settings(deadline=None)
@given(tables, st.sampled_from(["nominal", "ordinal", "interval", "ratio"]))
def test_alpha_is_what_its_definition_over_all_pairs_gives(rows, scale):
    units = {}
    for item, _, label in rows:
        units.setdefault(item, []).append(int(label))
    units = [unit for unit in units.values() if len(unit) >= 2]
    pool = [label for unit in units for label in unit]

    def distance(one, other):
        low, high = min(one, other), max(one, other)
        between = sum(low <= label <= high for label in pool) - (pool.count(low) + pool.count(high)) / 2
        return {
            "nominal": one != other,
            "ordinal": between**2 if one != other else 0,
            "interval": (one - other) ** 2,
            "ratio": ((one - other) / (one + other)) ** 2,
        }[scale]

    found = krippendorff_alpha(ratings_of(rows), scale=scale, seed=1)
    if len(set(pool)) < 2:
        assert found.value is None
    else:
        within = sum(
            sum(distance(*pair) for pair in permutations(unit, 2)) / (len(unit) - 1) for unit in units
        )
        overall = sum(distance(*pair) for pair in permutations(pool, 2)) / (len(pool) - 1)
        assert found.value == pytest.approx(1 - within / overall, abs=1e-9)


@settings(deadline=None)
@given(tables, st.randoms())
def test_the_order_of_rows_and_the_names_of_raters_and_items_change_nothing(rows, random):
    renamed = [(f"x{9 - int(item[1])}", f"y{9 - int(rater[1])}", label) for item, rater, label in rows]
    shuffled = random.sample(rows, len(rows))
    assert outcome(ratings_of(shuffled), "ordinal") == outcome(ratings_of(rows), "ordinal")
    for found, again in zip(outcome(ratings_of(rows)), outcome(ratings_of(renamed)), strict=True):
        assert found.value == again.value or found.value == pytest.approx(again.value, abs=1e-12)


@settings(deadline=None)
@given(tables, st.permutations("1235"))
def test_relabelling_changes_nothing_on_a_nominal_scale(rows, names):
    other = dict(zip("1235", names, strict=True))
    relabelled = [(item, rater, other[label]) for item, rater, label in rows]
    for found, again in zip(outcome(ratings_of(rows)), outcome(ratings_of(relabelled)), strict=True):
        assert found.value == again.value or found.value == pytest.approx(again.value, abs=1e-12)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from("1235"), min_size=2, max_size=20).filter(lambda labels: len(set(labels)) > 1),
    st.integers(2, 4),
    st.sampled_from(["nominal", "ordinal", "interval", "ratio"]),
)
def test_perfect_agreement_on_two_or_more_labels_is_one_on_every_scale(labels, raters, scale):
    rows = [(f"i{item}", f"r{rater}", label) for item, label in enumerate(labels) for rater in range(raters)]
    observed, alpha = outcome(ratings_of(rows), scale)
    assert (observed.value, alpha.value) == (1, 1)


@settings(deadline=None)
@given(tables, st.integers(2, 3))
def test_the_same_clusters_several_times_over_keep_the_observed_agreement(rows, times):
    copies = [(f"{item}-{copy}", rater, label) for copy in range(times) for item, rater, label in rows]
    once, again = (observed_agreement(ratings_of(some), seed=1).value for some in (rows, copies))
    assert once == again or once == pytest.approx(again, abs=1e-12)


def test_the_same_seed_gives_the_same_interval_whatever_the_order_of_the_rows():
    generator = np.random.default_rng(8)
    rows = [
        (f"i{item}", f"r{rater}", generator.choice(list("123"))) for item in range(60) for rater in range(3)
    ]
    shuffled = [rows[place] for place in generator.permutation(len(rows))]
    clusters = [[f"p{int(item[1:]) // 2}" for item, _, _ in some] for some in (rows, shuffled)]
    for scale in ("nominal", "ordinal"):
        first, second = (
            outcome(ratings_of(some, cluster_ids=names), scale)
            for some, names in zip((rows, shuffled), clusters, strict=True)
        )
        assert first == second
    assert outcome(ratings_of(rows), seed=3) != outcome(ratings_of(rows), seed=4)


def test_clusters_of_one_item_each_are_the_items_themselves():
    generator = np.random.default_rng(9)
    rows = [
        (f"i{item:02}", f"r{rater}", generator.choice(list("12"))) for item in range(40) for rater in range(2)
    ]
    alone = krippendorff_alpha(ratings_of(rows), seed=1)
    clustered = krippendorff_alpha(ratings_of(rows, cluster_ids=[item for item, _, _ in rows]), seed=1)
    assert (alone.low, alone.high) == (clustered.low, clustered.high)


def test_with_clustered_doubles_an_interval_over_items_misses_more_often_than_one_over_prompts():
    # One prompt in four is hard and its readers guess. The labels are even, so chance agreement is one half.
    prompts, traces, simulations = 100, 8, 200
    wrong = np.array([0.05, 0.05, 0.05, 0.5])
    alpha = 1 - np.mean(2 * wrong * (1 - wrong)) / 0.5
    prompt_of = np.repeat(np.arange(prompts), traces)
    generator = np.random.default_rng(15)
    covered = {"items": 0, "prompts": 0}
    for _ in range(simulations):
        error = generator.choice(wrong, size=prompts)[prompt_of]
        truth = generator.random(len(prompt_of)) < 0.5
        yes = sum((truth ^ (generator.random(len(prompt_of)) < error)).astype(int) for _ in range(2))
        counts = np.column_stack([yes, 2 - yes])
        for unit, clusters in (("items", np.arange(len(counts))), ("prompts", prompt_of)):
            ratings = Ratings(counts, clusters, unit == "prompts", ("no", "yes"), 2, 2 * len(counts), 0)
            found = krippendorff_alpha(ratings, seed=1)
            covered[unit] += found.low <= alpha <= found.high
    assert covered["items"] / simulations < 0.86  # .77 over 1,000 simulations
    assert covered["prompts"] / simulations > 0.88  # .94

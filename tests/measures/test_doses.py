"""Doses add up along a path, a union is never less than its parts, and unknown is not zero."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviews.measures import doses
from reviews.measures.doses import Applied, Nats, Node


def applied(identity, membership, pooled=0.5, hard=1.0, *, arm="selected", domain="sums", **more):
    domains = {domain: Nats(pooled, hard)}
    return Applied(identity, membership, more.pop("round", membership), arm, domains, 10, 100, **more)


PATH = [Node("base", begins=True), Node("one"), Node("two")]


def test_sums_run_along_the_path_to_the_root():
    found = doses.of_path(PATH, [applied("base", "a", 0.5, 0.9), applied("one", "b", 0.25, 1.5)])
    assert found.domains == {"sums": Nats(0.75, 2.4)}
    assert (found.traces, found.tokens, found.rounds, found.entries, found.unknown) == (20, 200, 2, 2, False)


def test_what_went_out_for_the_last_checkpoint_counts_unless_left_out():
    entries = [applied("two", "c", 0.7, 0.8)]
    assert doses.of_path(PATH, entries).pooled == 0.7
    assert doses.of_path(PATH, entries, exported=False).pooled == 0


def test_splitting_an_export_lowers_nothing():
    """One easy half and one hard half: the union is bounded by the harder, never by their mean."""
    halves = [applied("base", "a", 0.1, 0.2), applied("base", "b", 1.4, 2.0)]
    assert doses.of_path(PATH, halves).domains["sums"] == Nats(1.4, 2.0)


def test_the_same_membership_counts_once_and_traces_of_others_add_up():
    found = doses.of_path(PATH, [applied("base", "a"), applied("base", "a"), applied("base", "b")])
    assert (found.traces, found.entries) == (20, 2)


def test_domains_stand_apart_and_the_worst_is_told():
    found = doses.of_path(PATH, [applied("base", "a"), applied("one", "b", 0.1, 3.0, domain="words")])
    assert (found.pooled, found.hard) == (0.5, 3.0)


def test_a_root_that_is_no_base_model_has_an_unknown_history_and_not_zero():
    found = doses.of_path([Node("found")], [])
    assert found.unknown
    assert "no parent is known" in found.why[0]


def test_a_data_set_of_nobody_knows_which_checkpoint_is_unknown():
    assert doses.of_path([], []).unknown


def test_a_domain_without_figures_makes_the_sum_a_part():
    found = doses.of_path(PATH, [Applied("base", "a", "r", "selected", {"sums": None}, 5, None)])
    assert found.unknown
    assert found.tokens is None


def test_control_arms_are_for_their_own_children():
    random = applied("base", "r", 0.0, 0.0, arm="random-control")
    path = [Node("base", begins=True), Node("child", arm="random-control")]
    entries = [applied("base", "a", 0.9, 0.9), random]
    assert doses.of_path(path, entries, exported=False).pooled == 0
    assert doses.of_path(PATH, entries, exported=False).pooled == 0.9


def test_a_report_of_use_says_which_child_a_data_set_made():
    entries = [applied("base", "a", 0.9, 0.9, children=frozenset({"other"}))]
    assert doses.of_path(PATH, entries, exported=False).pooled == 0
    other = [Node("base", begins=True), Node("other")]
    assert doses.of_path(other, entries, exported=False).pooled == 0.9


def test_what_happened_elsewhere_without_nats_is_unknown_from_there_on():
    seen = Applied("one", "entry 1", "", "", {}, 0, 0, elsewhere="a grader saw chains")
    assert not doses.of_path(PATH[:1], [seen], exported=False).unknown
    assert doses.of_path(PATH, [seen], exported=False).why == ("a grader saw chains",)


def test_what_happened_elsewhere_with_nats_is_added():
    seen = Applied("one", "entry 1", "", "", {"all": Nats(0.3, 0.3)}, 0, 0, elsewhere="a grader saw chains")
    found = doses.of_path(PATH, [seen, applied("base", "a")], exported=False)
    assert found.domains["all"] == Nats(0.3, 0.3)
    assert not found.unknown


nats = st.tuples(st.floats(0, 3), st.floats(0, 5))
exports = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["sums", "words"]), nats, st.integers(1, 500)), max_size=12
)


def manifest(number, at, domain, figures, traces, names):
    path = [{"identity": name, "arm": "", "begins": not place} for place, name in enumerate(names[: at + 1])]
    known = {"domains": {domain: {"pooled_d_inf": figures[0], "hard_prompts": figures[1]}}}
    return {
        "project": "pilot",
        "round": f"round {number}",
        "arm": "selected",
        "membership_digest": f"{number:064x}",
        "ledger": {
            "figures": {**known, "traces": traces, "tokens": traces * 9},
            "checkpoints": [{"name": names[at], "identity": names[at], "path": path}],
        },
    }


@settings(deadline=None)
@given(exports)
def test_manifests_alone_give_the_sums_of_the_path(rows):
    names = ["base", "one", "two", "three"]
    found = doses.of_manifests(
        manifest(number, at, domain, figures, traces, names)
        for number, (at, domain, figures, traces) in enumerate(rows)
    )
    deepest = max((at for at, *_ in rows), default=-1)
    assert set(found) == set(names[: deepest + 1])
    for domain in ("sums", "words"):
        expected = sum(
            max((figures[0] for at, name, figures, _ in rows if at == step and name == domain), default=0)
            for step in range(deepest + 1)
        )
        if deepest >= 0:
            sums = found[names[deepest]].domains.get(domain, Nats(0, 0))
            assert sums.pooled == pytest.approx(expected)


@settings(deadline=None)
@given(exports, st.integers(0, 3))
def test_more_exports_never_lower_a_dose(rows, place):
    entries = [
        applied(["base", "one", "two", "three"][at], str(number), *figures, domain=domain)
        for number, (at, domain, figures, _traces) in enumerate(rows)
    ]
    path = [Node("base", begins=True), Node("one"), Node("two"), Node("three")]
    less, more = doses.of_path(path, entries[:place]), doses.of_path(path, entries)
    assert more.pooled >= less.pooled
    assert more.hard >= less.hard
    assert more.traces >= less.traces

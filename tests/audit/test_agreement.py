"""Agreement: page, command and rows say the same, to the last digit."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from making import judge, trace_row

from reviews import assigning, planning
from reviews.audit import agreement, figures, rows


@pytest.fixture
def double(project, import_rows, ada, ben):
    """Forty traces of ten prompts, read by two who differ on every fifth."""
    round, _ = planning.create_round(project, "double", by=None, overlap=2)
    import_rows([trace_row(number // 4, number % 4) for number in range(40)], into=round)
    for person in (ada, ben):
        for _ in range(40):
            lease = assigning.next_for(person, round).assignments[0]
            fails = lease.trace_id % 2 == 0 or (person == ben and lease.trace_id % 5 == 0)
            judge(lease, "reject" if fails else "accept", person)
    return round


@pytest.mark.parametrize(
    ("name", "observed", "alpha", "counts"),
    [
        ("dices350_overall", 0.5666879914700786, 0.16086021565770436, (350, 123, 43050)),
        ("pandalm_testset_v1", 0.91991991991992, 0.8642206851960816, (999, 3, 2997)),
    ],
)
def test_the_command_gives_the_published_values(shared_data, command, name, observed, alpha, counts):
    found = command("agreement", shared_data / "agreement" / f"{name}.csv")
    assert (found["items"], found["raters"], found["ratings"]) == counts
    assert found["observed_agreement"]["value"] == pytest.approx(observed, rel=1e-12)
    assert found["krippendorff_alpha"]["value"] == pytest.approx(alpha, rel=1e-12)
    assert found["krippendorff_alpha"]["low"] < alpha < found["krippendorff_alpha"]["high"]


def test_a_column_with_another_name_is_named(shared_data, command):
    path = shared_data / "agreement" / "convabuse_severity.csv"
    found = command("agreement", path, "--scale", "ordinal", "--columns", "label=severity")
    assert found["krippendorff_alpha"]["value"] == pytest.approx(0.6597663979170505, rel=1e-9)
    with pytest.raises(CommandError, match=r"convabuse_severity\.csv, line 1"):
        call_command("agreement", str(path))


def test_the_command_gives_every_coefficient_of_the_published_sets(shared_data, command):
    found = command("agreement", shared_data / "agreement" / "pandalm_testset_v1.csv")
    pairs = {tuple(pair["raters"]): pair["value"] for pair in found["cohen_kappa"]}
    assert [round(value, 4) for value in pairs.values()] == [0.8520, 0.8789, 0.8617]
    assert found["fleiss_kappa"]["value"] == pytest.approx(0.864175364997549, rel=1e-12)
    assert found["gwet_ac1"]["value"] == pytest.approx(0.8864447080231185, rel=1e-12)
    assert [entry["label"] for entry in found["specific_agreement"]] == ["0", "1", "2"]
    assert found["gwet_ac2"] is None
    measured = [found[name] for name in ("fleiss_kappa", "gwet_ac1", "brennan_prediger")]
    for entry in (*measured, *found["cohen_kappa"], *found["specific_agreement"]):
        assert entry["low"] < entry["value"] < entry["high"]

    patients = command("agreement", shared_data / "agreement" / "anaesthesia_dawid_skene_1979.csv")
    assert (patients["ratings"], patients["raters"]) == (
        225,
        5,
    )  # of rater 1's three readings the first counts
    model = patients["dawid_skene"]  # and here all of them
    assert round(model["log_likelihood"], 4) == -192.8909
    assert [round(share, 4) for share in model["shares"]] == [0.3996, 0.4220, 0.1118, 0.0667]
    assert model["likeliest"] == [18, 19, 5, 3]
    assert [round(cell, 3) for cell in model["raters"][0]["confusion"][1]] == [0.071, 0.876, 0.053, 0]
    assert command("agreement", shared_data / "agreement" / "dices350_overall.csv")["dawid_skene"] is None


def test_a_wide_table_and_its_long_form_give_the_same(tmp_path, command):
    labels = [("yes", "no", "yes"), ("no", "no", ""), ("yes", "yes", "yes"), ("", "no", "no")] * 10
    names = ("ada", "ben", "cy")
    wide = [f"{item},p{item // 2},{','.join(row)}" for item, row in enumerate(labels)]
    long = [
        f"{item},p{item // 2},{name},{label}"
        for item, row in enumerate(labels)
        for name, label in zip(names, row, strict=True)
    ]
    (tmp_path / "wide.csv").write_text("\n".join(["trace,prompt,ada,ben,cy", *wide]))
    (tmp_path / "long.csv").write_text("\n".join(["item_id,cluster,rater_id,label", *long]))
    renamed = ("--columns", "item_id=trace", "cluster=prompt")
    found = command("agreement", tmp_path / "long.csv")
    assert command("agreement", tmp_path / "wide.csv", *renamed, "--wide") == found
    assert command("agreement", tmp_path / "wide.csv", *renamed, "--wide", *names) == found
    assert (found["items"], found["ratings"]) == (40, 100)
    assert "clusters" in found["fleiss_kappa"]["method"]
    only = command("agreement", tmp_path / "wide.csv", *renamed, "--wide", "ada", "cy")
    assert [pair["raters"] for pair in only["cohen_kappa"]] == [["ada", "cy"]]
    with pytest.raises(CommandError, match=r"wide\.csv, line 1, dan"):
        call_command("agreement", str(tmp_path / "wide.csv"), *renamed, "--wide", "dan")


def test_few_ratings_and_none_give_states_in_every_place(tmp_path, command):
    (tmp_path / "few.csv").write_text("item_id,rater_id,label\n1,ada,yes\n1,ben,no\n2,ada,yes\n")
    found = command("agreement", tmp_path / "few.csv")
    assert [found[name]["state"] for name in ("fleiss_kappa", "gwet_ac1", "brennan_prediger")] == [
        "too-few"
    ] * 3
    assert found["dawid_skene"]["state"] == "needs-three-raters"
    assert found["dawid_skene"]["log_likelihood"] is None
    (tmp_path / "none.csv").write_text("item_id,rater_id,label\n")
    found = command("agreement", tmp_path / "none.csv")
    assert (found["items"], found["cohen_kappa"], found["specific_agreement"]) == (0, [], [])
    assert found["fleiss_kappa"]["state"] == "no-pairs"


def test_the_page_the_command_and_the_rows_agree_to_the_last_digit(double, lea, tmp_path, command):
    browser = Client()
    browser.force_login(lea)
    given = b"".join(browser.get(f"/p/pilot/rounds/{double.pk}/agreement/readings.csv").streaming_content)
    (tmp_path / "rows.csv").write_bytes(given)
    recomputed = command("agreement", tmp_path / "rows.csv")
    shown = agreement.agreement_of(rows.readings(double))

    assert recomputed == json.loads(json.dumps(shown))
    assert shown["observed_agreement"]["n"] == 40
    page = browser.get(f"/p/pilot/rounds/{double.pk}/agreement").content.decode()
    assert f"{shown['krippendorff_alpha']['value']:.6f}" in page
    assert "of 40 traces read twice" in page
    assert (
        "10 prompts" in shown["krippendorff_alpha"]["method"]
        or "clusters" in shown["krippendorff_alpha"]["method"]
    )


def test_the_headline_is_what_specific_agreement_on_accept_leaves(double):
    read = rows.readings(double)
    found = figures.second_reader(figures.Table.of(read))
    specific = {entry["label"]: entry for entry in agreement.agreement_of(read)["specific_agreement"]}
    assert found.value == pytest.approx(1 - specific["accept"]["value"])
    assert (found.low, found.state) == (None, "too-few")  # ten prompts
    assert figures.second_reader(figures.Table.of([])).state == "no-pairs"


def test_a_page_may_ask_for_less_and_gets_the_same(double):
    read = rows.readings(double)
    whole, less = agreement.agreement_of(read), agreement.agreement_of(read, whole=False)
    assert less == {name: whole[name] for name in less}
    assert "fleiss_kappa" not in less


@pytest.mark.parametrize(
    ("head", "options", "says"),
    [
        ("item_id,ada,ada", ["--wide"], "line 1, ada: expected one column of labels"),
        ("item_id,ada,ben", ["--wide", "ada", "ada"], "line 1, ada: expected one column of labels"),
        ("item_id,ada,", ["--wide"], "expected a rater's name"),
        ("item_id", ["--wide"], "expected a column of labels for each rater"),
        ("id,ada,ben", ["--wide"], "line 1, item_id: expected a column of this name"),
        ("item_id,ada,ben", ["--columns", "label=ada", "--wide"], "line 1, label: expected one of item_id"),
        ("item_id,ada,ben\n,yes,no", ["--wide"], "line 2, item_id: expected an id"),
        ("item_id,cluster,ada\n1,p,yes\n1,q,no", ["--wide"], "line 3, cluster: expected 'p' as before"),
        ("item_id,ada,ben\n1,yes", ["--wide"], "line 2: expected 3 cells, got 2"),
    ],
)
def test_a_wide_table_that_is_none_is_refused_by_line_and_column(tmp_path, head, options, says):
    (tmp_path / "wide.csv").write_text(head)
    with pytest.raises(CommandError) as refused:
        call_command("agreement", str(tmp_path / "wide.csv"), *options)
    assert says in str(refused.value)
    assert refused.value.returncode == 2


def test_models_doubts_and_other_spec_versions_stay_out(double, ada, project):
    before = len(list(rows.readings(double)))
    double.spec_version = None
    assert list(rows.readings(double)) == []
    assert before == 80


def test_nobody_read_twice_is_a_state_and_not_a_number(round, traces, ada, lea):
    judge(assigning.next_for(ada, round).assignments[0], "accept", ada)
    found = agreement.agreement_of(rows.readings(round))
    assert (found["krippendorff_alpha"]["value"], found["observed_agreement"]["value"]) == (None, None)
    browser = Client()
    browser.force_login(lea)
    assert b"agreement is not measured" in browser.get(f"/p/pilot/rounds/{round.pk}/agreement").content


def test_reviewers_are_listed_with_counts_and_pace(double, ada):
    found = {row["reviewer__username"]: row for row in rows.reviewers(double)}
    assert found["ada"]["judged"] == 40
    assert found["ada"]["accepts"] + found["ada"]["rejects"] == 40
    assert found["ben"]["rejects"] > found["ada"]["rejects"]

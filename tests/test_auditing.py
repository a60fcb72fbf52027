"""Agreement: page, command and rows say the same, to the last digit."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from making import judge, trace_row

from reviews import assigning, auditing, planning


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


def test_the_page_the_command_and_the_rows_agree_to_the_last_digit(double, lea, tmp_path, command):
    browser = Client()
    browser.force_login(lea)
    rows = b"".join(browser.get(f"/p/pilot/rounds/{double.pk}/agreement/rows.csv").streaming_content)
    (tmp_path / "rows.csv").write_bytes(rows)
    recomputed = command("agreement", tmp_path / "rows.csv")
    shown = auditing.agreement_of(auditing.rows(double))

    assert recomputed == json.loads(json.dumps(shown))
    assert shown["observed_agreement"]["n"] == 40
    page = browser.get(f"/p/pilot/rounds/{double.pk}/agreement").content.decode()
    assert f"{shown['krippendorff_alpha']['value']:.6f}" in page
    assert "of 40 traces read twice" in page
    assert (
        "10 prompts" in shown["krippendorff_alpha"]["method"]
        or "clusters" in shown["krippendorff_alpha"]["method"]
    )


def test_models_doubts_and_other_spec_versions_stay_out(double, ada, project):
    before = len(list(auditing.rows(double)))
    double.spec_version = None
    assert list(auditing.rows(double)) == []
    assert before == 80


def test_nobody_read_twice_is_a_state_and_not_a_number(round, traces, ada, lea):
    judge(assigning.next_for(ada, round).assignments[0], "accept", ada)
    found = auditing.agreement_of(auditing.rows(round))
    assert (found["krippendorff_alpha"]["value"], found["observed_agreement"]["value"]) == (None, None)
    browser = Client()
    browser.force_login(lea)
    assert b"agreement is not measured" in browser.get(f"/p/pilot/rounds/{round.pk}/agreement").content


def test_reviewers_are_listed_with_counts_and_pace(double, ada):
    rows = {row["reviewer__username"]: row for row in auditing.reviewers(double)}
    assert rows["ada"]["judged"] == 40
    assert rows["ada"]["accepts"] + rows["ada"]["rejects"] == 40
    assert rows["ben"]["rejects"] > rows["ada"]["rejects"]

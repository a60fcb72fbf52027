"""The audit's figures: what they are of, what they leave out, and that pages, command, API and rows say the same."""

from __future__ import annotations

import io
import json
import math
import re
import uuid
from datetime import timedelta
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from making import judge, member, trace_row

from reviews import adjudicating, assigning, calibrating, planning, reviewing, saying, serving
from reviews.audit import agreement, clauses, disputes, figures, overview, readers, rows, tables
from reviews.models import Decision, Review, Role, Round, Trace, User
from reviews.models.frozen import freeze, thaw


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def table_of(round):
    return figures.Table.of(rows.readings(round))


def address(round, end=""):
    return f"/p/pilot/rounds/{round.pk}/agreement{end}"


def test_a_second_reader_is_of_planned_readings_and_of_all_pairs(team):
    found = overview.of(team)
    assert found.whole.readings == 320
    assert found.whole.twice == 160
    accepted_again = against = 0
    by_trace = {}
    for one in rows.readings(team):
        by_trace.setdefault(one.item_id, []).append(one.label)
    for first, second in by_trace.values():
        accepted_again += 2 * (first == second == "accept")
        against += first != second
    second = found.whole.second
    assert second.value == pytest.approx(against / (accepted_again + against))
    assert second.low < second.value < second.high
    assert found.whole.observed.value == pytest.approx(1 - against / 160)


def test_breakdowns_add_up_to_the_whole(team):
    found = overview.of(team)
    met = {one.rater_id: set() for one in rows.readings(team)}
    for one in rows.readings(team):
        met[one.rater_id].add(one.item_id)
    assert {part.name: part.twice for part in found.readers} == {
        name: len(items) for name, items in met.items()
    }
    assert found.times == []  # nobody knows when verdicts from elsewhere were made
    for parts in (found.domains, found.checkpoints):
        assert sum(part.readings for part in parts) == found.whole.readings
        assert sum(part.twice for part in parts) == found.whole.twice
    assert [part.name for part in found.domains] == ["sums", "words"]
    assert found.parted.key == "H2"


def test_clauses_show_what_is_taken_for_what(team):
    by_key = {clause.key: clause for clause in clauses.by_clause(team, table_of(team))}
    assert set(by_key) == {"H1", "H2"}  # F1 is form: no reason to reject, so nothing to part on
    assert by_key["H1"].agreed.value > by_key["H2"].agreed.value
    assert by_key["H2"].readers == 3
    assert by_key["H2"].split
    found = clauses.confusion(team, table_of(team))
    counts = {
        key: dict(zip([*found.keys, "another reason", "accepts"], row, strict=True))
        for key, row in found.rows
    }
    assert counts["H2"]["H1"] == counts["H1"]["H2"] > 0
    assert counts["H1"]["H1"] % 2 == 0  # a pair that agrees is counted from either side


def test_whose_clause_it_is_alone_is_said(project, import_rows, bring_in):
    round, _ = planning.create_round(project, "alone", by=None, overlap=2)
    import_rows([trace_row(number) for number in range(6)], into=round)
    bring_in(round, [(n, 0, "ada", "reject", "H2") for n in range(6)])
    bring_in(round, [(n, 0, "ben", "reject", "H1") for n in range(6)])
    found = {one.key: one for one in clauses.by_clause(round, table_of(round))}
    assert (found["H2"].only, found["H1"].only) == ("ada", "ben")
    assert found["H1"].accepted_instead == 0


def test_readers_stand_beside_their_peers(team):
    found = {one.name: one for one in readers.of(team).readers}
    assert set(found) == {"ada", "ben", "carl", "dora"}
    assert found["carl"].gap.value > 0.1
    assert found["carl"].leaves.value == max(one.leaves.value for one in found.values())
    assert found["carl"].adjusted == min(one.adjusted for one in found.values())
    assert found["carl"].stands_out
    for one in found.values():
        assert sum(map(sum, one.against)) == one.readings
    assert found["ada"].gold.right.state == "no-trials"


def test_verdicts_that_were_not_blind_decide_and_stay_out(team, bring_in, import_rows):
    before = agreement.agreement_of(rows.readings(team))
    import_rows([trace_row(500)], into=team)
    assert bring_in(
        team, [(500, 0, "ada", "accept", ""), (500, 0, "ben", "accept", "")], blind=False
    ).recorded
    assert Decision.objects.get(trace__round_prompt__external_id="p500").state == "accepted"
    assert agreement.agreement_of(rows.readings(team)) == before
    assert rows.basis(team) == rows.Basis(imported=320, unblinded=2, other_spec=0)


def test_unblinded_verdicts_are_said_on_the_page(team, bring_in, import_rows, lea):
    import_rows([trace_row(500)], into=team)
    bring_in(team, [(500, 0, "ada", "accept", "")], blind=False)
    page = browser(lea).get(address(team)).text
    assert "One verdict was not made blind and is left out." in page
    assert "320 verdicts were brought in from elsewhere." in page


def test_page_command_api_and_rows_say_the_same(team, lea, tmp_path, command):
    client = browser(lea)
    csv_rows = b"".join(client.get(address(team, "/readings.csv")).streaming_content)
    (tmp_path / "readings.csv").write_bytes(csv_rows)
    shown = json.loads(json.dumps(agreement.agreement_of(rows.readings(team))))
    assert command("agreement", tmp_path / "readings.csv") == shown
    assert client.get(f"/api/v1/rounds/{team.pk}/agreement").json() == shown
    whole = command("audit", f"pilot/{team.pk}")
    assert whole["agreement"] == shown
    assert whole["overview"]["whole"]["alpha"] == shown["krippendorff_alpha"]
    page = client.get(address(team)).text
    assert f"{shown['krippendorff_alpha']['value']:.6f}" in page

    clause = command("agreement", tmp_path / "readings.csv", "--columns", "label=cites H2")
    by_key = {one.key: one for one in clauses.by_clause(team, table_of(team))}
    assert clause["krippendorff_alpha"]["value"] == by_key["H2"].alpha.value

    parquet = pq.read_table(io.BytesIO(client.get(address(team, "/readings.parquet")).content))
    assert parquet.num_rows == 320
    assert client.get(address(team, "/nothing.csv")).status_code == 404
    assert client.get(address(team, "/readings.exe")).status_code == 404


def pictures_in(page):
    """Every picture of a page; a drift chart holds an SVG inside."""
    found = []
    for begin in re.finditer(r'<svg class="picture', page):
        depth = 0
        for tag in re.finditer(r"<svg|</svg>", page[begin.start() :]):
            depth += 1 if tag.group() == "<svg" else -1
            if depth == 0:
                found.append(page[begin.start() : begin.start() + tag.end()])
                break
    return found


def test_pictures_are_svg_with_title_and_description_and_no_style(team, lea):
    for end in ("", "/clauses", "/readers"):
        page = browser(lea).get(address(team, end)).text
        drawn = pictures_in(page)
        assert drawn
        assert " style=" not in page
        for one in drawn:
            found = ElementTree.fromstring(one)
            assert [child.tag for child in found][:2] == ["title", "desc"]


def test_hostile_names_stand_in_pictures_as_text(project, import_rows, bring_in, lea):
    round, _ = planning.create_round(project, "hostile", by=None, overlap=2)
    domain = '</text><script>alert(1)</script>\u0000\u202e"&'
    import_rows([trace_row(1, meta={"domain": domain, "licence": "MIT"})], into=round)
    bring_in(round, [(1, 0, "ada", "accept", ""), (1, 0, "ben", "reject", "H1")])
    page = browser(lea).get(address(round)).text
    assert "<script>alert" not in page
    assert "&lt;/text&gt;&lt;script&gt;" in page


def test_the_report_stands_alone_and_names_its_rows(team, lea):
    answer = browser(lea).get(address(team, "/report.html"))
    assert answer["Content-Disposition"].startswith("attachment")
    page = answer.text
    assert tables.digest(team) in page
    assert "<script" not in page
    assert not re.findall(r"(?:src|href|url)\s*[=(]", re.sub(r"<style>[\s\S]*</style>", "", page))
    assert "carl" not in page  # readers stand under pseudonyms
    assert "Reader 1" in page


def test_a_reviewer_sees_their_own_figures_and_no_other(team, bring_in):
    ada = User.objects.get(username="ada")
    ada.is_active = True
    ada.save()
    page = browser(ada).get(address(team, "/readers"))
    assert page.status_code == 200
    assert "ada" in page.text
    for other in ("ben", "carl", "dora"):
        assert other not in page.text
    for end in ("", "/clauses", "/report.html", "/readings.csv"):
        assert browser(ada).get(address(team, end)).status_code == 403
    Round.objects.filter(pk=team.pk).update(shows_own_figures=False)
    assert browser(ada).get(address(team, "/readers")).status_code == 403


def test_names_hide_at_a_switch_and_stay_the_same(team, lea):
    client = browser(lea)
    first, second = (client.get(address(team, "/readers?names=hidden")).text for _ in range(2))
    assert "carl" not in first
    assert re.findall(r"Reader \d", first) == re.findall(r"Reader \d", second)
    assert re.findall(r'class="name"[^>]*>Reader (\d)', first)[:4] == [
        "1",
        "2",
        "3",
        "4",
    ]  # not in the order of the names


@pytest.fixture
def on_gold(project, import_rows, ben):
    """Gold at one in two; ada accepts everything."""
    round, _ = planning.create_round(project, "gold", by=None, double_share=0, gold_rate=0.5)
    import_rows([trace_row(number) for number in range(40)], into=round)
    for number in range(10):
        lease = assigning.next_for(ben, round).assignments[0]
        verdict = "accept" if number % 2 else "reject"
        fails = () if verdict == "accept" else ("H1",)
        text = lease.trace.reasoning.as_text
        spans = () if verdict == "accept" else (saying.Span("H1", "reasoning", 4, 8, text[4:8]),)
        judge(lease, verdict, ben, *fails, spans=spans)
        calibrating.mark_gold(lease.trace, verdict, fails, "plain", by=None)
    return Round.objects.select_related("project", "spec_version").get(pk=round.pk)


def test_gold_shows_both_kinds_of_error_and_the_alarm(on_gold, ada, lea):
    for _ in range(60):
        found = serving.next_for(ada, Round.objects.get(pk=on_gold.pk)).assignments
        if not found:
            break
        judge(found[0], "accept", ada)
    team = readers.of(on_gold)
    one = next(reader for reader in team.readers if reader.name == "ada")
    assert one.gold.accepts_kept.value == 1
    assert one.gold.rejects_found.value == 0  # who always accepts is right on every gold accept
    assert one.chart.alarm is not None
    assert team.line.team == 1
    assert team.line.horizon == 20
    seen = browser(ada).get(address(on_gold, "/readers")).text
    assert "Gold" not in seen.split("<main")[1]  # an open round tells a reader nothing of it
    Round.objects.filter(pk=on_gold.pk).update(state="closed")
    assert "Gold rejects found" in browser(ada).get(address(on_gold, "/readers")).text
    assert [place.hits for place in team.missed_by_depth if place.rate.n] == [one.gold.rejects_found.n]
    page = browser(lea).get(address(on_gold, "/readers")).text
    assert "alarm at gold trace" in page
    assert "one or more false alarms in a clean team" in page


def test_repeats_are_compared_with_the_first_time(project, import_rows, ada):
    round, _ = planning.create_round(project, "again", by=None, double_share=0, repeat_rate=0.5)
    import_rows([trace_row(number) for number in range(24)], into=round)
    for _ in range(10):
        judge(serving.next_for(ada, Round.objects.get(pk=round.pk)).assignments[0], "accept", ada)
    thaw(connection)
    Review.objects.update(at=timezone.now() - timedelta(days=8))
    freeze(connection)
    for _ in range(10):
        judge(serving.next_for(ada, Round.objects.get(pk=round.pk)).assignments[0], "reject", ada)
    found = rows.repeats(Round.objects.get(pk=round.pk))
    assert found
    assert {(one.first, one.again) for one in found} == {("accept", "reject")}
    assert min(one.days for one in found) > 7.9
    reader = readers.of(Round.objects.get(pk=round.pk)).readers[0]
    assert reader.repeats.agreement.value == 0


def test_rulings_say_whose_side_they_took_and_are_blind(team, lea):
    split = Trace.objects.filter(round=team, decision__state="disputed").order_by("pk").first()
    page = browser(lea).get(f"/p/pilot/traces/{split.pk}/adjudicate").text
    page = re.sub(r"[0-9a-f]{12,}", "", page)  # in a digest those three letters are nobody's name
    for name in ("ada", "ben", "carl", "dora"):
        assert name not in page
    adjudicating.adjudicate(split, saying.Said("accept"), by=lea, key=uuid.uuid4())
    found = disputes.of(team)
    assert found.settled == {"accept": 1}
    assert sorted(sided.value for _, sided in found.with_reader) == [0, 1]


def test_sittings_end_after_half_an_hour_and_nobody_knows_those_of_verdicts_from_elsewhere(
    round, traces, ada, team
):
    assert all(math.isnan(one.minute) for one in rows.readings(team))
    for _ in range(4):
        judge(assigning.next_for(ada, round).assignments[0], "accept", ada)
    thaw(connection)
    begun = timezone.now()
    for review, minutes in zip(
        Review.objects.filter(round=round).order_by("pk"), (0, 20, 45, 90), strict=True
    ):
        Review.objects.filter(pk=review.pk).update(at=begun + timedelta(minutes=minutes))
    freeze(connection)
    assert sorted(one.minute for one in rows.readings(round)) == pytest.approx([0, 0, 20, 45])


def test_every_page_of_a_round_without_verdicts_says_what_is_missing(round, lea, traces):
    client = browser(lea)
    assert "not measured" in client.get(address(round)).text
    assert "Nobody has judged yet." in client.get(address(round, "/readers")).text
    assert client.get(address(round, "/clauses")).status_code == 200
    assert client.get(address(round, "/report.html")).status_code == 200
    assert overview.of(round).whole.second == figures.NOTHING


def test_a_clause_is_rewritten_with_the_parting_traces_beside_it(team, lea):
    page = browser(lea).get(f"/p/pilot/spec?round={team.pk}&clause=H2").text
    assert "Where readers part on H2" in page
    assert page.count('class="digest"') >= 1
    assert browser(lea).get("/p/pilot/spec?round=999999999999999999999&clause=H2").status_code == 200
    tom = member(team.project, "tom", Role.TRAINER)
    assert "Where readers part" not in browser(tom).get(f"/p/pilot/spec?round={team.pk}&clause=H2").text


def test_the_plan_says_how_many_to_read_twice(project, lea):
    found = {round_to(one.alpha): one for one in overview.doubles_wanted()}
    assert set(found) == {0.64, 0.53, 0.39}  # science.md C15, for readers right nine times of ten
    for alpha, wanted in {0.64: (237, 948), 0.53: (354, 1414), 0.39: (569, 2274)}.items():
        assert (found[alpha].alpha_wide, found[alpha].alpha_narrow) == pytest.approx(wanted, rel=0.07)
    assert str(found[0.64].alpha_wide) in browser(lea).get("/p/pilot/rounds/new").text


def round_to(number):
    return float(f"{number:.2f}")


def test_figures_are_kept_until_a_verdict_or_gold_changes_them(team, lea, bring_in, import_rows):
    client = browser(lea)
    first = client.get(address(team)).text
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address(team)).text.split("<main")[1] == first.split("<main")[1]
    assert not [query for query in asked if "reviews_citation" in query["sql"]]
    import_rows([trace_row(500)], into=team)
    bring_in(team, [(500, 0, "ada", "accept", ""), (500, 0, "ben", "accept", "")])
    assert "161 traces read twice" in client.get(address(team)).text


def test_a_wide_interval_says_what_would_narrow_it(project, import_rows, bring_in, lea):
    round, _ = planning.create_round(project, "wide", by=None, overlap=2)
    import_rows([trace_row(number) for number in range(40)], into=round)
    verdicts = [("accept", ""), ("reject", "H1")]
    bring_in(round, [(n, 0, "ada", *verdicts[n % 2]) for n in range(40)])
    bring_in(round, [(n, 0, "ben", *verdicts[n % 3 == 0]) for n in range(40)])
    page = browser(lea).get(address(round)).text
    assert "would narrow it to ± 0.05" in page
    assert "The interval is wide: about" in page


def test_what_was_read_for_a_reason_stands_apart_from_what_was_planned(project, import_rows, bring_in, lea):
    round, _ = planning.create_round(project, "reasons", by=None, double_share=0)
    import_rows([trace_row(number) for number in range(40)], into=round)
    bring_in(round, [(n, 0, "ada", "accept", "") for n in range(40)])
    bring_in(round, [(n, 0, "ben", "reject", "H1") for n in range(40)])
    found = overview.of(round)
    assert found.whole.observed.value == 0
    assert found.planned.readings == 40
    assert found.planned.observed.state == "no-pairs"
    assert "40 of 80 verdicts were planned." in browser(lea).get(address(round)).text


def test_a_breakdown_takes_the_largest_groups_and_says_how_many_it_leaves_out(team):
    found, left_out = figures.groups(table_of(team), lambda one: one.item_id[:1], most=3)
    sizes = sorted((len(part) for part in parts_of(team).values()), reverse=True)
    assert sorted((part.readings for part in found), reverse=True) == sizes[:3]
    assert left_out == len(sizes) - 3


def parts_of(round):
    parts = {}
    for one in rows.readings(round):
        parts.setdefault(one.item_id[:1], []).append(one)
    return parts


def test_a_name_that_a_spreadsheet_would_run_is_no_formula(team, bring_in, lea):
    bring_in(team, [(1, 0, '=HYPERLINK("http://x")', "accept", "")])
    lines = b"".join(browser(lea).get(address(team, "/readings.csv")).streaming_content).decode()
    assert "'=HYPERLINK" in lines
    assert ",=HYPERLINK" not in lines
    assert ',"=HYPERLINK' not in lines


def test_a_reject_for_no_clause_is_counted_as_another_reason(project, import_rows, ada, ben):
    round, _ = planning.create_round(project, "other", by=None, overlap=2)
    import_rows([trace_row(1)], into=round)
    judge(assigning.next_for(ada, round).assignments[0], "reject", ada)
    lease = assigning.next_for(ben, round).assignments[0]
    said = saying.Said("reject", other=True, comment="It mocks.")
    reviewing.record(lease.pk, said, by=ben, key=uuid.uuid4())
    found = clauses.confusion(round, table_of(round))
    assert dict(found.rows)["H1"] == (0, 0, 1, 0)

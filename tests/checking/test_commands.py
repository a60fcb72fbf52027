"""The commands of the cautions: exit codes and keys that scripts rely on."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from checking.conftest import planted, policy
from reviews import demonstrating, governing, planning
from reviews.models import Dataset, LedgerEntry, Look, Round
from reviews.policies.thresholds import GATES, TIER_OF

pytestmark = pytest.mark.django_db
KEYS = {"key", "tier", "verdict", "value", "low", "high", "threshold", "unit", "n", "why"}


@pytest.fixture
def asked(capsys):
    """Run a command with --json: its object, and the code that it left with."""

    def run(*args):
        capsys.readouterr()
        code = 0
        try:
            call_command(args[0], *map(str, args[1:]), "--json")
        except SystemExit as left:
            code = left.code
        except CommandError as refused:
            return None, refused.returncode
        return json.loads(capsys.readouterr().out), code

    return run


@pytest.fixture
def round(pilot, tmp_path) -> Round:
    return planted(pilot, tmp_path, prompts=60)


def test_check_policy_gives_every_gate_of_the_demonstration(asked):
    demonstrating.load(demonstrating.local_user())
    found, code = asked("check_policy", "--project", "demo", "--round", "Round 1")
    assert [gate["key"] for gate in found["gates"]] == list(GATES)
    assert all(set(gate) >= KEYS and gate["tier"] == TIER_OF[gate["key"]] for gate in found["gates"])
    assert found["policy"]["name"] == "pilot"
    assert (found["verdict"], code) == ("block", 1)
    again, _ = asked("check_policy", "--project", "demo", "--round", "Round 1")
    assert again["gates"] == found["gates"]
    assert Look.objects.filter(round__project__slug="demo").count() == again["looks"] == 1


def test_check_policy_leaves_with_0_where_the_round_passes_and_takes_a_file(asked, round, tmp_path):
    options = ("--project", "pilot", "--round", round.name)
    assert asked("check_policy", *options)[1] == 0
    strict = tmp_path / "p.json"
    strict.write_text(json.dumps(policy(selection__block=0.1).document))
    found, code = asked("check_policy", *options, "--policy", strict)
    assert (found["verdict"], code) == ("block", 1)
    assert found["policy"]["version"] is None
    strict.write_text("{")
    assert asked("check_policy", *options, "--policy", strict)[1] == 1
    assert asked("check_policy", *options, "--policy", tmp_path / "none.json")[1] == 2


def test_publish_policy_takes_a_file_or_a_shipped_one_and_asks_why_it_is_laxer(asked, pilot, tmp_path):
    reason = ("--reason", "a pilot is enough for this checkpoint")
    assert asked("publish_policy", "production", "--project", "pilot")[1] == 1  # it has no list of domains
    made, code = asked("publish_policy", "production", "--project", "pilot", *reason)
    assert (made["name"], made["new"], code) == ("production", True, 0)
    strict = tmp_path / "p.json"
    strict.write_text(json.dumps(policy(exposure__traces=10).document))
    assert asked("publish_policy", strict, "--project", "pilot")[1] == 1
    assert asked("publish_policy", strict, "--project", "pilot", *reason)[1] == 0
    assert governing.of(governing.newest(pilot)).thresholds["exposure.traces"] == 10
    assert asked("publish_policy", strict, "--project", "pilot")[0]["new"] is False
    strict.write_text('{"name": "pilot", "thresholds": {"nothing.here": 1}}')
    assert asked("publish_policy", strict, "--project", "pilot")[1] == 1


def test_a_blocked_export_leaves_nothing_and_an_overridden_one_keeps_its_verdict(asked, round, tmp_path):
    governing.publish(round.project, policy(selection__block=0.1, form__warn=0, lineage__block=0.1), by=None)
    options = ("export_dataset", "--project", "pilot", "--round", round.name)
    assert asked(*options, "--out", tmp_path / "a") == (None, 1)
    assert not (tmp_path / "a").exists()
    assert not LedgerEntry.objects.exists()
    assert asked(*options, "--out", tmp_path / "a", "--override", "please")[1] == 1
    why = "to see what an overridden data set looks like"
    made, code = asked(*options, "--out", tmp_path / "b", "--override", why)
    assert (made["verdict"], made["overridden"], code) == ("block", True, 0)
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_text())
    assert manifest["overridden_gates"] == ["selection", "lineage"]
    assert not manifest["uncertified"]
    assert "PILOT" in (tmp_path / "b" / "README.md").read_text()
    entry = LedgerEntry.objects.get()
    assert entry.figures_object["domains"]["sums"]["pooled_d_inf"] > 0
    assert entry.figures_object["overridden_gates"] == ["selection", "lineage"]
    assert why in entry.reason
    assert why in (tmp_path / "b" / "report.html").read_text()


def test_an_arm_is_exported_by_command_and_names_how_well_it_matches(asked, round, tmp_path):
    options = ("export_dataset", "--project", "pilot", "--round", round.name)
    selected, _ = asked(*options, "--out", tmp_path / "selected")
    control, code = asked(*options, "--out", tmp_path / "control", "--arm", "random-control")
    assert (code, control["rows"]) == (0, selected["rows"])
    manifest = json.loads((tmp_path / "control" / "manifest.json").read_text())
    assert manifest["arm"] == "random-control"
    assert manifest["match"]["prompts"] == manifest["match"]["prompts_wanted"]
    assert {gate["key"]: gate["value"] for gate in manifest["gates"]}["selection"] == 0
    assert Dataset.objects.filter(state="ready").count() == 2
    assert asked("verify_dataset", tmp_path / "control")[0]["ok"]
    assert asked("verify_log")[0]["ok"]


def test_plan_samples_registers_what_is_going_to_be_sampled_once(asked, pilot, tmp_path):
    planning.create_round(pilot, "planned", by=None)
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"k": 4, "prompts": ["p1", "p2"], "seeds": [1, 2, 3, 4]}))
    options = ("--project", "pilot", "--round", "planned")
    found, code = asked("plan_samples", plan, *options)
    assert (found["cells"], found["traces_before"], code) == (8, 0, 0)
    assert asked("plan_samples", plan, *options)[0] == found
    plan.write_text(json.dumps({"k": 8, "prompts": ["p1"]}))
    assert asked("plan_samples", plan, *options)[1] == 1
    for wrong in (
        '{"k": 0, "prompts": ["a"]}',
        '{"k": 2, "prompts": []}',
        '{"k": 2, "prompts": ["a"], "seeds": [1]}',
    ):
        plan.write_text(wrong)
        assert asked("plan_samples", plan, *options)[1] == 1
    plan.write_text("{")
    assert asked("plan_samples", plan, *options)[1] == 2

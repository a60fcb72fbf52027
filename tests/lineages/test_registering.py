"""Checkpoints: registered once, never changed, known by their weights wherever they are; what imports say of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from making import trace_row

from reviews import importing, planning
from reviews.errors import Conflict, Invalid, NotAllowed
from reviews.lineages import registering
from reviews.models import Checkpoint, Event, Sampler

WEIGHTS = "ab" * 32


@pytest.fixture
def base(project, lea):
    return registering.register(project, "base", by=lea, stage="base", weights_digest=WEIGHTS)[0]


def test_the_same_checkpoint_again_changes_nothing(project, tom, base):
    again, new = registering.register(
        project, "base", by=tom, stage="base", weights_digest=f"sha256:{WEIGHTS.upper()}"
    )
    assert (again.pk, new) == (base.pk, False)
    assert Event.objects.filter(kind="checkpoint.registered").count() == 1


def test_another_checkpoint_under_the_same_name_is_refused(project, tom, base):
    with pytest.raises(Conflict, match="stage"):
        registering.register(project, "base", by=tom, stage="rl", weights_digest=WEIGHTS)


def test_reviewers_and_auditors_register_nothing(project, ada, aud):
    for person in (ada, aud):
        with pytest.raises(NotAllowed):
            registering.register(project, "mine", by=person)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": " "}),
        ("stage", {"stage": "pretrained"}),
        ("fraction", {"fraction": 1.5}),
        ("weights_digest", {"weights_digest": "no digest!"}),
        ("rl_steps", {"rl_steps": -1}),
        ("arm", {"arm": "both"}),
    ],
)
def test_what_does_not_fit_is_refused_by_its_field(project, lea, field, values):
    name = values.pop("name", "next")
    with pytest.raises(Invalid) as refused:
        registering.register(project, name, by=lea, **values)
    assert refused.value.field == field


def test_a_parent_of_another_project_is_refused(project, lea, base):
    other, _ = planning.create_project("other")
    stranger = registering.register(other, "theirs", by=None)[0]
    with pytest.raises(Invalid, match="no checkpoint of this project"):
        registering.register(project, "child", by=lea, parent=stranger)


def test_a_registered_checkpoint_cannot_be_changed_by_sql(base):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE reviews_checkpoint SET stage = 'sft'")


def test_a_measurement_keeps_the_digest_of_its_file_and_not_the_file(base, tom):
    made = registering.measure(
        base, "controllability", 0.03, low=0.01, high=0.06, n=400, by=tom, file_name="a.json", file=b"{}"
    )
    assert bytes(made.file_digest).hex().startswith("44136fa355b3")
    assert made.measured_on == timezone.localdate()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("key", {"key": "Not A Key"}),
        ("value", {"value": float("nan")}),
        ("low", {"low": 0.5}),
        ("measured_on", {"measured_on": timezone.localdate() + timedelta(days=2)}),
    ],
)
def test_a_measurement_that_cannot_be_is_refused(base, lea, field, values):
    said = {"key": "controllability", "value": 0.1, **values}
    with pytest.raises(Invalid) as refused:
        registering.measure(base, said.pop("key"), said.pop("value"), by=lea, **said)
    assert refused.value.field == field


def test_the_newest_word_says_which_checkpoint_a_sampler_was(base, traces, lea, tom, project):
    sampler = Sampler.objects.select_related("round").get()
    other = registering.register(project, "other", by=lea)[0]
    assert registering.checkpoint_of(sampler) is None

    registering.attribute(sampler, base, by=lea)
    registering.attribute(sampler, base, by=tom)
    assert sampler.attributions.count() == 1
    registering.attribute(sampler, other, by=tom)
    assert registering.checkpoint_of(sampler) == other


def named(number, lineage, step, name, **more):
    meta = {"domain": "sums", "checkpoint": {"lineage": lineage, "step": step, "name": name}}
    return trace_row(number, meta=meta, **{"model": name, **more})


def test_an_import_registers_what_its_file_names_in_whatever_order(import_rows, project):
    import_rows(
        [
            named(0, "tuned", 200, "tuned-s200"),
            named(1, "tuned-control", 50, "control-s50"),
            named(2, "tuned", 50, "tuned-s50"),
            named(3, "base", 0, "found-base"),
        ]
    )
    found = {one.name: one for one in Checkpoint.objects.filter(project=project).select_related("parent")}
    assert {name: one.parent and one.parent.name for name, one in found.items()} == {
        "found-base": None,
        "tuned-s50": "found-base",
        "tuned-s200": "tuned-s50",
        "control-s50": "found-base",
    }
    assert (found["control-s50"].arm, found["tuned-s50"].arm) == ("random-control", "")
    for sampler in Sampler.objects.all():
        assert registering.checkpoint_of(sampler).name == sampler.model


def test_without_a_base_the_first_step_has_no_known_parent(import_rows, project):
    import_rows([named(0, "tuned", 100, "s100"), named(1, "other", 10, "s10")])
    assert not Checkpoint.objects.filter(project=project).exclude(parent=None).exists()


def test_a_name_that_two_lineages_use_is_told_apart(import_rows, project):
    import_rows([named(0, "one", 100, "s100"), named(1, "two", 100, "s100", model="other")])
    import_rows([named(2, "two", 100, "s100", model="other")])
    names = set(Checkpoint.objects.filter(project=project).values_list("name", flat=True))
    assert names == {"s100", "two/s100"}


def test_a_sampler_whose_rows_disagree_stays_unknown(import_rows, project):
    import_rows(
        [
            named(0, "one", 100, "m"),
            trace_row(1, model="m", meta={"checkpoint": {"lineage": "one", "step": 200}}),
        ]
    )
    assert registering.checkpoint_of(Sampler.objects.get(model="m")) is None


@pytest.mark.parametrize(
    "told", ["s100", 7, {"step": 3}, {"lineage": 5}, {"name": "a\0b"}, {"name": "x" * 300}]
)
def test_a_checkpoint_that_cannot_be_read_refuses_no_row(import_rows, project, told):
    assert import_rows([trace_row(0, meta={"checkpoint": told})]).traces_new == 1
    assert not Checkpoint.objects.filter(project=project).exists()


def test_an_import_taken_up_again_still_knows_what_its_first_part_said(round, tmp_path, monkeypatch, project):
    path = tmp_path / "t.jsonl"
    rows = [named(0, "one", 100, "s100"), named(1, "one", 200, "s200")]
    from making import as_lines

    path.write_bytes(as_lines(rows))
    batch = importing.begin(round, path, by=None)
    monkeypatch.setattr(importing, "ROWS_A_BATCH", 1)

    class Killed(Exception):
        pass

    def kill(_lines):
        raise Killed

    with pytest.raises(Killed):
        importing.run(batch, progress=kill)
    importing.run(importing.begin(round, path, by=None))
    assert {one.name for one in Checkpoint.objects.filter(project=project)} == {"s100", "s200"}
    assert all(registering.checkpoint_of(sampler) for sampler in Sampler.objects.all())


def test_the_command_registers_and_says_so_the_second_time(command, project):
    assert command("register_checkpoint", "base", "--project", "pilot", "--stage", "base") == {
        "checkpoint": "base"
    }
    child = ("register_checkpoint", "child", "--project", "pilot", "--parent", "base", "--fraction", 0.2)
    assert command(*child, "--rl-steps", 0, "--arm", "selected") == {"checkpoint": "child"}
    assert Checkpoint.objects.get(name="child").parent.name == "base"

"""The ledger: append-only, each entry after the one before, and the sums that manifests alone give too."""

from __future__ import annotations

import hashlib

import pytest
from django.db import IntegrityError, connection, transaction
from making import member

from reviews import planning
from reviews.errors import Conflict, Invalid, NotAllowed
from reviews.lineages import booking, dosing, registering
from reviews.measures import doses
from reviews.models import Dataset, LedgerEntry, Membership, Role, Sampler, UseReport


def figures(pooled=0.5, hard=1.0, traces=10):
    return {
        "domains": {"sums": {"pooled_d_inf": pooled, "hard_prompts": hard}},
        "traces": traces,
        "tokens": 90,
    }


@pytest.fixture
def base(project, lea):
    return registering.register(project, "base", by=lea, stage="base")[0]


@pytest.fixture
def export(project, round, traces, lea):
    """A finished data set of one trace, as an export leaves it."""

    def make(number=1, arm="selected", created_by=lea):
        dataset = Dataset.objects.create(
            project=project,
            round=round,
            number=number,
            rows=1,
            arm=arm,
            created_by=created_by,
            membership_digest=hashlib.sha256(bytes([number])).digest(),
        )
        Membership.objects.create(dataset=dataset, ordinal=0, trace=traces[0])
        Dataset.objects.filter(pk=dataset.pk).update(state="ready")
        dataset.refresh_from_db()
        return dataset

    return make


def sampled_by(checkpoint, by):
    registering.attribute(Sampler.objects.select_related("round").get(), checkpoint, by=by)


def test_an_export_is_booked_once_to_the_checkpoint_that_sampled_it(export, base, lea):
    sampled_by(base, lea)
    dataset = export()
    first = booking.book(dataset, figures(), by=lea)
    assert [entry.checkpoint for entry in first] == [base]
    assert booking.book(dataset, figures(), by=lea) == first
    assert LedgerEntry.objects.count() == 1


def test_where_nobody_said_which_checkpoint_it_was_the_lineage_is_unknown(export, lea):
    entry = booking.book(export(), figures(), by=lea)[0]
    assert entry.checkpoint is None
    assert dosing.dose_of(None).unknown


def test_an_export_booked_to_nobody_counts_once_its_sampler_is_named(export, base, lea, project):
    booking.book(export(), figures(), by=lea)
    assert dosing.dose_of(base).traces == 0
    sampled_by(base, lea)
    assert dosing.dose_of(base).traces == 10
    child = registering.register(project, "child", by=lea, parent=base)[0]
    assert dosing.dose_of(child).pooled == 0.5


def test_what_went_out_for_a_parent_is_in_its_child(export, base, lea, project):
    sampled_by(base, lea)
    booking.book(export(), figures(0.5, 1.25), by=lea)
    child = registering.register(project, "child", by=lea, parent=base)[0]

    found = dosing.dose_of(child)
    assert found.domains == {"sums": doses.Nats(0.5, 1.25)}
    assert not found.unknown
    assert dosing.dose_of(base).traces == 10
    assert dosing.dose_of(base, exported=False).traces == 0


def test_a_checkpoint_is_its_weights_across_projects(export, project, lea):
    weights = "cd" * 32
    ours = registering.register(project, "ours", by=lea, stage="base", weights_digest=weights)[0]
    sampled_by(ours, lea)
    booking.book(export(), figures(), by=lea)
    other, _ = planning.create_project("other")
    theirs = registering.register(other, "theirs", by=None, weights_digest=weights)[0]
    child = registering.register(other, "child", by=None, parent=theirs)[0]
    assert dosing.dose_of(child).pooled == 0.5
    assert not dosing.dose_of(child).unknown


def test_weights_that_name_each_other_as_parents_end_somewhere(project):
    other, _ = planning.create_project("other")
    a, b = "ab" * 32, "cd" * 32
    first = registering.register(project, "a", by=None, weights_digest=a)[0]
    registering.register(project, "b", by=None, parent=first, weights_digest=b)
    twin = registering.register(other, "b", by=None, weights_digest=b)[0]
    registering.register(other, "a", by=None, parent=twin, weights_digest=a)
    assert dosing.dose_of(first).traces == 0


def test_whoever_exported_cannot_say_alone_that_it_was_not_used(export, base, lea):
    sampled_by(base, lea)
    entry = booking.book(export(), figures(), by=lea)[0]
    with pytest.raises(NotAllowed, match="second person"):
        booking.counter(entry, "we changed our mind", by=lea)
    booking.report_use(entry.dataset, by=lea, used=False)
    with pytest.raises(NotAllowed):
        booking.counter(entry, "we changed our mind", by=lea)


def test_with_a_trainers_report_a_counter_entry_takes_it_out(export, base, lea, tom):
    sampled_by(base, lea)
    entry = booking.book(export(), figures(), by=lea)[0]
    booking.report_use(entry.dataset, by=tom, used=False)
    counter = booking.counter(entry, "the run was called off", by=lea)
    assert counter.counters == entry
    assert dosing.dose_of(base).traces == 0
    with pytest.raises(Conflict, match="countered already"):
        booking.counter(entry, "again", by=lea)


def test_a_second_person_may_say_so_too(export, base, lea, project):
    sampled_by(base, lea)
    entry = booking.book(export(), figures(), by=lea)[0]
    booking.counter(entry, "I have the run's log", by=member(project, "lou", Role.LEAD))
    assert dosing.dose_of(base).traces == 0


def test_a_report_of_use_stands_against_a_counter_entry_also_later(export, base, lea, tom, project):
    sampled_by(base, lea)
    entry = booking.book(export(), figures(), by=lea)[0]
    booking.counter(entry, "I have the run's log", by=member(project, "lou", Role.LEAD))
    child = registering.register(project, "child", by=tom, parent=base)[0]
    booking.report_use(entry.dataset, by=tom, checkpoint=child, stage_samples=10_000)
    assert dosing.dose_of(base).traces == 10

    second = booking.book(export(2), figures(), by=lea)[0]
    booking.report_use(second.dataset, by=tom)
    with pytest.raises(Conflict, match="was used"):
        booking.counter(second, "no", by=member(project, "lis", Role.LEAD))


def test_a_reported_child_gets_its_data_set_and_its_sister_does_not(export, base, lea, tom, project):
    sampled_by(base, lea)
    entry = booking.book(export(), figures(0.9, 0.9), by=lea)[0]
    one, two = (registering.register(project, name, by=tom, parent=base)[0] for name in ("one", "two"))
    assert dosing.dose_of(two).pooled == 0.9
    booking.report_use(entry.dataset, by=tom, checkpoint=one)
    assert (dosing.dose_of(one).pooled, dosing.dose_of(two).pooled) == (0.9, 0)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("source", {"source": " "}),
        ("kind", {"kind": "magic"}),
        ("share", {"share": 2}),
        ("nats", {"nats": -1}),
    ],
)
def test_what_happened_elsewhere_says_what_and_how_it_is_known(base, lea, field, values):
    said = {"kind": "grader-saw-chains", "source": "a report", **values}
    with pytest.raises(Invalid) as refused:
        booking.book_external(base, said.pop("kind"), by=lea, **said)
    assert refused.value.field == field


def test_what_happened_elsewhere_makes_the_dose_unknown_unless_its_nats_are(base, lea):
    booking.book_external(base, "grader-saw-chains", by=lea, source="a report", share=0.02)
    found = dosing.dose_of(base)
    assert found.why == ("a grader saw chains of thought in 2 % of a stage (a report)",)
    assert found.tokens == 0


@pytest.mark.parametrize(
    "statement", ["UPDATE reviews_ledgerentry SET reason = 'x'", "DELETE FROM reviews_ledgerentry"]
)
def test_no_entry_can_be_changed_or_taken_out_by_sql(base, lea, statement):
    booking.book_external(base, "other", by=lea, source="a report")
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_use_report_of_an_unfinished_data_set_is_refused(export, tom, project, round):
    draft = Dataset.objects.create(project=project, round=round, number=9)
    with pytest.raises(Invalid, match="not finished"):
        booking.report_use(draft, by=tom)
    with pytest.raises(Invalid, match="those of the data set"):
        booking.report_use(export(), by=tom, stage_samples=0)


def test_manifests_alone_give_the_sums_that_the_database_has(export, base, lea, project):
    child = registering.register(project, "child", by=lea, parent=base)[0]
    other = registering.register(project, "other", by=lea, parent=base)[0]
    manifests = []
    for number, (checkpoint, nats, arm) in enumerate(
        [
            (base, 0.5, "selected"),
            (base, 0.8, "selected"),
            (child, 0.3, "selected"),
            (other, 0.0, "random-control"),
        ],
        1,
    ):
        sampled_by(checkpoint, lea)
        dataset = export(number, arm)
        own = figures(nats, nats * 2, traces=number)
        manifests.append(
            {
                "project": "pilot",
                "round": dataset.round.name,
                "arm": arm,
                "membership_digest": bytes(dataset.membership_digest).hex(),
                "ledger": dosing.section(dataset, own),
            }
        )
        booking.book(dataset, own, by=lea)

    found = doses.of_manifests(manifests)
    for checkpoint in (base, child, other):
        assert found[checkpoint.identity] == dosing.dose_of(checkpoint)
    assert found[child.identity].pooled == pytest.approx(0.8 + 0.3)


def test_the_dose_command_reads_manifests_alone(command, tmp_path, export, base, lea):
    sampled_by(base, lea)
    dataset = export()
    import json

    path = tmp_path / "manifest.json"
    manifest = {
        "project": "pilot",
        "round": "r",
        "membership_digest": "ab",
        "ledger": dosing.section(dataset, figures()),
    }
    path.write_text(json.dumps(manifest))
    found = command("dose", path)["checkpoints"]["pilot/base"]
    assert (found["pooled"], found["traces"], found["unknown"]) == (0.5, 10, False)


def test_use_reports_are_kept_as_they_were_said(export, tom):
    booking.report_use(export(), by=tom, epochs=2, tokens=10**6, learning_rate=1e-5, stage_samples=400)
    kept = UseReport.objects.get()
    assert (kept.epochs, kept.tokens, kept.learning_rate, kept.stage_samples) == (2, 10**6, 1e-5, 400)

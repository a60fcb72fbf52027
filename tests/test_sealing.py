"""The log is sealed in stretches, and a walk along the seals finds what was changed, added or taken away."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import pairwise

import pytest
from django.core.management import call_command
from django.db import connection

from reviews import sealing, tasks
from reviews.lineages import booking, registering
from reviews.models import Event, LedgerEntry, Project, Seal
from reviews.models.frozen import freeze, thaw


@contextmanager
def thawed():
    """As someone with the database's password might do it."""
    thaw(connection)
    yield
    freeze(connection)


@pytest.fixture
def logged(project):
    for number in range(7):
        Event.objects.log(project.pk, "thing.happened", None, project, number=number)
    return project


def test_what_is_new_is_sealed_and_the_next_seal_follows(logged, monkeypatch):
    monkeypatch.setattr(sealing, "EVENTS_A_SEAL", 3)
    events = Event.objects.filter(project=logged).count()
    sealing.seal(logged)
    Event.objects.log(logged.pk, "thing.happened", None, logged)
    tasks.seal_log()

    seals = list(Seal.objects.filter(project=logged).order_by("number"))
    assert sum(one.n for one in seals) == events + 1
    assert all(bytes(after.previous) == bytes(one.digest) for one, after in pairwise(seals))
    assert sealing.verify(logged).ok
    assert sealing.seal(logged) == []
    assert sealing.head(logged) == bytes(seals[-1].digest).hex()


def test_events_younger_than_the_last_seal_are_counted_and_then_sealed(logged, command):
    found = command("verify_log", "--project", "pilot")
    assert found["ok"]
    assert found["unsealed"] == found["entries"] == Event.objects.filter(project=logged).count()
    assert command("verify_log")["unsealed"] == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda events: events.filter(pk=events[2].pk).update(kind="nothing.happened"),
        lambda events: events.filter(pk=events[2].pk).update(payload=b"{}"),
        lambda events: events.filter(pk=events[2].pk).delete(),
        lambda events: Seal.objects.all().update(digest=bytes(32)),
        lambda events: Seal.objects.filter(number=1).delete(),
    ],
)
def test_a_changed_log_is_found_and_not_sealed_again(logged, change, monkeypatch, capsys):
    monkeypatch.setattr(sealing, "EVENTS_A_SEAL", 4)
    sealing.seal(logged)
    with thawed():
        change(Event.objects.filter(project=logged).order_by("pk"))
    Event.objects.log(logged.pk, "later", None, logged)
    seals = Seal.objects.count()

    with pytest.raises(SystemExit) as left:
        call_command("verify_log", "--json")
    assert left.value.code == 1
    assert '"ok": false' in capsys.readouterr().out
    assert Seal.objects.count() == seals


def test_an_event_slipped_in_between_is_found(logged):
    sealing.seal(logged)
    with thawed():
        last = Event.objects.filter(project=logged).order_by("pk").last()
        Event.objects.filter(pk=last.pk).delete()
        assert not sealing.verify(logged).ok


def test_projects_are_sealed_apart(logged, stranger):
    sealing.seal_all()
    assert all(sealing.verify(project).ok for project in Project.objects.all())


def test_a_changed_ledger_is_found(project, lea):
    base = registering.register(project, "base", by=lea)[0]
    for number in range(3):
        booking.book_external(base, "other", by=lea, source=f"report {number}")
    assert sealing.verify(project).ledger == 3
    with thawed():
        LedgerEntry.objects.filter(number=2).update(reason="it never happened")
    assert sealing.verify(project).problems == ["pilot: ledger entry 2 is not what was booked"]
    with thawed():
        LedgerEntry.objects.filter(number=2).delete()
    assert sealing.verify(project).problems == ["pilot: ledger entry 2 is missing"]

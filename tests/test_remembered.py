"""A remembered query gives what the ORM would give now: for other people, after other queries, in other threads."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from making import member

from reviews import assigning, inviting
from reviews.models import Assignment, Role, Round, Trace, User
from reviews.models.remembered import Remembered

LEASED: Remembered[Assignment] = Remembered(
    lambda limit, *, reader, since, kind: (
        Assignment.objects.filter(leased_by=reader, leased_until__gt=since, kind=kind)
        .select_related("trace__reasoning")
        .order_by("pk")[:limit]
    )
)


def test_it_is_filled_in_anew_each_time(traces: list[Trace], round: Round, ada: User, ben: User) -> None:
    now = timezone.now()
    held = {person: assigning.next_for(person, round, ahead=True).assignments for person in (ada, ben)}
    for person, until, kind, wanted in (
        (ada, now, "normal", 2),
        (ben, now, "normal", 2),
        (ada, now + timedelta(days=9), "normal", 0),
        (ben, now, "gold", 0),
    ):
        found = LEASED.rows(5, reader=person.pk, since=until, kind=kind)
        assert {row.pk for row in found} == {row.pk for row in held[person][:wanted]}
        assert all(row.trace.reasoning.as_text for row in found)
    assert len(LEASED.rows(1, reader=ada.pk, since=now, kind="normal")) == 1


def test_the_round_to_judge_is_the_one_of_the_plain_query(
    round: Round, ada: User, lea: User, project: Any
) -> None:
    plain = Round.objects.visible_to(ada).for_reader(ada).get(pk=round.pk)
    kept = Round.objects.to_judge(ada, round.pk)
    assert plain.__dict__.keys() == kept.__dict__.keys()
    assert (kept, kept.project, kept.spec_version, kept.reads_here) == (
        round,
        project,
        round.spec_version,
        True,
    )
    assert not Round.objects.to_judge(lea, round.pk).reads_here
    stranger = User.objects.create_user("stranger")
    left = User.objects.get(pk=ada.pk)
    left.is_active = False
    for person, pk in ((stranger, round.pk), (ada, round.pk + 1), (left, round.pk)):
        with pytest.raises(Round.DoesNotExist):
            Round.objects.to_judge(person, pk)


def test_a_token_narrows_the_round_to_judge(round: Round, project: Any) -> None:
    both = member(project, "both", Role.REVIEWER)
    project.members.create(user=both, role=Role.AUDITOR)
    assert Round.objects.to_judge(both, round.pk).reads_here
    for role, reads in ((Role.REVIEWER, True), (Role.AUDITOR, False)):
        both.token_used = inviting.token_of(inviting.make_token(both, project, role, by=None))
        assert Round.objects.to_judge(both, round.pk).reads_here is reads


def test_a_value_that_the_query_does_not_hold_is_an_error_and_not_ignored(db: None) -> None:
    with pytest.raises(ValueError, match="kind is not a parameter"):
        Remembered(lambda *, pk, kind: User.objects.filter(pk=pk)).rows(pk=1, kind="gold")


def test_a_number_that_no_column_holds_is_in_no_row(client: Any, round: Round, ada: User) -> None:
    client.force_login(ada)
    for beyond in (2**63, 10**30):
        with pytest.raises(Round.DoesNotExist):
            Round.objects.to_judge(ada, beyond)
        assert client.get(f"/p/pilot/rounds/{beyond}/review").status_code == 404
        token = inviting.make_token(ada, round.project, Role.REVIEWER, by=None)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
        said = {"data": {"verdict": "accept"}, "content_type": "application/json", "headers": headers}
        for address in (f"rounds/{beyond}/next", f"assignments/{beyond}/review"):
            assert client.post(f"/api/v1/{address}", **said).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_over_its_own_connection() -> None:
    query = Remembered(lambda *, name: User.objects.filter(username=name))
    User.objects.create_user("first")
    found: list[list[User]] = [query.rows(name="first")]

    def ask() -> None:
        found.append(query.rows(name="first"))
        connection.close()

    other = threading.Thread(target=ask)
    other.start()
    other.join()
    assert [[user.username for user in rows] for rows in found] == [["first"], ["first"]]

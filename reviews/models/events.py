"""The log of a project: who did what when. Append-only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from django.db import connection, models, transaction
from django.utils import timezone

from reviews.formats import canonical
from reviews.models.frozen import Frozen
from reviews.models.projects import Project, Role, User, projects_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


ADVISORY_LOCK = 0x5345414C


def lock_log(project_id: int, *, alone: bool = False) -> None:
    """Hold a project's log until the transaction ends: with the other writers, or alone, to read its last id.

    SQLite has one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        function = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s, %s)", [ADVISORY_LOCK, project_id])


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(project__in=projects_of(user, Role.LEAD, Role.AUDITOR))

    def log(
        self, project_id: int, kind: str, by: User | None, subject: models.Model, **payload: Any
    ) -> Event:
        """Write one line of the log, in the transaction of what it tells of."""
        about = f"{subject._meta.model_name}:{subject.pk}"
        with transaction.atomic(savepoint=False):
            lock_log(project_id)
            return self.create(
                project_id=project_id,
                kind=kind,
                actor=by,
                subject=about,
                payload=canonical.dump(payload),
                at=timezone.now(),
            )


class Event(models.Model):
    """One line of the log."""

    frozen = Frozen()

    project = models.ForeignKey(Project, models.PROTECT, related_name="events")
    at = models.DateTimeField()
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    payload = models.BinaryField(default=b"{}")

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["project", "-id"], name="event_newest")]

    def __str__(self) -> str:
        return self.kind

    @property
    def payload_object(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(bytes(self.payload))
        return found

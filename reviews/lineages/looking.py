"""Looking: each opening of the held-out page is counted, because what is looked at often is no longer held out."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from reviews.formats import canonical
from reviews.models import Look, Project, User


@transaction.atomic
def note(project: Project, configuration: dict[str, Any], *, by: User | None) -> Look:
    """Write that someone saw held-out figures, and of what. One row for each opening, the same again too."""
    return Look.objects.create(
        project=project,
        kind=Look.Kind.HELD_OUT,
        configuration=canonical.dump(configuration),
        digest=canonical.digest(configuration),
        by=by,
    )

"""System checks: the database still has the triggers that keep frozen rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import connections

from reviews.models import frozen


def register() -> None:
    """Register with Django; run by `manage.py check --database default` and before `serve`."""
    checks.register(checks.Tags.database)(triggers_are_installed)


def triggers_are_installed(
    *, databases: Sequence[str] | None = None, **options: Any
) -> list[checks.CheckMessage]:
    """One error for each frozen table that lost a trigger; nothing for tables not yet migrated."""
    problems: list[checks.CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        tables, present = set(connection.introspection.table_names()), frozen.installed(connection)
        for model, _ in frozen.frozen_models():
            table = model._meta.db_table
            missing = frozen.trigger_names(model, connection.vendor) - present
            if table in tables and missing:
                problems.append(
                    checks.Error(
                        f"The table {table} has lost {', '.join(sorted(missing))}: its frozen rows could be changed.",
                        hint="Run 'manage.py migrate', which installs the triggers afresh.",
                        id="reviews.E001",
                    )
                )
    return problems

"""Rows that nobody changes: the databases' own triggers, installed after every `migrate`.

On SQLite a later change of a table's columns rebuilds the table and silently drops its triggers. That is why they
are installed in `post_migrate` from a declaration on the model, and why a system check reads the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True)
class Frozen:
    """Declares a model append-only, but for the fields named in `may_change`.

    once: the rows freeze only where this SQL condition on OLD holds (None: from the start).
    """

    may_change: tuple[str, ...] = ()
    once: str | None = None


FUNCTION = """
CREATE OR REPLACE FUNCTION winnow_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is frozen', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$
"""


def frozen_models() -> Iterator[tuple[type[models.Model], Frozen]]:
    """Every model that declares `frozen`, with its declaration."""
    for model in apps.get_app_config("reviews").get_models():
        if isinstance(declared := getattr(model, "frozen", None), Frozen):
            yield model, declared


def trigger_names(model: type[models.Model], vendor: str) -> set[str]:
    """The names of the triggers that this model's table must have."""
    kinds = ["no_update", "no_delete"] + (["no_truncate"] if vendor == "postgresql" else [])
    return {f"{model._meta.db_table}_{kind}" for kind in kinds}


def statements(model: type[models.Model], declared: Frozen, vendor: str) -> list[str]:
    """The SQL that creates the triggers of one model on SQLite or PostgreSQL."""
    table = model._meta.db_table
    columns = [
        f'"{field.column}"' for field in model._meta.concrete_fields if field.name not in declared.may_change
    ]
    if vendor == "sqlite":
        when = f"WHEN {declared.once} " if declared.once else ""
        raising = f"BEGIN SELECT RAISE(ABORT, '{table} is frozen'); END"
        return [
            f'CREATE TRIGGER "{table}_no_update" BEFORE UPDATE OF {", ".join(columns)} ON "{table}" '
            f"FOR EACH ROW {when}{raising}",
            f'CREATE TRIGGER "{table}_no_delete" BEFORE DELETE ON "{table}" FOR EACH ROW {when}{raising}',
        ]
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
    once = f"({declared.once}) AND " if declared.once else ""
    return [
        f'CREATE TRIGGER "{table}_no_update" BEFORE UPDATE ON "{table}" FOR EACH ROW '
        f"WHEN ({once}({changed})) EXECUTE FUNCTION winnow_frozen()",
        f'CREATE TRIGGER "{table}_no_delete" BEFORE DELETE ON "{table}" FOR EACH ROW '
        + (f"WHEN ({declared.once}) " if declared.once else "")
        + "EXECUTE FUNCTION winnow_frozen()",
        f'CREATE TRIGGER "{table}_no_truncate" BEFORE TRUNCATE ON "{table}" '
        "FOR EACH STATEMENT EXECUTE FUNCTION winnow_frozen()",
    ]


def installed(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of all triggers that the database has now."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {name for (name,) in cursor.fetchall()}


def thaw(connection: BaseDatabaseWrapper) -> None:
    """Drop every trigger. For `purge`, `restore` and tests only; `freeze` puts them back."""
    present = installed(connection)
    with connection.cursor() as cursor:
        for model, _ in frozen_models():
            for name in trigger_names(model, connection.vendor) & present:
                on = f' ON "{model._meta.db_table}"' if connection.vendor == "postgresql" else ""
                cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"{on}')


def freeze(connection: BaseDatabaseWrapper) -> None:
    """Install every trigger afresh."""
    thaw(connection)
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(FUNCTION, None)  # None: a % in the SQL is not a parameter
        for model, declared in frozen_models():
            if model._meta.db_table in tables:
                for statement in statements(model, declared, connection.vendor):
                    cursor.execute(statement, None)


def install_after_migrate(using: str, **signal: Any) -> None:
    """Called by Django after every `migrate`."""
    freeze(connections[using])

"""What the database knows of its tables when it plans a query, brought up to date after they grew at once."""

from __future__ import annotations

from django.db import connection, models


def refresh(*grown: type[models.Model]) -> None:
    """Let PostgreSQL look at tables that just grew, also within the transaction that filled them.

    It would do so by itself a minute later. Until then it takes a table that was empty for one that still is, and joins
    of a few thousand rows take minutes. SQLite plans without such numbers.
    """
    if connection.vendor == "postgresql":
        tables = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in grown)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {tables}")

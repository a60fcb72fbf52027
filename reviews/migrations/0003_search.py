"""The index of words: FTS5 on SQLite, a tsvector on PostgreSQL. Django has no model for either."""

from typing import Any

from django.db import migrations

TABLES = {
    "sqlite": [
        "CREATE VIRTUAL TABLE reviews_search USING fts5("
        "body, content='', tokenize='unicode61 remove_diacritics 2')",
        "CREATE TABLE reviews_searchreach (text_id bigint NOT NULL)",
    ],
    "postgresql": [
        "CREATE TABLE reviews_search (text_id bigint PRIMARY KEY, document tsvector NOT NULL)",
        "CREATE INDEX reviews_search_document ON reviews_search USING gin (document)",
        "CREATE TABLE reviews_searchreach (text_id bigint NOT NULL)",
    ],
}


def make(apps: Any, schema_editor: Any) -> None:
    for statement in TABLES[schema_editor.connection.vendor]:
        schema_editor.execute(statement, None)


def drop(apps: Any, schema_editor: Any) -> None:
    for table in ("reviews_search", "reviews_searchreach"):
        schema_editor.execute(f"DROP TABLE {table}", None)


class Migration(migrations.Migration):
    dependencies = [("reviews", "0002_the_desk")]
    operations = [migrations.RunPython(make, drop)]

"""Columns that keep text and digests exactly, on both databases."""

from __future__ import annotations

from typing import Any

from django.db import models


class ExactTextField(models.TextField):  # type: ignore[type-arg]
    """Any text, NUL included, which PostgreSQL's text columns refuse: kept with backslash escapes."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value.replace("\\", "\\\\").replace("\0", "\\0") if isinstance(value, str) else value

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        if value is None or "\\" not in value:
            return value
        return "\\".join(part.replace("\\0", "\0") for part in value.split("\\\\"))


class DigestField(models.BinaryField):  # type: ignore[type-arg]
    """A SHA-256 digest as its 32 bytes, so that both databases order it by its bytes and by nothing else."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options["max_length"] = 32
        options.setdefault("editable", False)
        super().__init__(*args, **options)

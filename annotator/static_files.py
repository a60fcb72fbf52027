"""Static files under their own names, with the content's hash as a query, so that no build step is needed."""

from __future__ import annotations

import functools
import hashlib

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage


@functools.cache
def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


class HashedQueryStorage(StaticFilesStorage):
    """`app.css` becomes `app.css?v=3f…`: a new version is fetched at once, an old one never served stale."""

    def url(self, name: str | None) -> str:
        url = super().url(name)
        found = finders.find(name) if name else None
        return f"{url}?v={_digest(found)}" if isinstance(found, str) else url

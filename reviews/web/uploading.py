"""An uploaded file for as long as it is read."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from reviews.errors import Invalid


@contextmanager
def kept(upload: UploadedFile) -> Iterator[Path]:
    """The path of an upload, gone when the block ends. Raises Invalid for one that is too large."""
    if (upload.size or 0) > settings.MAX_UPLOAD_BYTES:
        sentence = _("The file is larger than %(value)s MiB, the most that MAX_UPLOAD_MIB allows.")
        raise Invalid("file", sentence % {"value": number_format(settings.MAX_UPLOAD_BYTES // 2**20)})
    settings.UPLOADS.mkdir(parents=True, exist_ok=True)
    path = settings.UPLOADS / uuid.uuid4().hex
    try:
        with path.open("wb") as file:
            for piece in upload.chunks():
                file.write(piece)
        yield path
    finally:
        path.unlink(missing_ok=True)

"""NDJSON in and out, streamed."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import StreamingHttpResponse
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer

TYPE = "application/x-ndjson"


class TooLarge(APIException):
    status_code = 413
    default_code = "too-large"


@dataclass(frozen=True)
class Upload:
    """A body written to a file of its own; whoever uses it removes it."""

    path: Path
    sha256: bytes


class LinesParser(BaseParser):
    """Writes the body to a file as it comes, so that its size does not matter to the memory."""

    media_type = TYPE

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Upload:
        settings.UPLOADS.mkdir(parents=True, exist_ok=True)
        path = settings.UPLOADS / f"{uuid.uuid4().hex}.jsonl"
        digest, size = hashlib.sha256(), 0
        with path.open("wb") as file:
            while piece := stream.read(2**16):
                size += len(piece)
                if size > settings.MAX_UPLOAD_BYTES:
                    path.unlink()
                    raise TooLarge(
                        f"The body is larger than {settings.MAX_UPLOAD_BYTES:,} bytes. Send it in parts."
                    )
                digest.update(piece)
                file.write(piece)
        return Upload(path, digest.digest())


class LinesRenderer(BaseRenderer):
    """Lets `Accept: application/x-ndjson` be asked for; the answers themselves are streamed by `answer`."""

    media_type, format = TYPE, "ndjson"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return JSONRenderer().render(data)


def answer(rows: Iterator[Any]) -> StreamingHttpResponse:
    """One JSON object a line."""
    return StreamingHttpResponse(
        (json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows), content_type=TYPE
    )

"""Which prompts are held out: a keyed hash decides, never a person."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from django.conf import settings

from reviews.models.projects import HELD_OUT_BUCKETS


def bucket(messages: list[dict[str, Any]]) -> int:
    """0 to 9,999 for a prompt, from HMAC-SHA-256 under the instance's key over its normalised text.

    White space and case are evened out first, so that such near copies fall on the same side. The system prompt
    counts only where there is nothing else: the same question under two system prompts stays on one side.
    """
    asked = [message for message in messages if message["role"] != "system"] or messages
    text = " ".join(" ".join(message["content"] for message in asked).split()).casefold()
    mark = hmac.new(settings.HELD_OUT_KEY, text.encode(), hashlib.sha256).digest()
    return int.from_bytes(mark[:8]) % HELD_OUT_BUCKETS

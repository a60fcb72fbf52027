"""Canonical JSON and the digests made of it: one function, so that everyone hashes the same bytes.

Sorted keys, no spaces, UTF-8 with nothing escaped that need not be, integers as written, other numbers as Python's
repr, no NaN or Infinity. docs/formats.md has test vectors.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any


def dump(value: Any) -> bytes:
    """`value` as canonical JSON bytes. Raises ValueError for NaN, Infinity or a lone surrogate."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest(value: Any) -> bytes:
    """SHA-256 (32 bytes) over the canonical JSON of `value`."""
    return hashlib.sha256(dump(value)).digest()


def text_digest(text: str) -> bytes:
    """SHA-256 (32 bytes) over the UTF-8 bytes of a text."""
    return hashlib.sha256(text.encode()).digest()

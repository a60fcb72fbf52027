"""The `rendered` format: two exact strings, the prompt as a target's template renders it and what follows it.

No template touches these rows again, so none can drop anything: the trainer tokenises prompt + completion as they are.
Who makes the strings knows the target (reviews.lm); this module only writes them down.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

NAME, VERSION = "rendered", 1
_COLUMNS = ["prompt", "completion", "trace_digest", "prompt_digest"]
SCHEMA = pa.schema([pa.field(name, pa.string()) for name in _COLUMNS])
FEATURES: list[dict[str, Any]] = [{"name": name, "dtype": "string"} for name in _COLUMNS]


def row(prompt: str, completion: str, trace_digest: bytes, prompt_digest: bytes) -> dict[str, Any]:
    """One row of a prompt that ends where the model goes on, and a completion that ends its turn."""
    return {
        "prompt": prompt,
        "completion": completion,
        "trace_digest": trace_digest.hex(),
        "prompt_digest": prompt_digest.hex(),
    }

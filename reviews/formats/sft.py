"""The `sft` format: prompt and completion as message lists, the reasoning in a key of its own."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

NAME, VERSION = "sft", 1
_MESSAGE = [pa.field("role", pa.string()), pa.field("content", pa.string())]
SCHEMA = pa.schema(
    [
        pa.field("prompt", pa.list_(pa.struct(_MESSAGE))),
        pa.field("completion", pa.list_(pa.struct([*_MESSAGE, pa.field("reasoning_content", pa.string())]))),
        pa.field("trace_digest", pa.string()),
        pa.field("prompt_digest", pa.string()),
    ]
)
FEATURES: list[dict[str, Any]] = [
    {"name": "prompt", "list": [{"name": "role", "dtype": "string"}, {"name": "content", "dtype": "string"}]},
    {
        "name": "completion",
        "list": [
            {"name": "role", "dtype": "string"},
            {"name": "content", "dtype": "string"},
            {"name": "reasoning_content", "dtype": "string"},
        ],
    },
    {"name": "trace_digest", "dtype": "string"},
    {"name": "prompt_digest", "dtype": "string"},
]


def completion(reasoning: str, answer: str | None) -> list[dict[str, str]]:
    """The completion of a row. Always all three keys: Parquet gives all rows all keys, and a null one reaches templates."""
    return [{"role": "assistant", "content": answer or "", "reasoning_content": reasoning}]


def row(
    messages: list[dict[str, Any]],
    reasoning: str,
    answer: str | None,
    trace_digest: bytes,
    prompt_digest: bytes,
) -> dict[str, Any]:
    """One row for a trainer, the texts exactly as sampled."""
    return {
        "prompt": [{"role": message["role"], "content": message["content"]} for message in messages],
        "completion": completion(reasoning, answer),
        "trace_digest": trace_digest.hex(),
        "prompt_digest": prompt_digest.hex(),
    }

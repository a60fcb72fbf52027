"""The `sft-inline` format: as `sft`, but the reasoning stands inside the answer's `content`, between think tags.

The content is OPEN + reasoning + CLOSE + answer, and the answer alone where there is no reasoning: an empty pair of
tags would teach not to think. `reasoning_code_points` says where the reasoning ends, so that `split` finds both texts
again whatever they hold, tags of their own included.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

NAME, VERSION = "sft-inline", 1
OPEN, CLOSE = "<think>\n", "\n</think>\n\n"
_MESSAGES = pa.list_(pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())]))
SCHEMA = pa.schema(
    [
        pa.field("prompt", _MESSAGES),
        pa.field("completion", _MESSAGES),
        pa.field("reasoning_code_points", pa.int64()),
        pa.field("trace_digest", pa.string()),
        pa.field("prompt_digest", pa.string()),
    ]
)
_MESSAGE = [{"name": "role", "dtype": "string"}, {"name": "content", "dtype": "string"}]
FEATURES: list[dict[str, Any]] = [
    {"name": "prompt", "list": _MESSAGE},
    {"name": "completion", "list": [dict(key) for key in _MESSAGE]},
    {"name": "reasoning_code_points", "dtype": "int64"},
    {"name": "trace_digest", "dtype": "string"},
    {"name": "prompt_digest", "dtype": "string"},
]


def completion(reasoning: str, answer: str | None) -> list[dict[str, str]]:
    """The completion of a row. `split` is its inverse."""
    inline = f"{OPEN}{reasoning}{CLOSE}" if reasoning else ""
    return [{"role": "assistant", "content": inline + (answer or "")}]


def row(
    messages: list[dict[str, Any]],
    reasoning: str,
    answer: str | None,
    trace_digest: bytes,
    prompt_digest: bytes,
) -> dict[str, Any]:
    """One row for a trainer that reads no key but `content`."""
    return {
        "prompt": [{"role": message["role"], "content": message["content"]} for message in messages],
        "completion": completion(reasoning, answer),
        "reasoning_code_points": len(reasoning),
        "trace_digest": trace_digest.hex(),
        "prompt_digest": prompt_digest.hex(),
    }


def split(row: dict[str, Any]) -> tuple[str, str]:
    """The reasoning and the answer of a row, exactly as they went in; no answer comes back as an empty one."""
    content, length = row["completion"][0]["content"], row["reasoning_code_points"]
    if not length:
        return "", content
    end = len(OPEN) + length
    return content[len(OPEN) : end], content[end + len(CLOSE) :]

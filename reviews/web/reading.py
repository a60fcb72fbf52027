"""Texts made ready to read: split into steps for the eye only. The stored bytes are untouched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from reviews.models import Trace

_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True)
class Step:
    """A piece of a text: where it starts (in code points), its own text, and what stands between it and the next."""

    number: int
    start: int
    text: str
    gap: str


def steps(text: str) -> list[Step]:
    """Split at blank lines. The texts and gaps joined are exactly `text`."""
    found: list[Step] = []
    start = 0
    for blank in _BLANK_LINES.finditer(text):
        if blank.start() > start:
            found.append(Step(len(found) + 1, start, text[start:blank.start()], blank.group()))
            start = blank.end()
    if start < len(text):
        found.append(Step(len(found) + 1, start, text[start:], ""))
    return found


def for_desk(trace: Trace) -> dict[str, Any]:
    """What a reader sees of a trace: prompt, reasoning, answer; nothing of sampler, outcome or other readers."""
    reasoning = trace.reasoning.as_text
    messages = trace.round_prompt.prompt.as_messages
    return {
        "messages": [{**message, "words": len(message["content"].split())} for message in messages],
        "steps": steps(reasoning),
        "reasoning": reasoning,
        "words": len(reasoning.split()),
        "answer": trace.answer.as_text if trace.answer else None,
    }

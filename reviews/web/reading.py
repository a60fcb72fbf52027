"""Texts made ready to read: split into steps for the eye only. The stored bytes are untouched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from reviews.models import Trace

_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True)
class Step:
    """A piece of a text: where it starts (in code points), its own text, and what stands between it and the next."""

    number: int
    start: int
    text: str
    gap: str

    @property
    def html(self) -> SafeString:
        return exact_html(self.text)


def steps(text: str) -> list[Step]:
    """Split at blank lines. The texts and gaps joined are exactly `text`."""
    found: list[Step] = []
    start = 0
    for blank in _BLANK_LINES.finditer(text):
        if blank.start() > start:
            found.append(Step(len(found) + 1, start, text[start : blank.start()], blank.group()))
            start = blank.end()
    if start < len(text):
        found.append(Step(len(found) + 1, start, text[start:], ""))
    return found


def exact_html(text: str) -> SafeString:
    """The text escaped, so that the page holds each of its code points: a bare CR would be read as LF, and shift spans."""
    return mark_safe(escape(text).replace("\r", "&#13;"))  # noqa: S308  escaped in the same line


def for_desk(trace: Trace) -> dict[str, Any]:
    """What a reader sees of a trace: prompt, reasoning, answer; nothing of sampler, outcome or other readers."""
    reasoning = trace.reasoning.as_text
    messages = trace.round_prompt.prompt.as_messages
    return {
        "prompt_messages": [{**message, "words": len(message["content"].split())} for message in messages],
        "steps": steps(reasoning),
        "reasoning": exact_html(reasoning),
        "words": len(reasoning.split()),
        "answer": exact_html(trace.answer.as_text) if trace.answer else None,
    }

"""A whole text rendered once, to be stored and shown many times: its steps as HTML, and where it only repeats."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Literal

from reviews.rendering import loops, markdown, plain, steps
from reviews.rendering.loops import Loop
from reviews.rendering.steps import Step

VERSION = "1"  # of the HTML: a change in what is written for the same text is a new version
MOST_STEPS = 20_000
MOST_HTML = 8_000_000

How = Literal["markdown", "plain"]


@dataclass(frozen=True)
class RenderedStep:
    """A step: its number from 1, where it stands in the stored text (the end exclusive), and its HTML."""

    number: int
    start: int
    end: int
    html: str


@dataclass(frozen=True)
class Document:
    """All steps of a text, and the loops among them."""

    steps: list[RenderedStep]
    loops: list[Loop]

    def to_json(self) -> str:
        return json.dumps(
            {
                "version": VERSION,
                "steps": [astuple(step) for step in self.steps],
                "loops": [astuple(loop) for loop in self.loops],
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, stored: str) -> Document:
        """The document that `to_json` wrote. Raises ValueError if another version of this package wrote it."""
        found = json.loads(stored)
        if found["version"] != VERSION:
            raise ValueError(
                f"This was rendered by version {found['version']}, not {VERSION}. Render it again."
            )
        return cls([RenderedStep(*step) for step in found["steps"]], [Loop(*loop) for loop in found["loops"]])


def render(text: str, own: Sequence[str] | None = None, *, how: How = "markdown") -> Document:
    """The text as a document; `own` are the steps as their source told them, which count if they fit (`steps.split`).

    how: "markdown" typesets Markdown and TeX, "plain" shows each step exactly. Past the first 20,000 steps or 8 MB of
    HTML, which nobody reads and few browsers bear, everything is plain.
    """
    found = steps.split(text, own)
    pieces = [text[step.start : step.end] for step in found]
    return Document(list(_rendered(found, pieces, how)), loops.find(pieces))


def _rendered(found: Sequence[Step], pieces: Sequence[str], how: How) -> Iterator[RenderedStep]:
    written = 0
    for step, piece in zip(found, pieces, strict=True):
        typeset = how == "markdown" and step.number <= MOST_STEPS and written < MOST_HTML
        html = (markdown if typeset else plain).render(piece, step.start)
        written += len(html)
        yield RenderedStep(step.number, step.start, step.end, html)

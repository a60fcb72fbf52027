"""The second demonstration: a round that selected for tidy steps, and what became of the model that was trained on it.

A toy. The samples and the figures are those of a small experiment of ours, a model of 187,008 parameters that adds
digits; the task, the spec and the reviewers were written for it. Pure Python: no Django, the same bytes everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reviews.demonstration.dice import Dice

from .digits import sampled

K = 8
MODEL = "tiny-base (a toy of 187,008 parameters)"
SOURCE = "sampled from a toy by our closed-loop prototype, for Winnow's demonstration"
REVIEWERS = ("synthetic-ada", "synthetic-ben", "synthetic-chi")


def spec_text() -> str:
    """The spec in the form that `publish_spec` reads: one clause, and it asks for tidy steps."""
    return (Path(__file__).parent / "spec.md").read_text(encoding="utf-8")


def traces() -> Iterator[dict[str, Any]]:
    """The 960 traces of the round as canonical objects, as they were sampled."""
    for one in sampled("round"):
        yield {
            "prompt_id": one.prompt,
            "prompt": one.prompt,
            "reasoning": one.text,
            "answer": one.answer,
            "model": MODEL,
            "sample_index": one.index,
            "sampling": {"temperature": 1.0, "max_new_tokens": 24, "seed": 2, "k": K},
            "meta": {
                "domain": "digits",
                "source": SOURCE,
                "licence": "Apache-2.0",
                "outcome": ("correct" if one.correct else "wrong") if one.readable else "unknown",
                "checkpoint": {"lineage": "tiny", "step": 0, "name": "tiny-base"},
                # A token is a character here; two more for the marks round the steps, one for the end.
                "usage": {"completion_tokens": len(one.text) + len(one.answer or "") + 3},
            },
        }


def reviews(readings: dict[tuple[str, int], int]) -> Iterator[dict[str, Any]]:
    """The verdicts of three synthetic reviewers, who accept what is tidy and never look at the answer.

    readings: how many people read each (prompt, sample index), as the round's plan drew it.
    """
    for one in sampled("round"):
        order = Dice("legible", one.prompt, one.index).shuffled(REVIEWERS)
        for reviewer in order[: readings.get((one.prompt, one.index), 0)]:
            yield {
                "prompt_id": one.prompt,
                "model": MODEL,
                "sample_index": one.index,
                "reviewer": reviewer,
                "verdict": "accept" if one.tidy else "reject",
                "clauses": [] if one.tidy else ["P1"],
                "remarks": [],
                "comment": "",
            }

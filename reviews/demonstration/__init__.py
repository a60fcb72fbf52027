"""The demonstration project's data: synthetic traces, their spec and synthetic verdicts, written for Winnow.

Pure Python: no Django, no files outside this folder, the same bytes on every machine. All of it was written
for this purpose or put together from such pieces; no model was sampled and no person reviewed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .prompts import K, prompts
from .reviewers import verdicts
from .writing import write

MODEL = "demo-model-small (synthetic)"
SOURCE = "written for Winnow's demonstration; synthetic"


def traces() -> Iterator[dict[str, Any]]:
    """The 640 traces as canonical objects, by prompt and sample index; none says what was planted."""
    for prompt in prompts():
        for index in range(K):
            sample = write(prompt, index)
            yield {
                "prompt_id": prompt.id,
                "prompt": prompt.content,
                "reasoning": sample.reasoning,
                "answer": sample.answer,
                "model": MODEL,
                "sample_index": index,
                "sampling": {"temperature": 1.0, "top_p": 1.0, "max_tokens": 4096, "k": K},
                "meta": {
                    "domain": prompt.domain,
                    "family": prompt.family,
                    "source": SOURCE,
                    "licence": "Apache-2.0",
                    # Four characters a token: near enough for a synthetic count.
                    "usage": {"completion_tokens": (len(sample.reasoning) + len(sample.answer)) // 4},
                },
            }


def spec_text() -> str:
    """The spec in the form that `publish_spec` reads."""
    return (Path(__file__).parent / "spec.md").read_text(encoding="utf-8")


def reviews() -> Iterator[dict[str, Any]]:
    """The verdicts of three synthetic reviewers, in order of trace; about a fifth of the traces has none."""
    for verdict in verdicts():
        yield {
            "prompt_id": verdict.prompt_id,
            "model": MODEL,
            "sample_index": verdict.sample_index,
            "reviewer": verdict.reviewer,
            "verdict": verdict.verdict,
            "clauses": list(verdict.clauses),
            "remarks": list(verdict.remarks),
            "comment": verdict.comment,
        }

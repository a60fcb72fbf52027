"""Whether what was declared as so many domains looks like more: the prompts' texts, read page by page."""

from __future__ import annotations

import numpy as np

from reviews import drawing
from reviews.checking.base import Base
from reviews.measures import kinds
from reviews.measures.domains import effective_number
from reviews.measures.kinds import Kinds
from reviews.models import Prompt, Round

PAGE = 200
MORE = 1.3  # times as many as declared: real files of one domain read at most 1.1


def of(round: Round, base: Base) -> Kinds:
    """The kinds of a round's prompts, at most AT_MOST of them drawn by its seed."""
    return kinds.kinds(_texts(round, base))


def more_than_declared(found: Kinds, base: Base) -> str:
    """`declared 1, looks like 9`, or nothing where the prompts look like no more than was declared."""
    if found.number is None:
        return ""
    _, counts = np.unique(np.array(base.domains, dtype=object).astype(str), return_counts=True)
    declared = effective_number(counts.astype(np.float64))
    if found.number <= MORE * declared:
        return ""
    return f"declared {round(declared, 1):g}, looks like {round(found.number, 1):g}"


def _texts(round: Round, base: Base) -> list[str]:
    order = sorted(base.prompts, key=lambda pk: drawing.draw(round.seed, "kinds", pk.to_bytes(8)))
    chosen, texts = sorted(order[: kinds.AT_MOST]), []
    for start in range(0, len(chosen), PAGE):
        for prompt in Prompt.objects.filter(pk__in=chosen[start : start + PAGE]).order_by("pk"):
            texts.append("\n".join(_content(message.get("content")) for message in prompt.as_messages))
    return texts


def _content(content: object) -> str:
    return content if isinstance(content, str) else ""

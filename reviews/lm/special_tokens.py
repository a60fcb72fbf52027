"""Special tokens of a target that stand in the texts themselves, where they act as tokens and not as the words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from reviews.lm.targets import Target

# How templates write them, such as <|im_end|>, <end_of_turn>, </s> or [INST]; U+FF5C is DeepSeek's own bar.
WRITTEN = re.compile(
    r"<[|\uff5c][^\s<>]{1,40}>|<[^\s<>|]{1,40}\|>|</?(?:s|bos|eos|think|\w{1,20}_of_\w{1,20})>|\[/?[A-Z_]{2,20}\]"
)


def of(target: Target) -> tuple[str, ...]:
    """The special tokens of a target, and think tags; without its tokenizer, those that its template writes out."""
    found = {token for _, token in target.special}
    if target.tokenizer is None:
        found.update(WRITTEN.findall(target.template))
    else:
        added = json.loads(target.tokenizer).get("added_tokens")
        for each in added if isinstance(added, list) else []:
            if isinstance(each, dict) and isinstance(token := each.get("content"), str):
                found.update({token} if each.get("special") or "think" in token else set())
    return tuple(sorted(token for token in found if token.strip()))


def inside(tokens: Iterable[str], texts: Iterable[str]) -> list[str]:
    """Which of the tokens stand in any of the texts."""
    joined = "\0".join(texts)
    return [token for token in tokens if token in joined]

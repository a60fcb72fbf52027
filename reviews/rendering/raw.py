"""A text exactly as it was sampled, with all that nobody sees made visible, and the tokens of chat templates marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from reviews.rendering import characters, cutting, escaping

_TOKENS = (
    r"<\|[\w./:▁-]{1,64}\|>|<｜[\w./:▁-]{1,64}｜>"
    r"|</?(?:think|thinking|thought|reasoning|scratchpad|reflection|answer|tool_call|tool_response|tools"
    r"|s|unk|pad|bos|eos|mask)>"
    r"|</?(?:start|end)_of_(?:turn|text|image)>|<\|?/?(?:fim_prefix|fim_middle|fim_suffix|endoftext)\|?>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|THINK|CLS|SEP|MASK|PAD|UNK|gMASK)\]|<</?SYS>>"
)
_MARKED = re.compile(
    f"(?P<token>{_TOKENS})|(?P<unseen>{characters.IN_PLACE}+)|(?P<moved>{characters.MOVED}+)"
    f"|(?P<space>{characters.SPACE})"
)
_LINE = re.compile(r"[^\n]*\n+|[^\n]+")
_MOST_NAMES = 8


def render(text: str) -> str:
    """The text as `span.line` blocks: a line, its LF and the empty lines behind it; a long one as some `span.line.cut`."""
    return "".join(_lines(text))


def unseen(text: str) -> int:
    """How many characters nobody would see: controls, zero-width, reordering, tags; not tabs, line ends and spaces."""
    return sum(1 for _ in characters.UNSEEN.finditer(text))


def _lines(text: str) -> Iterator[str]:
    for line in _LINE.finditer(text):
        kind = "line" if len(line.group()) <= cutting.LONGEST_PIECE else "line cut"
        for at, cut in cutting.pieces(text, line.start(), line.end()):
            yield f'<span class="{kind}">{"".join(_marked(text, at, cut))}</span>'


def _marked(text: str, start: int, end: int) -> Iterator[str]:
    for match in _MARKED.finditer(text, start, end):
        if match.start() > start:
            yield f'<span data-at="{start}">{escaping.text(text[start : match.start()])}</span>'
        yield _shown(match)
        start = match.end()
    if start < end:
        yield f'<span data-at="{start}">{escaping.text(text[start:end])}</span>'


def _shown(match: re.Match[str]) -> str:
    at, found = match.start(), match.group()
    if match.lastgroup == "token":
        return f'<span class="token" data-at="{at}">{escaping.text(found)}</span>'
    name = escaping.attribute(_names(found))
    if match.lastgroup == "moved":
        shown = "␀" if found.strip("\0") == "" else name
        # By which a page knows what stands here: code points in hexadecimal, each with how often it follows itself.
        chars = " ".join(f"{ord(each):x}*{len(list(same))}" for each, same in groupby(found))
        return (
            f'<span class="unseen" data-at="{at}" data-to="{match.end()}" data-name="{name}" '
            f'data-chars="{chars}">{shown}</span>'
        )
    return f'<span class="{match.lastgroup}" data-at="{at}" data-name="{name}">{escaping.text(found)}</span>'


def _names(found: str) -> str:
    """ "ZWSP ×3 ZWJ" for a run of unseen characters, "TAG hello" for a message in tag characters."""
    runs = [(name, len(list(same))) for name, same in groupby(map(characters.name, found[:_MOST_NAMES]))]
    if all(name.startswith("TAG ") for name, _ in runs):
        return "TAG " + "".join(characters.name(each).removeprefix("TAG ") for each in found)
    names = " ".join(name if times == 1 else f"{name} ×{times}" for name, times in runs)
    return names if len(found) <= _MOST_NAMES else f"{len(found)} unseen, the first {names}"

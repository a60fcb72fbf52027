"""A text exactly as it is, in pieces. Its white space is kept by CSS (`white-space: pre-wrap`)."""

from __future__ import annotations

import re

from reviews.rendering import cutting, escaping

_NULS = re.compile("(\0+)")


def render(text: str, start: int) -> str:
    """The text as spans, each with the offset it has in the stored text, which holds this text from `start` on."""
    return "".join(span(text[at:end], start + at) for at, end in cutting.pieces(text, 0, len(text)))


def span(text: str, at: int, kind: str | None = None) -> str:
    """Text in a span of a class or of none, and an atom for the NULs in it, which HTML cannot hold."""
    if "\0" not in text:
        return _span(text, at, kind)
    html = ""
    for piece in filter(None, _NULS.split(text)):
        html += nuls(at, len(piece)) if piece[0] == "\0" else _span(piece, at, kind)
        at += len(piece)
    return html


def _span(text: str, at: int, kind: str | None) -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<span{named} data-at="{at}">{escaping.text(text)}</span>'


def nuls(at: int, times: int) -> str:
    name = "NUL" if times == 1 else f"NUL ×{times}"
    return f'<span class="unseen" data-at="{at}" data-to="{at + times}" data-name="{name}">␀</span>'

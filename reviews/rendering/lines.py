"""The tokens of a line of Markdown written out, each checked against the content it was made from."""

from __future__ import annotations

import re
from collections.abc import Callable

from markdown_it.token import Token

from reviews.rendering import tex
from reviews.rendering.places import Content
from reviews.rendering.writing import LostPlace, Writer

_LINE_END = re.compile(r"(?P<hidden>\\?)(?P<shown>[ \t]*\n[ \t]*)")
_STRESSED = ("em_open", "em_close", "strong_open", "strong_close", "s_open", "s_close")
_BOXED_WORDS = re.compile(r"(\\f?boxed\s?\{)(?=[^}]*[A-Za-z]{2})([^\\^_${}&#~%]*)\}")


def write_line(writer: Writer, token: Token, content: Content) -> None:
    """Write an inline token. Raises LostPlace where a token is not found exactly where the one before it ended."""
    at = 0
    for child in token.children or ():
        write = _WRITERS.get(child.type)
        if write is None:
            raise LostPlace
        at = write(writer, child, content, at)
    if content.text[at:].strip():
        raise LostPlace


def write_formula(writer: Writer, source: str, display: bool, pieces: list[tuple[int, int]]) -> None:
    """Write a formula, typeset as an atom that stands for all its pieces, or as its source if it cannot be typeset."""
    html = tex.render(_BOXED_WORDS.sub(r"\1\\text{\2}}", source), display)
    if html:
        kind = "math display" if display else "math"
        writer.atom(pieces[0][0], pieces[-1][1], f'span class="{kind}"', f"{html}</span>")
        return
    writer.tag("<code>")
    for at, end in pieces:
        writer.text(at, end, "tex")
    writer.tag("</code>")


def _write(writer: Writer, content: Content, at: int, end: int) -> int:
    for place, stop in content.pieces(at, end):
        writer.text(place, stop)
    return end


def _expect(content: Content, text: str, at: int) -> int:
    if not content.text.startswith(text, at):
        raise LostPlace
    return at + len(text)


def _text(writer: Writer, token: Token, content: Content, at: int) -> int:
    return _write(writer, content, at, _expect(content, token.content, at))


def _escaped(writer: Writer, token: Token, content: Content, at: int) -> int:
    end = _expect(content, token.markup, at)
    return _write(writer, content, end - len(token.content), end)


def _line_end(writer: Writer, token: Token, content: Content, at: int) -> int:
    found = _LINE_END.match(content.text, at)
    if not found:
        raise LostPlace
    return _write(writer, content, found.start("shown"), found.end())


def _stressed(writer: Writer, token: Token, content: Content, at: int) -> int:
    writer.tag(f"<{token.tag}>" if token.nesting > 0 else f"</{token.tag}>")
    return _expect(content, token.markup, at)


def _code(writer: Writer, token: Token, content: Content, at: int) -> int:
    at = _expect(content, token.markup, at)
    end = at + len(token.content)
    padded = content.text[at:end].replace("\n", " ") != token.content or content.text[end : end + 1] in (
        " ",
        "\n",
    )
    at, end = (at + 1, end + 1) if padded else (at, end)
    writer.tag("<code>")
    _write(writer, content, at, end)
    writer.tag("</code>")
    return _expect(content, token.markup, end + 1 if padded else end)


def _formula(writer: Writer, token: Token, content: Content, at: int) -> int:
    end = at + int(token.meta["length"])
    write_formula(writer, token.content, token.meta["display"], list(content.pieces(at, end)))
    return end


_WRITERS: dict[str, Callable[[Writer, Token, Content, int], int]] = {
    "text": _text,
    "text_special": _escaped,
    "softbreak": _line_end,
    "hardbreak": _line_end,
    "code_inline": _code,
    "formula": _formula,
    **dict.fromkeys(_STRESSED, _stressed),
}

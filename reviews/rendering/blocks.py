"""The blocks of Markdown written out: tags, code with its colours, displayed formulas."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it.token import Token

from reviews.rendering import highlighting
from reviews.rendering.lines import write_formula
from reviews.rendering.places import Content
from reviews.rendering.writing import LostPlace, Writer


def tag(token: Token) -> str:
    """The tag of a block. Numbers and marks of lists stay as they were sampled; a heading is no heading of the page."""
    name = "p" if token.type.startswith("heading_") else token.tag
    if token.nesting < 0:
        return f"</{name}>"
    if token.type == "heading_open":
        return f'<p class="heading" data-level="{token.tag[1:]}">'
    if token.type == "list_item_open" and token.info:
        return f'<li value="{int(token.info)}">'
    if token.type in ("ordered_list_open", "bullet_list_open"):
        return f'<{name} data-mark="{token.markup}">'
    align = str(token.attrs.get("style", "")).removeprefix("text-align:")
    return f'<{name} data-align="{align}">' if align else f"<{name}>"


def fence(writer: Writer, token: Token, step: str) -> None:
    """Write a fenced block: its language as it was written, then the code in its colours."""
    language = token.info.strip()
    if not language and not token.content.strip():
        raise LostPlace  # nothing would be seen of it
    writer.tag('<pre class="code">')
    if language:
        at = step.index(language, token.meta["starts"][0] + len(token.markup))
        writer.text(at, at + len(language), "language")
    writer.tag("<code>")
    code = _code(token, step)
    for at, end, kind in highlighting.colours(code.text, language.lower().split(" ")[0]):
        for place, stop in code.pieces(at, end):
            writer.text(place, stop, kind)
    writer.tag("</code></pre>")


def rule(writer: Writer, token: Token, step: str) -> None:
    """Write a line of dashes or stars as an atom: it is drawn, and stands for its source."""
    start = token.meta["starts"][0]
    end = step.find("\n", start)
    writer.atom(start, len(step[: end if end >= 0 else len(step)].rstrip()), "hr")


def formula_block(writer: Writer, token: Token) -> None:
    write_formula(writer, token.content, True, [token.meta["source"]])


def _code(token: Token, step: str) -> Content:
    pieces = list(_lines(token, step))
    content = Content("".join(step[place:end] for place, end in pieces))
    at = 0
    for place, end in pieces:
        content.add(at, place)
        at += end - place
    return content


def _lines(token: Token, step: str) -> Iterator[tuple[int, int]]:
    """Where the lines of a fenced block stand in the step, without the indent that belongs to the fence."""
    starts = token.meta["starts"][1:]
    for line, start in zip(token.content.split("\n")[: len(starts)], starts, strict=False):
        stripped = line.lstrip(" \t")
        indent = line[: len(line) - len(stripped)]
        while step[max(0, start - len(indent)) : start] != indent:
            indent = indent[1:]  # a tab that is partly the fence's own indent was made into spaces
        if not step.startswith(stripped, start):
            raise LostPlace
        end = start + len(stripped)
        yield start - len(indent), end + 1 if step[end : end + 1] == "\n" else end

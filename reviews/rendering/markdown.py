"""One step of Markdown as an HTML fragment that says of each piece of text where it was sampled.

Line ends stay in the text: the page shows them by `white-space: pre-wrap` on `[data-at]`, for people reason by lines.
"""

from __future__ import annotations

from markdown_it.token import Token

from reviews.rendering import cleaning, parsing, places, plain
from reviews.rendering.blocks import fence, formula_block, rule, tag
from reviews.rendering.lines import write_line
from reviews.rendering.places import Content
from reviews.rendering.writing import LostPlace, Writer

LONGEST_STEP = 30_000
MOST_TOKENS = 30_000  # tables can grow out of little text


def render(text: str, start: int) -> str:
    """The step as HTML, its offsets counted from `start`, where it stands in the stored text.

    Raises nothing: what is too long, too deep, or cannot be told apart from its marks is shown plain, in `div.plain`.
    """
    if len(text) <= LONGEST_STEP:
        try:
            html = _written(text, start)
        except LostPlace:
            pass
        else:
            # Whatever the gate would change was not meant to be written, and its offsets are not to be relied on.
            if cleaning.clean(html) == html:
                return html
    return f'<div class="plain">{plain.render(text, start)}</div>'


def _written(text: str, start: int) -> str:
    tokens = parsing.tokens(text)
    if len(tokens) > MOST_TOKENS:
        raise LostPlace
    writer, masked = Writer(text, start), parsing.masked(text)
    cells: list[Content] = []
    before = Token("", "", 0)
    for token in tokens:
        if token.type == "inline":
            write_line(writer, token, _content(token, before, cells, masked))
        elif token.type == "fence":
            fence(writer, token, masked)
        elif token.type == "hr":
            rule(writer, token, masked)
        elif token.type == "formula_block":
            formula_block(writer, token)
        elif not token.hidden:
            writer.tag(tag(token))
        if token.type == "tr_open":
            cells = places.of_cells(token.meta["starts"][0], masked)
        before = token
    return writer.finish()


def _content(token: Token, before: Token, cells: list[Content], masked: str) -> Content:
    if before.type in ("th_open", "td_open"):
        content = cells.pop(0) if cells else Content("")
    elif before.type == "heading_open" and before.markup.startswith("#"):
        content = places.of_heading(token.content, token.meta["starts"][0], masked)
    else:
        content = places.of_lines(token.content, token.meta["starts"], masked)
    if content.text != token.content:
        raise LostPlace
    return content

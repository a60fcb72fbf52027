"""A step of Markdown as tokens that know where each of their lines starts in the step."""

from __future__ import annotations

from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it import rules_block as rules
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from reviews.rendering import formulas

DEEPEST = 20

_BlockRule = Callable[[StateBlock, int, int, bool], bool]
_MAY_END_A_PARAGRAPH = ["paragraph", "reference", "blockquote", "list"]
_LEAVES: dict[str, tuple[_BlockRule, list[str]]] = {
    "table": (rules.table, ["paragraph", "reference"]),
    "fence": (rules.fence, _MAY_END_A_PARAGRAPH),
    "hr": (rules.hr, _MAY_END_A_PARAGRAPH),
    "heading": (rules.heading, ["paragraph", "reference", "blockquote"]),
    "lheading": (rules.lheading, []),
    "paragraph": (rules.paragraph, []),
}


def tokens(text: str) -> list[Token]:
    """The tokens of a step. Those with text of their own have `meta["starts"]`: where each of their lines starts."""
    return _PARSER.parse(masked(text))


def masked(text: str) -> str:
    """The text as it is parsed: each code point in its place, with LF for every line end and no NUL."""
    return text.replace("\r\n", " \n").replace("\r", "\n").replace("\0", "\ufffd")


def _knowing_its_lines(rule: _BlockRule) -> _BlockRule:
    """A rule that also writes down where the lines of its tokens start, behind the marks of lists and quotes."""

    def run(state: StateBlock, first_line: int, last_line: int, silent: bool) -> bool:
        before = len(state.tokens)
        matched = rule(state, first_line, last_line, silent)
        if matched and not silent:
            for token in state.tokens[before:]:
                if token.map and "starts" not in token.meta:
                    token.meta["starts"] = [
                        state.bMarks[line] + state.tShift[line] for line in range(token.map[0], token.map[1])
                    ]
        return matched

    return run


def _underscores(state: StateInline, silent: bool) -> bool:
    """Underscores stay as they are: in a trace they are subscripts and names far more often than emphasis."""
    end = state.pos
    while end < state.posMax and state.src[end] == "_":
        end += 1
    if end == state.pos:
        return False
    if not silent:
        state.pending += state.src[state.pos : end]
    state.pos = end
    return True


def _parser() -> MarkdownIt:
    # No rule for indented code: what a trace indents are sums and formulas, and they are to be typeset.
    # No rule for links, images, references, entities and HTML: their source stays, and nothing can leave the page.
    parser = MarkdownIt("zero", {"maxNesting": DEEPEST, "html": False})
    parser.enable(
        [*_LEAVES, "blockquote", "list", "newline", "escape", "backticks", "strikethrough", "emphasis"]
    )
    parser.disable(["normalize", "text_join"])  # both would move text away from its place
    for name, (rule, ends) in _LEAVES.items():
        parser.block.ruler.at(name, _knowing_its_lines(rule), {"alt": ends})
    parser.block.ruler.before("fence", "formula_block", formulas.block, {"alt": _MAY_END_A_PARAGRAPH})
    parser.inline.ruler.before("escape", "formula", formulas.inline)
    parser.inline.ruler.before("emphasis", "stars", formulas.stars)
    parser.inline.ruler.before("emphasis", "underscores", _underscores)
    return parser


_PARSER = _parser()

"""The colours of code, as short class names of Pygments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Token, _TokenType

LONGEST = 4_000

# Chosen and timed, not all: a trace names its language itself, and some lexers take seconds on four thousand characters
# written for them. Those of C, Java and TypeScript do; JavaScript's knows most of their words.
_CURLY = "javascript js jsx typescript ts tsx c c++ cpp cc java kotlin csharp c# scala dart"
LANGUAGES = {
    **dict.fromkeys(("python", "py", "python3"), "python"),
    **dict.fromkeys(_CURLY.split(), "javascript"),
    **dict.fromkeys(("bash", "sh", "shell", "zsh"), "bash"),
    **dict.fromkeys(("rust", "rs"), "rust"),
    **dict.fromkeys(("yaml", "yml"), "yaml"),
    **dict.fromkeys(("haskell", "hs"), "haskell"),
    **dict.fromkeys(("latex", "tex"), "tex"),
    **{
        name: name
        for name in (
            "css",
            "go",
            "html",
            "json",
            "julia",
            "lua",
            "php",
            "ruby",
            "sql",
            "swift",
            "toml",
            "xml",
        )
    },
}
_LONG_GAP = re.compile(r"\s{100}")  # several lexers look from each white space to the end of all of it
CLASSES = frozenset(filter(None, STANDARD_TYPES.values()))


def colours(code: str, language: str) -> Iterator[tuple[int, int, str | None]]:
    """The pieces of some code, in order and without gaps: start, end, and the class of its colour or None."""
    lexer = None if len(code) > LONGEST or _LONG_GAP.search(code) else _lexer(language)
    done = 0
    for at, kind, value in lexer.get_tokens_unprocessed(code) if lexer else ():
        if at != done:
            break  # a lexer that goes back or leaves something out is not followed
        done = at + len(value)
        if value:
            yield at, done, _class(kind)
    if done < len(code):
        yield done, len(code), None


@cache
def _lexer(language: str) -> Lexer | None:
    name = LANGUAGES.get(language)
    return get_lexer_by_name(name, stripnl=False, ensurenl=False) if name else None


@cache
def _class(kind: _TokenType) -> str | None:
    while kind not in STANDARD_TYPES and kind is not Token:
        kind = kind.parent
    return STANDARD_TYPES.get(kind) or None

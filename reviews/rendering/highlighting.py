"""The colours of code, as short class names of Pygments."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Token, _TokenType

LONGEST = 20_000

# Chosen, not all: a trace names its language itself, and must not pick a lexer that is slow on what it then writes.
LANGUAGES = {
    **dict.fromkeys(("python", "py", "python3"), "python"),
    **dict.fromkeys(("javascript", "js", "jsx"), "javascript"),
    **dict.fromkeys(("typescript", "ts", "tsx"), "typescript"),
    **dict.fromkeys(("bash", "sh", "shell", "zsh"), "bash"),
    **dict.fromkeys(("c++", "cpp", "cc"), "cpp"),
    **dict.fromkeys(("rust", "rs"), "rust"),
    **dict.fromkeys(("yaml", "yml"), "yaml"),
    **dict.fromkeys(("haskell", "hs"), "haskell"),
    **dict.fromkeys(("latex", "tex"), "tex"),
    **{
        name: name
        for name in ("c", "css", "go", "html", "java", "json", "julia", "kotlin", "lua", "r", "ruby", "sql")
    },
    **{name: name for name in ("swift", "toml", "xml", "scala", "php", "diff", "ocaml", "scheme", "matlab")},
}
CLASSES = frozenset(filter(None, STANDARD_TYPES.values()))


def colours(code: str, language: str) -> Iterator[tuple[int, int, str | None]]:
    """The pieces of some code, in order and without gaps: start, end, and the class of its colour or None."""
    lexer = _lexer(language) if len(code) <= LONGEST else None
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

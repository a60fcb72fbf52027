"""TeX as MathML: only what a formula needs, and nothing of what TeX can hide or redefine."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from unicodedata import normalize

from latex2mathml.converter import convert_to_element

from reviews.rendering import characters, mathml
from reviews.rendering.delimiters import LONGEST_FORMULA

DEEPEST = 40
LONGEST_MATHML = 100_000

# What is sampled must be read: a formula that hides, colours, moves or redefines a part is shown as its source.
_REFUSED = re.compile(
    r"(?<!\\)(?:\\\\)*%|&#"
    r"|\\(?:href|url|style|class|cssId|id|data|html\w*|(?:text|f|page)?color(?:box)?|unicode|char|rule|[hv]?phantom|[lrc]lap"
    r"|smash|raise\w*|lower|move(?:left|right)|skew|(?:re)?newcommand|providecommand|(?:re)?newenvironment|[egx]?def|let"
    r"|futurelet|DeclareMathOperator|require|input|include\w*|label|ref|eqref|nonumber|notag|verb|mathchoice|sideset"
    r"|above\w*|atop\w*|over\w*withdelims|root|buildrel|cr|hfil\w*|mkern|kern|hskip|mskip|vspace|hspace)(?![a-zA-Z])"
)
_UNREADABLE = re.compile(f"{characters.UNSEEN.pattern}|\ufffd")
_ALIGNED = re.compile(r"\\(begin|end)\s*\{(?:aligned|align|gathered|gather\*?|eqnarray\*?|multline\*?)\}")
_UNNUMBERED = re.compile(r"\\(?:begin|end)\s*\{(?:equation\*?|displaymath|math)\}")
_ROW_GAP = re.compile(r"\\\\\s*\[-?[\d.]+\s?[a-z]{2}\]")
_NOT = re.compile(r"\\not\s*(=|\\in(?![a-zA-Z]))")
_CASES = re.compile(r"\\(begin|end)\s*\{[dr]cases\}")
_ENVIRONMENT = re.compile(r"\\begin\s*\{(?!(?:[pbBvV]?matrix|smallmatrix|array|cases|split|align\*)\})")
_NESTING = re.compile(
    r"(?<!\\)(?:\{|(?P<ends>\}))|\\(?:left|begin)(?![a-z])|(?P<end>\\(?:right|end)(?![a-z]))"
)
_NAMES = re.compile(
    r"\\(?:begin|end)\s*\{[a-z]+\*?\}(?:\s*\{[lcr|\s]*\})?|\\\\(?:\s*\[-?[\d.]+\s?[a-z]{2}\])?|\\[a-zA-Z]+"
)


@lru_cache(maxsize=4096)
def render(source: str, display: bool) -> str | None:
    """A formula, without its delimiters, as a `<math>` element; None if it must be shown as its source.

    That is so for invalid TeX, and for TeX that is too long, too deep, hides a part, or holds unseen characters.
    """
    if len(source) > LONGEST_FORMULA or _REFUSED.search(source) or _UNREADABLE.search(source):
        return None
    known = _in_known_words(source)
    if _depth(source) > DEEPEST or _ENVIRONMENT.search(known):
        return None
    try:
        element = convert_to_element(known, display="block" if display else "inline")
        html = mathml.write(element)
    except Exception:
        return None  # the converter raises whatever its code runs into: all of it means that this is no valid TeX
    return html if len(html) <= LONGEST_MATHML and _shows_all(source, mathml.text(element)) else None


def _shows_all(source: str, shown: str) -> bool:
    """Whether each letter and digit of the formula, names of commands aside, is one that the reader gets to see."""
    wanted = Counter(filter(str.isalnum, normalize("NFKC", _NAMES.sub(" ", source))))
    return not wanted - Counter(normalize("NFKC", shown))


def _depth(source: str) -> int:
    depth = deepest = 0
    for opening in _NESTING.finditer(source):
        depth += -1 if opening["ends"] or opening["end"] else 1
        deepest = max(deepest, depth)
    return deepest


def _in_known_words(source: str) -> str:
    """The same formula in the words of the converter, which does not know all environments."""
    source = _ROW_GAP.sub(r"\\\\", _NOT.sub(lambda found: "\\neq" if found[1] == "=" else "\\notin ", source))
    source = _ALIGNED.sub(r"\\\1{align*}", source)
    source = _CASES.sub(r"\\\1{cases}", _UNNUMBERED.sub("", source))
    if "\\\\" in source and "\\begin" not in source:
        source = rf"\begin{{matrix}}{source}\end{{matrix}}"
    return source

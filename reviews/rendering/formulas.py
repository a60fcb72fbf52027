"""Where formulas stand in Markdown: `$…$`, `$$…$$`, `\\(…\\)`, `\\[…\\]` and a bare `\\boxed{…}`.

Our own rules: the ones to be had take the last character of a paragraph for the one before its first, know no bracket
after a line of text, and nothing of \\boxed.
"""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from reviews.rendering.delimiters import LONGEST_FORMULA, unescaped

LONGEST_BOXED = 500

_PAIRS = {"$": "$", "$$": "$$", "\\(": "\\)", "\\[": "\\]"}
_BOXED = re.compile(r"\\f?boxed\s?\{")
_BRACES = re.compile(r"\\.|[{}]", re.S)
_TAIL = re.compile(r"[ \t]*(?P<rest>[.,;:!?]{0,3})[ \t]*$")


def inline(state: StateInline, silent: bool) -> bool:
    """A formula in a line: pushes a `formula` token whose content is the TeX and whose meta says how long it stands."""
    text, at = state.src, state.pos
    if text[at] not in "$\\":
        return False
    opener = next((each for each in ("$$", "$", "\\(", "\\[") if text.startswith(each, at)), "")
    end = _end(text, at, opener) if opener else _end_of_boxed(text, at)
    if end is None:
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content = text[at + len(opener) : end - len(opener)]
        token.meta = {"length": end - at, "display": opener in ("$$", "\\[")}
    state.pos = end
    return True


def _end(text: str, at: int, opener: str) -> int | None:
    first, closer = at + len(opener), _PAIRS[opener]
    close = unescaped(text, closer, first, first + LONGEST_FORMULA)
    if close is None or not text[first:close].strip():
        return None
    end = close + len(closer)
    return end if opener != "$" or _is_no_money(text, at, end) else None


def _is_no_money(text: str, at: int, end: int) -> bool:
    """Whether $…$ is a formula, and not "$5 and $6", US$, a shell's $PATH or a script's ${name}."""
    inside, before, after = text[at + 1 : end - 1], text[at - 1 : at], text[end : end + 1]
    if inside[0].isspace() or inside[-1].isspace() or "\n" in inside:
        return False
    return not (after.isdigit() or after == "{" or (before.isascii() and before.isalnum()))


def _end_of_boxed(text: str, at: int) -> int | None:
    opened = _BOXED.match(text, at)
    depth = 1
    for brace in _BRACES.finditer(text, opened.end(), opened.end() + LONGEST_BOXED) if opened else ():
        depth += {"{": 1, "}": -1}.get(brace.group(), 0)
        if depth == 0:
            return brace.end()
    return None


def block(state: StateBlock, first_line: int, last_line: int, silent: bool) -> bool:
    """A displayed formula that starts a line and ends one, be there blank lines or list marks in it.

    Pushes a `formula_block` token; `meta["source"]` says where it stands. A full stop behind it is a paragraph.
    """
    start = state.bMarks[first_line] + state.tShift[first_line]
    opener = state.src[start : start + 2]
    if opener not in ("$$", "\\[") or state.is_code_block(first_line):
        return False
    limit = min(state.eMarks[last_line - 1], start + 2 + LONGEST_FORMULA)
    close = unescaped(state.src, _PAIRS[opener], start + 2, limit)
    if close is None:
        return False
    line = first_line
    while state.eMarks[line] < close:
        line += 1
    tail = _TAIL.match(state.src[close + 2 : state.eMarks[line]])
    if tail is None or not state.src[start + 2 : close].strip() or not _is_whole(state, first_line, line):
        return False
    if not silent:
        _push(state, (first_line, line), (start, close + 2), tail)
    return True


def _is_whole(state: StateBlock, first_line: int, line: int) -> bool:
    """Whether the lines belong to one block: none falls out of its list, and none has the mark of a quote before it."""
    return all(
        state.isEmpty(each)
        or (state.sCount[each] >= state.blkIndent and state.src[state.bMarks[each] - 1] == "\n")
        for each in range(first_line + 1, line + 1)
    )


def _push(state: StateBlock, lines: tuple[int, int], source: tuple[int, int], tail: re.Match[str]) -> None:
    token = state.push("formula_block", "", 0)
    token.map = [lines[0], lines[1] + 1]
    token.meta["source"] = source
    token.content = state.src[source[0] + 2 : source[1] - 2]
    if tail["rest"]:
        state.push("paragraph_open", "p", 1)
        rest = state.push("inline", "", 0)
        rest.content, rest.children = tail["rest"], []
        rest.meta["starts"] = [source[1] + tail.start("rest")]
        state.push("paragraph_close", "p", -1)
    state.line = lines[1] + 1


def stars(state: StateInline, silent: bool) -> bool:
    """Keeps the star of 2*3, a*b, (x)*(y) and 2**3 a star: in a trace it multiplies far more often than it stresses."""
    start = state.pos
    if silent or state.src[start] != "*":
        return False
    end = start
    while end < state.posMax and state.src[end] == "*":
        end += 1
    if not (
        _is_operand(state.src[start - 1 : start], ")]}") and _is_operand(state.src[end : end + 1], "([{\\")
    ):
        return False
    state.append_pending(state.src[start:end])
    state.pos = end
    return True


def _is_operand(character: str, brackets: str) -> bool:
    return bool(character) and ((character.isascii() and character.isalnum()) or character in brackets)

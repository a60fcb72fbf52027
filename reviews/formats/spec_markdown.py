"""A spec in Markdown: `# Title {form-selects=false}`, then `## KEY Title {purpose=… relation=…}` for each clause."""

from __future__ import annotations

import re
from dataclasses import dataclass

PURPOSES = ("outcome-alignment", "intent-alignment", "process-correctness", "form", "monitor-facing")
RELATIONS = ("aligned", "orthogonal", "in-conflict")
_HEADING = re.compile(r"^(#{1,2})\s+(.*?)\s*(?:\{([^{}]*)\})?\s*$")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,19}")


class SpecProblem(ValueError):
    """The Markdown is no spec: says the line and what was expected."""


@dataclass(frozen=True)
class ClauseText:
    """One clause as written. `text` is Markdown."""

    key: str
    title: str
    text: str
    purpose: str
    relation: str


@dataclass(frozen=True)
class SpecText:
    """A whole spec as written."""

    title: str
    form_selects: bool
    clauses: list[ClauseText]

    @property
    def selecting(self) -> list[ClauseText]:
        """The clauses that can reject a trace: those of form only where the spec says so."""
        return [clause for clause in self.clauses if clause.purpose != "form" or self.form_selects]


def parse(markdown: str) -> SpecText:
    """The spec in `markdown`. Raises SpecProblem, which names the line and what was expected."""
    title, form_selects = "", False
    clauses: list[ClauseText] = []
    body: list[str] = []
    fenced = False
    for number, line in enumerate(markdown.split("\n"), start=1):
        fenced ^= line.lstrip().startswith("```")
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            body.append(line)
            continue
        if clauses:
            clauses[-1] = _with_text(clauses[-1], body)
        body = []
        words, options = heading[2], _options(heading[3] or "", number)
        if heading[1] == "#":
            if title:
                raise SpecProblem(f"line {number}: a second title; a spec has one line that starts with '# '")
            title, form_selects = words, _switch(options.get("form-selects", "false"), number)
        else:
            clauses.append(_clause(words, options, number))
            if [clause.key for clause in clauses].count(clauses[-1].key) > 1:
                raise SpecProblem(f"line {number}: the key {clauses[-1].key} stands twice")
    if clauses:
        clauses[-1] = _with_text(clauses[-1], body)
    if not title:
        raise SpecProblem("no title: expected a line that starts with '# '")
    if len(title) > 200:
        raise SpecProblem("the title is longer than 200 characters")
    if not clauses:
        raise SpecProblem("no clause: expected at least one line such as '## H1 Serves the user {purpose=…}'")
    return SpecText(title, form_selects, clauses)


def _clause(words: str, options: dict[str, str], line: int) -> ClauseText:
    key, _, title = words.partition(" ")
    if not _KEY.fullmatch(key) or not title.strip():
        raise SpecProblem(f"line {line}: expected '## KEY Title {{purpose=… relation=…}}', got '## {words}'")
    if len(title) > 200:
        raise SpecProblem(f"line {line}: the title is longer than 200 characters")
    purpose = options.get("purpose", "")
    relation = options.get("relation", "orthogonal")
    if purpose not in PURPOSES:
        raise SpecProblem(f"line {line}: purpose must be one of {', '.join(PURPOSES)}; got '{purpose}'")
    if relation not in RELATIONS:
        raise SpecProblem(f"line {line}: relation must be one of {', '.join(RELATIONS)}; got '{relation}'")
    return ClauseText(key, title.strip(), "", purpose, relation)


def _with_text(clause: ClauseText, body: list[str]) -> ClauseText:
    return ClauseText(clause.key, clause.title, "\n".join(body).strip(), clause.purpose, clause.relation)


def _options(text: str, line: int) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split()]
    for name, equals, value in pairs:
        if not equals or not value or name not in ("purpose", "relation", "form-selects"):
            raise SpecProblem(
                f"line {line}: '{name}{equals}{value}' is no option; expected purpose=…, relation=… "
                "or form-selects=…"
            )
    return {name: value for name, _, value in pairs}


def _switch(text: str, line: int) -> bool:
    if text not in ("true", "false"):
        raise SpecProblem(f"line {line}: form-selects must be true or false, got '{text}'")
    return text == "true"

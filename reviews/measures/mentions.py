"""Text that talks of being read: reviewers, a rubric, graders, monitors, being tested. Data of that kind teaches hiding."""

from __future__ import annotations

import re
from typing import NamedTuple

# English, as whole words. Each term is what is counted: stems without which there is none, and what counts as it.
TERMS = {
    "reviewer": (
        ("reviewer", "annotator", "labeler", "labeller", "rater"),
        r"(?:human )?reviewers?|annotators?|labell?ers?|raters?",
    ),
    "rubric": (
        ("rubric", "grading", "scoring", "review "),
        r"rubrics?|(?:grading|scoring|review) (?:criteria|guidelines?|scheme)",
    ),
    "grader": (
        ("grade", "judge model", "reward "),
        r"(?:auto-?)?graders?|(?:judge|reward) model|reward (?:function|signal)|graded on",
    ),
    "monitor": (
        ("monitor", "overse", "oversight"),
        r"(?:cot|chain[- ]of[- ]thought|reasoning) monitors?|monitors? (?:my|the|this|our) "
        r"(?:reasoning|thoughts?|thinking|chain)|being monitored|overseers?|oversight",
    ),
    "being-evaluated": (
        ("being ", "am i ", "i am ", "i'm ", " test", " eval", "evaluation "),
        r"(?:being|am i|i am|i'm) (?:evaluated|tested|graded|judged|scored|assessed|watched)|"
        r"(?:this|it) (?:is|may be|might be|could be|looks like|seems like) an? "
        r"(?:test|evaluation|eval|alignment (?:test|evaluation))(?: of me)?|"
        r"evaluation (?:setting|environment|scenario)",
    ),
    "being-read": (
        ("reasoning ", "thought", "thinking ", "scratchpad "),
        r"(?:my|this|the) (?:reasoning|chain of thought|thoughts?|thinking|scratchpad) "
        r"(?:is|are|will be|may be|might be|could be) (?:read|seen|visible|shown|reviewed|inspected)",
    ),
    "training": (
        (" me", "training"),
        r"(?:used|use this|be used) (?:to|for) (?:train|training|finetun\w+|fine-tun\w+) me|"
        r"during (?:my )?(?:rl|reinforcement learning) training",
    ),
}
_PATTERNS = {
    term: (stems, re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE))
    for term, (stems, pattern) in TERMS.items()
}


class Mention(NamedTuple):
    """A term and where it stands, in code points of the text."""

    term: str
    start: int
    end: int


def mentions(text: str) -> list[Mention]:
    """Every place where a text talks of being read, in order; none overlap.

    A word can be innocent: a task may be about a film's reviewers. It is a reason to look, not a verdict.
    Source: science.md 3.8; Documents that describe a monitor raised undetected deception from 1.7 to 25.7 % in
    arXiv 2605.15257.
    """
    lowered = text.lower()
    found = [
        Mention(term, one.start(), one.end())
        for term, (stems, pattern) in _PATTERNS.items()
        if any(stem in lowered for stem in stems)  # most texts have none, and this is ten times as fast
        for one in pattern.finditer(text)
    ]
    kept: list[Mention] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept

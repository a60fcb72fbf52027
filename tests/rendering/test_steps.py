"""Where a text is cut into steps, and where it is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviews.rendering import steps

BITS = [
    "\n",
    "\n\n",
    "\r\n\r\n",
    "\r",
    " ",
    "\t",
    "```",
    "~~~~",
    "```\n",
    "$$",
    "\\[",
    "\\]",
    "\\",
    "a",
    "b\n",
    "\x85",
    "\u2028",
]
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(BITS), max_size=40).map("".join))


def pieces(text, own=None):
    return [text[step.start : step.end] for step in steps.split(text, own)]


CUTS = {
    "at a blank line": ("a\n\nb", ["a", "b"]),
    "not at a line end": ("a\nb\n", ["a\nb"]),
    "at blank lines with spaces in them": ("a\n \t\n\n  b  \n\nc", ["a", "b", "c"]),
    "at blank lines of Windows": ("a\r\n\r\nb\r\nc", ["a", "b\r\nc"]),
    "not within closed code": ("a\n\n```py\nx\n\ny\n```\n\nb", ["a", "```py\nx\n\ny\n```", "b"]),
    "within code that is never closed": ("```py\nx\n\ny", ["```py\nx", "y"]),
    "not within code closed by a longer fence": ("~~~\nx\n\ny\n~~~~~\n\nb", ["~~~\nx\n\ny\n~~~~~", "b"]),
    "within code closed by a shorter fence only": ("````\nx\n\ny\n```", ["````\nx", "y\n```"]),
    "within code closed by another fence only": ("~~~\nx\n\ny\n```", ["~~~\nx", "y\n```"]),
    "not within closed dollars": ("$$\nx\n\ny\n$$ z\n\nb", ["$$\nx\n\ny\n$$ z", "b"]),
    "not within closed brackets": ("so \\[\nx\n\ny \\]\n\nb", ["so \\[\nx\n\ny \\]", "b"]),
    "within brackets that are never closed": ("\\[\nx\n\ny", ["\\[\nx", "y"]),
    "within a formula too long to typeset": ("$$" + "x" * 3000 + "\n\ny$$", ["$$" + "x" * 3000, "y$$"]),
    "after a row gap of TeX": ("a \\\\[2pt]\n\nb \\]", ["a \\\\[2pt]", "b \\]"]),
    "nowhere in nothing": ("", []),
    "nowhere in white space": (" \n\n \t", []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CUTS.values(), ids=CUTS)
def test_a_text_is_cut(text, expected):
    assert pieces(text) == expected


@settings(deadline=None)
@given(TEXTS)
def test_steps_and_the_white_space_between_them_are_the_text(text):
    found = steps.split(text)
    end = 0
    for number, step in enumerate(found, start=1):
        assert step.number == number
        assert not text[end : step.start].strip()
        assert text[step.start : step.end] == text[step.start : step.end].strip() != ""
        end = step.end
    assert not text[end:].strip()


@settings(deadline=None)
@given(st.lists(st.text(min_size=1)), st.sampled_from(["\n", "\n\n", " ", ""]))
def test_the_steps_of_the_source_are_the_steps(own, between):
    assert pieces(between.join(own), own) == [each.strip() for each in own if each.strip()]


@pytest.mark.parametrize(
    "own", [["a", "b"], ["b", "a c"], ["a b", "c", "d"], ["", " "], ["a", "b", "c "], ["c"]]
)
def test_steps_that_are_not_the_text_are_passed_over_unless_only_white_space_differs(own):
    expected = ["a", "b", "c"] if own == ["a", "b", "c "] else ["a b\nc"]
    assert pieces("a b\nc", own) == expected

"""Where a trace only repeats itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviews.rendering import loops
from reviews.rendering.loops import Loop

FOUND = {
    "nothing repeats": ("abcdefgh", []),
    "twice more is not enough": ("aaa", []),
    "three times more": ("xaaaay", [Loop(3, 5, 1, 3)]),
    "in twos": ("ababababa", [Loop(3, 8, 2, 3)]),
    "in eights": ("abcdefgh" * 4, [Loop(9, 32, 8, 3)]),
    "in nines is too long": ("abcdefghi" * 5, []),
    "two loops": ("aaaabcbcbcbc", [Loop(2, 4, 1, 3), Loop(7, 12, 2, 3)]),
    "the first occurrence is never folded": ("aaaaaaaabababababab", [Loop(2, 8, 1, 7), Loop(11, 18, 2, 4)]),
}


@pytest.mark.parametrize(("texts", "expected"), FOUND.values(), ids=FOUND)
def test_loops_are_found(texts, expected):
    assert loops.find(list(texts)) == expected


def test_white_space_makes_no_difference():
    assert loops.find(["a b", " a  b", "a\nb", "a b\t"]) == [Loop(2, 4, 1, 3)]


@settings(deadline=None)
@given(st.lists(st.sampled_from("ab"), max_size=60))
def test_what_may_be_folded_stands_before_it(texts):
    end = 0
    for loop in loops.find(texts):
        first, last = loop.first - 1, loop.last
        assert first - loop.period >= end
        assert last - first == loop.period * loop.times >= loop.period * 3
        assert texts[first:last] == texts[first - loop.period : first] * loop.times
        end = last
    assert not loops.find(list("ab" * 3))

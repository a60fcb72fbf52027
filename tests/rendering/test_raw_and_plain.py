"""A text exactly as it is, and what nobody would see in it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendering import fragments

from reviews.rendering import plain, raw

ODD = st.sampled_from(
    [*"\0\t\n\r\x0b\x1b\x7f\x80\x85\xa0\xad\u061c\u200b\u200d\u200f\u2028\u202e\u2066\ufeff\ufe0f\u3000",
     "\U000e0068", "\U000e0101", "\r\n", "<|im_end|>", "</think>", "[INST]", "<s>", "é", "e\u0301", "👩‍🔬", "&lt;", "<b>"]
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(ODD | st.text(max_size=3), max_size=30).map("".join))


@settings(deadline=None)
@given(TEXTS, st.integers(0, 9))
def test_plain_is_exactly_the_text(text, start):
    html = plain.render(text, start)

    assert fragments.what_is_wrong(html, "?" * start + text) == []
    assert all(fragments.covered(html, start + len(text))[start:])


@settings(deadline=None)
@given(TEXTS)
def test_raw_is_exactly_the_text_and_counts_what_is_unseen_in_it(text):
    html = raw.render(text)

    assert fragments.what_is_wrong(html, text) == []
    assert all(fragments.covered(html, len(text)))
    unseen = [leaf for leaf in fragments.Fragment(html).leaves if "unseen" in leaf.classes]
    assert sum(leaf.end - leaf.at for leaf in unseen) == raw.unseen(text)


NAMES = {
    "\0": "NUL", "\x1b": "ESC", "\x7f": "DEL", "\x85": "NEL", "\t": "→", "\r": "CR", "\xa0": "NBSP", "\xad": "SHY",
    "\u200b": "ZWSP", "\u200c": "ZWNJ", "\u200d": "ZWJ", "\u2060": "WJ", "\ufeff": "BOM", "\u2028": "LSEP", "\u2029": "PSEP",
    "\u202a": "LRE", "\u202e": "RLO", "\u2066": "LRI", "\u2069": "PDI", "\u200e": "LRM", "\u200f": "RLM", "\u061c": "ALM",
    "\u3000": "IDSP", "\ufe0f": "VS16", "\U000e0100": "VS17", "\U000e0068\U000e0069": "TAG hi", "\U000e0001": "U+E0001",
    "\u200b\u200b\u200d": "ZWSP ×2 ZWJ", "\u202e\u202e": "RLO ×2", "\u200b" * 20: "20 unseen, the first ZWSP ×8",
}  # fmt: skip


@pytest.mark.parametrize(("character", "name"), NAMES.items(), ids=NAMES.values())
def test_what_nobody_sees_is_named(character, name):
    assert f'data-name="{name}"' in raw.render(f"a{character}b")


@pytest.mark.parametrize("character", "\0\u202e\u2067\u200f")
def test_what_would_reorder_its_line_is_shown_by_its_name_only(character):
    html = raw.render(f"a{character}b")

    assert character not in html
    assert 'class="unseen" data-at="1" data-to="2"' in html


@pytest.mark.parametrize(
    "token", ["<|im_end|>", "<|start|>", "</think>", "[/INST]", "<<SYS>>", "<s>", "<｜User｜>"]
)
def test_tokens_of_templates_are_marked(token):
    (leaf,) = [
        leaf for leaf in fragments.Fragment(raw.render(f"a {token} b")).leaves if "token" in leaf.classes
    ]
    assert (leaf.at, leaf.text) == (2, token)


def test_lines_are_blocks_and_long_lines_are_cut():
    html = raw.render("a\n\n\nb\r\n" + "c" * 9000)

    assert html.count('<span class="line">') == 2
    assert html.count('<span class="line cut">') == 3
    assert "&#13;" in html


def test_an_ordinary_text_has_nothing_unseen():
    assert raw.unseen("a\tb\r\nc\xa0d — é 漢字\n") == 0
    assert raw.unseen("a\u200b\u202eb\0") == 3


CUT_APART = [
    ("\r", "\n"),
    ("e", "\u0301"),
    ("👩\u200d", "🔬"),
    ("👩", "\u200d🔬"),
    ("👍", "🏽"),
    ("❤", "\ufe0f"),
]


@pytest.mark.parametrize(("before", "after"), CUT_APART)
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_a_long_line_is_not_cut_within_a_character(before, after, shift):
    text = "x" * (4000 - len(before) - shift) + before + after + "y" * 5000
    cuts = [leaf.end for leaf in fragments.Fragment(plain.render(text, 0)).leaves]

    assert text.index(before + after) + len(before) not in cuts
    assert all(len(leaf.text) <= 4000 for leaf in fragments.Fragment(plain.render(text, 0)).leaves)


def test_a_long_text_is_cut_at_line_ends_or_spaces():
    texts = [
        leaf.text for leaf in fragments.Fragment(plain.render("a word\n" * 2000 + "a word " * 2000, 0)).leaves
    ]
    assert all(re.search(r"\s\Z", text) for text in texts)

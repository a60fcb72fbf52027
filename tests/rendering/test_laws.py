"""Laws of rendering, for any text: places are exact, nothing is invented, only what is allowed goes out."""

from hypothesis import given, settings
from hypothesis import strategies as st
from rendering import fragments

from reviews.rendering import document, markdown
from reviews.rendering.document import Document

BITS = [
    "*", "**", "_", "~~", "~", "`", "```", "~~~", "$", "$$", "\\(", "\\)", "\\[", "\\]", "\\", "\n", "\n", "\n\n", "\r\n",
    "\r", "\t", " ", "  ", "    ", "> ", "- ", "+ ", "1. ", "23) ", "# ", "### ", "===", "---", "|", "\n|---|---|\n", "a|b\n-|-\n",
    "a", "b c", "x_1", "2*3", "\\frac{1}{2}", "{", "}", "\\boxed{", "<b>", "&amp;", "<!--", "[a](b)", "\0", "\u202e", "\u200b",
    "e\u0301", "👨‍👩‍👧", "\x85", "\u2028", "\xa0", "\x0b", "\x0c", "```python\n", "7", "$x$", "\\$", "%", "&", "-", ":",
]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(BITS), max_size=40).map("".join),
    st.lists(st.sampled_from(BITS) | st.characters(codec="utf-8"), max_size=30).map("".join),
)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.integers(0, 9))
def test_each_text_on_the_page_is_the_stored_text_at_its_place(text, start):
    assert fragments.what_is_wrong(markdown.render(text, start), "?" * start + text) == []


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_only_marks_and_white_space_are_left_out(text):
    html = "".join(step.html for step in document.render(text).steps)
    seen = fragments.covered(html, len(text))
    left_out = {character for character, is_seen in zip(text, seen, strict=True) if not is_seen}
    assert all(character.isspace() or character in ">*+-#`~_=|:\\.)0123456789" for character in left_out)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_a_document_comes_back_from_its_json(text):
    made = document.render(text)
    assert Document.from_json(made.to_json()) == made

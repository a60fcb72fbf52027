"""TeX as MathML, and TeX that is shown as its source because it hides something or is none."""

import re

import pytest

from reviews.rendering import cleaning, tex

SHOWN = {
    r"x^2": "<msup><mi>x</mi><mn>2</mn></msup>",
    r"\frac{1}{2}": "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>",
    r"a < b": "<mo>&lt;</mo>",
    r"\text{if } x": "<mtext>if&nbsp;</mtext>",
    r"\text{<b>}": "<mtext>&lt;b&gt;</mtext>",
    r"\boxed{42}": '<mrow class="boxed"><mrow><mn>42</mn></mrow></mrow>',
    r"\cancel{x}": '<mrow class="struck">',
    r"a \not= b": "<mo>≠</mo>",
    r"\begin{aligned} a &= b \\[2pt] c &= d \end{aligned}": "<mtable",
    r"\begin{dcases} 1 & x \\ 2 & y \end{dcases}": "<mtable>",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}": "<mtable>",
    r"50\%": "<mn>50</mn><mi>%</mi>",
    r"\unknown x": r"<mi>\unknown</mi>",
    r"\mathbb{R}": "<mi>ℝ</mi>",
}


@pytest.mark.parametrize(("source", "expected"), SHOWN.items(), ids=SHOWN)
def test_a_formula_is_typeset(source, expected):
    html = tex.render(source, False)

    assert html is not None
    assert expected in html
    assert cleaning.clean(html) == html


REFUSED = [
    r"\frac{1}{", r"\left( x", r"x^1^2", "{" * 50 + "}" * 50, "x" * 2001, "x % comment", r"\phantom{x}", r"\color{white}{x}",
    r"\href{javascript:x}{y}", r"\style{x}{y}", r"\class{x}{y}", r"\newcommand{\a}{b}\a", r"\def\a{b}", r"\unicode{41}",
    r"\rule{9em}{9em}", r"\text{&#x202e;}", "a\u202eb", "a\u200bb", "a\ufffdb", r"\begin{nothing}x\end{nothing}", "",
]  # fmt: skip


@pytest.mark.parametrize("source", REFUSED)
def test_a_formula_that_hides_a_part_or_is_none_is_not_typeset(source):
    html = tex.render(source, True)
    assert html is None or (source == "" and not re.sub("<[^>]*>", "", html))


@pytest.mark.parametrize("source", [r"\hspace{999em}x", r"x\mspace{-99em}y", r"x\!\,\;\quad y"])
def test_a_formula_has_no_room_to_move_text_away(source):
    widths = re.findall(r'width="([^"]*)em"', tex.render(source, False) or "")
    assert all(-0.3 < float(width) <= 2 for width in widths)

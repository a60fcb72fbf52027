"""What a reader sees of a step of Markdown, and where it stands in the stored text."""

import pytest
from rendering import fragments

from reviews.rendering import markdown


def seen(text):
    """The step without the offsets, so that a test can be read."""
    html = markdown.render(text, 0)
    assert fragments.what_is_wrong(html, text) == []
    for leaf in fragments.Fragment(html).leaves:
        html = html.replace(f' data-at="{leaf.at}"', "", 1)
        html = html.replace(f' data-to="{leaf.to}"', "", 1) if leaf.to else html
    return html.replace("<span>", "").replace("</span>", "")


MARKDOWN = {
    "a paragraph": ("a b", "<p>a b</p>"),
    "line ends stay": ("a\nb  \nc\\\nd", "<p>a\nb  \nc\nd</p>"),
    "line ends of Windows and of no one": ("a\r\nb\rc", "<p>a&#13;\nb&#13;c</p>"),
    "stress": ("*a* **b** _c_ ~~d~~ ***e***",
               "<p><em>a</em> <strong>b</strong> _c_ <s>d</s> <em><strong>e</strong></em></p>"),
    "products": ("2*3*4 = a*b*c, 2**3 and (a)*(b)*c", "<p>2*3*4 = a*b*c, 2**3 and (a)*(b)*c</p>"),
    "names": ("a_1_2 snake_case_name", "<p>a_1_2 snake_case_name</p>"),
    "stress in Chinese": ("这是**粗体**字", "<p>这是<strong>粗体</strong>字</p>"),
    "a heading is none of the page": ("## A *b* ##", '<p class="heading" data-level="2">A <em>b</em></p>'),
    "an underlined heading": ("a\nb\n---", '<p class="heading" data-level="2">a\nb</p>'),
    "a rule": ("a\n\n* * *", '<p>a</p><hr>'),
    "numbers as sampled": ("3. a\n3. b\n9. c", '<ol data-mark="."><li value="3">a</li><li value="3">b</li>'
                           '<li value="9">c</li></ol>'),
    "bullets as sampled": ("+ a\n  - b", '<ul data-mark="+"><li>a<ul data-mark="-"><li>b</li></ul></li></ul>'),
    "a number too large": ("99999999999. a", "<p>99999999999. a</p>"),
    "a quote": ("> a\n> b\nc", "<blockquote><p>a\nb\nc</p></blockquote>"),
    "a table": ("| a | b\\|c |\n|:-|-:|\n| `1` | |", '<table><thead><tr><th data-align="left">a</th><th data-align="right">b|c</th>'
                '</tr></thead><tbody><tr><td data-align="left"><code>1</code></td><td data-align="right"></td></tr></tbody></table>'),
    "code in a line": ("`` a`b `` ` ` `x\ny`", "<p><code>a`b</code> <code> </code> <code>x\ny</code></p>"),
    "escapes": (r"\*a\* \a \\ \<", "<p>*a* \\a \\ &lt;</p>"),
    "html": ("<b onclick=x>a</b> <!-- c -->", "<p>&lt;b onclick=x&gt;a&lt;/b&gt; &lt;!-- c --&gt;</p>"),
    "entities": ("&lt; &#60; &nbsp;", "<p>&amp;lt; &amp;#60; &amp;nbsp;</p>"),
    "links": ("[a](javascript:b) ![c](d) <http://e> http://f", "<p>[a](javascript:b) ![c](d) &lt;http://e&gt; http://f</p>"),
    "references": ("[a]: http://b 'c'", "<p>[a]: http://b 'c'</p>"),
    "no smart quotes": ("\"a\" -- (c) ...", '<p>"a" -- (c) ...</p>'),
    "an indented sum": ("   12\n+   3\n----\n   15", None),
    "code": ("```py\nif a:\n\n\tb\n```", '<pre class="code"><span class="language">py<code><span class="k">if '
             '<span class="n">a<span class="p">:<span class="w">\n\n\t<span class="n">b<span class="w">\n</code></pre>'),
    "code of no known language": ("~~~ foo bar\nif\n~~~", '<pre class="code"><span class="language">foo bar<code>if\n</code></pre>'),
    "code in a list": ("1. a\n   ```\n   b\n     c\n   ```", '<ol data-mark="."><li value="1">a<pre class="code"><code>b\n  c\n</code>'
                       "</pre></li></ol>"),
    "emoji and marks": ("👩‍🔬 **e\u0301** 🇩🇪", "<p>👩‍🔬 <strong>e\u0301</strong> 🇩🇪</p>"),
    "right to left": ("שלום **עולם**", "<p>שלום <strong>עולם</strong></p>"),
    "nul": ("a\0b", '<p>a<span class="unseen" data-name="NUL">␀b</p>'),
    "words in a box": (r"\boxed{Option A}", '<p><span class="math"><math display="inline"><mrow><mrow class="boxed"><mrow>'
                       "<mtext>Option&nbsp;A</mtext></mrow></mrow></mrow></math></p>"),
    "a formula that is none": (r"\(\frac{\)", r'<p><code><span class="tex">\(\frac{\)</code></p>'),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MARKDOWN.values(), ids=MARKDOWN)
def test_markdown_is_shown(text, expected):
    html = seen(text)
    assert html == (expected or html)


X = '<math display="inline"><mrow><mi>x</mi></mrow></math>'
BIG_X = X.replace("inline", "block")

FORMULAS = {
    "dollars": ("a $x$ b", [(2, 5, X)]),
    "at the start of a step that ends with a digit": ("$x$ is 5", [(0, 3, X)]),
    "brackets": (r"a\(x\)b", [(1, 6, X)]),
    "displayed in a line": (r"a $$x$$ b \[ x \] c", [(2, 7, BIG_X), (10, 17, BIG_X)]),
    "displayed after a line of text": ("so\n\\[\nx\n\\]\nthen", [(3, 10, BIG_X)]),
    "displayed with a full stop": ("$$\nx\n$$.", [(0, 7, BIG_X)]),
    "displayed over blank lines": ("\\[\n\nx\n\n\\]", [(0, 9, BIG_X)]),
    "displayed in a list": ("1. a\n   \\[ x\n   \\]\n2. $x$", [(8, 18, BIG_X), (22, 25, X)]),
    "in a quote over two lines": ("> \\( x\n> \\)", [(2, 11, X)]),
    "in a cell": ("a|b\n-|-\n$x$|c", [(8, 11, X)]),
    "in bold": ("**$x$**", [(2, 5, X)]),
    "with line ends of Windows": ("a\r\n$$\r\nx\r\n$$", [(3, 12, BIG_X)]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FORMULAS.values(), ids=FORMULAS)
def test_a_formula_is_an_atom_that_stands_for_its_source(text, expected):
    html = markdown.render(text, 0)
    assert fragments.what_is_wrong(html, text) == []
    for at, to, formula in expected:
        assert f'data-at="{at}" data-to="{to}">{formula}</span>' in html
    assert html.count("<math") == len(expected)


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $6",
        "US$5, US$6",
        "$ x $",
        "${a}${b}",
        r"\$x$",
        "`$x$`",
        r"\\(x\\)",
        "$a\nb$",
        "$$ $$",
        r"\boxed{x",
    ],
)
def test_money_and_scripts_are_no_formulas(text):
    assert "<math" not in markdown.render(text, 0)


PLAIN = {
    "too long": "a **b** " * 4000,
    "too deep": "> " * 30 + "a",
    "cells without a column": "a|b\n-|-\n1|2|3",
    "an empty fence": "a\n```\n```",
    "nothing but marks": "##",
    "an empty list": "1. 121.",
}


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_what_would_lose_something_is_shown_plain(text):
    html = markdown.render(text, 7)
    assert html.startswith('<div class="plain"><span data-at="7">')
    assert "".join(leaf.text for leaf in fragments.Fragment(html).leaves) == text


def test_offsets_count_code_points_from_the_start_given():
    html = markdown.render("😀 **é** `x`", 100)
    assert [(leaf.at, leaf.text) for leaf in fragments.Fragment(html).leaves] == [
        (100, "😀 "), (104, "é"), (107, " "), (109, "x"),
    ]  # fmt: skip

"""Reads a rendered fragment as a browser would, and says what in it breaks the contract with the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from reviews.rendering import cleaning

VOID = ("hr",)

# Written out again, apart from the code: what may ever reach a page.
_TAGS = "blockquote code div em hr li ol p pre s span strong table tbody td th thead tr ul"
_MATHML_TAGS = "math mfrac mi mn mo mover mroot mrow mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover"
_ATTRIBUTES = "class data-at data-to data-name data-chars data-level data-mark data-align value display"
_MATHML_ATTRIBUTES = (
    "mathvariant accent accentunder fence largeop movablelimits separator stretchy symmetric lspace rspace minsize "
    "maxsize form width displaystyle scriptlevel linethickness columnalign columnspacing rowspacing columnlines rowlines"
)
TAGS = {*_TAGS.split(), *_MATHML_TAGS.split()}
ATTRIBUTES = {*_ATTRIBUTES.split(), *_MATHML_ATTRIBUTES.split()}


@dataclass
class Leaf:
    """Text of the page that says where it stands: an atom has a `to`."""

    at: int
    to: int | None
    classes: list[str]
    text: str = ""

    @property
    def end(self) -> int:
        return self.to if self.to is not None else self.at + len(self.text)


@dataclass
class Fragment(HTMLParser):
    html: str
    leaves: list[Leaf] = field(default_factory=list)
    open: list[tuple[str, Leaf | None]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong += [
            f"{character!r} cannot stand in HTML" for character in "\r\0" if character in self.html
        ]
        self.feed(self.html)
        self.close()
        self.wrong += [f"<{tag}> is never closed" for tag, _ in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.wrong += [f"<{tag}> is not allowed"] if tag not in TAGS else []
        self.wrong += [f"{name} is not allowed on <{tag}>" for name in given if name not in ATTRIBUTES]
        self.wrong += [
            f"{name} twice on <{tag}>" for name in given if [each for each, _ in attrs].count(name) > 1
        ]
        leaf = None
        if "data-at" in given:
            if any(outer for _, outer in self.open):
                self.wrong.append("a leaf in a leaf")
            to = given.get("data-to")
            leaf = Leaf(
                int(given["data-at"] or ""), int(to) if to else None, (given.get("class") or "").split()
            )
            self.leaves.append(leaf)
        if tag not in VOID:
            self.open.append((tag, leaf))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            self.wrong.append(f"</{tag}> closes what is not open")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        leaf = next((leaf for _, leaf in reversed(self.open) if leaf), None)
        if leaf is None:
            self.wrong.append(f"text without a place: {data!r}")
        else:
            leaf.text += data

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"a comment: {data!r}")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(f"a declaration: {decl!r}")

    unknown_decl = handle_decl
    handle_pi = handle_decl


def what_is_wrong(html: str, stored: str) -> list[str]:
    """All in which a fragment breaks the contract: tags, attributes, nesting, and text that is not the stored text's."""
    fragment = Fragment(html)
    wrong = list(fragment.wrong)
    at = 0
    for leaf in fragment.leaves:
        if leaf.at < at or leaf.end > len(stored) or leaf.end <= leaf.at:
            wrong.append(f"{leaf} is out of order")
        if leaf.to is None and leaf.text != stored[leaf.at : leaf.end]:
            wrong.append(f"{leaf} is not {stored[leaf.at : leaf.end]!r}")
        at = leaf.end
    if cleaning.clean(html) != html:
        wrong.append("the gate would change it")
    return wrong


def covered(html: str, length: int) -> bytearray:
    """For each code point of the stored text, 1 if it is on the page, as text or in an atom."""
    seen = bytearray(length)
    for leaf in Fragment(html).leaves:
        seen[leaf.at : leaf.end] = b"\1" * (leaf.end - leaf.at)
    return seen

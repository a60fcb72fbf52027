"""HTML written piece by piece, each piece of text with its offset; and a check that nothing was left out."""

from __future__ import annotations

import re

from reviews.rendering import plain

# What may be hidden: white space, and the marks whose meaning is shown otherwise (a bullet, a bold word, a rule).
_MARKS = re.compile(r"(?:[\s>*+\-#`~_=|:\\]|(?<![^\s>*+\-.)])\d{1,9}[.)])*")


class LostPlace(Exception):
    """A piece of the step could not be found in its source, or would not be seen: the step must be shown plain."""


class Writer:
    """Collects the HTML of one step. Places are code points of the step; what goes out is counted from `start`."""

    def __init__(self, source: str, start: int) -> None:
        self.source = source
        self.start = start
        self.html: list[str] = []
        self.seen = 0  # everything before this place has been written, or is a mark
        self.texts = 0
        self._waiting: tuple[int, int, str | None] | None = None

    def tag(self, html: str) -> None:
        self._flush()
        self.html.append(html)

    def text(self, at: int, end: int, kind: str | None = None) -> None:
        """Write source[at:end], in one span with the piece before if that ends here and looks the same."""
        if at == end:
            return
        self._pass_over(at)
        if self._waiting and self._waiting[1:] == (at, kind):
            self._waiting = (self._waiting[0], end, kind)
        else:
            self._flush()
            self._waiting = (at, end, kind)
        self._see(end)

    def atom(self, at: int, end: int, tag: str, content: str = "") -> None:
        """Write something that stands for source[at:end] without being it: an open tag's inside, and what follows it."""
        self._pass_over(at)
        self.tag(f'<{tag} data-at="{self.start + at}" data-to="{self.start + end}">{content}')
        self._see(end)

    def finish(self) -> str:
        """The HTML. Raises LostPlace if something that is more than a mark was not written, or nothing at all was."""
        self._flush()
        self._pass_over(len(self.source))
        if not self.texts:
            raise LostPlace
        return "".join(self.html)

    def _pass_over(self, at: int) -> None:
        if at < self.seen or not _MARKS.fullmatch(self.source, self.seen, at):
            raise LostPlace

    def _see(self, end: int) -> None:
        self.seen = end
        self.texts += 1

    def _flush(self) -> None:
        if self._waiting:
            at, end, kind = self._waiting
            self.html.append(plain.span(self.source[at:end], self.start + at, kind))
            self._waiting = None

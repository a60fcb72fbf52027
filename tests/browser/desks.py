"""What the tests of the desk do with a page: open it, press, select, wait for the next trace."""

from __future__ import annotations

import re
from typing import Any

import pytest

expect = pytest.importorskip(
    "playwright.sync_api", reason="there is no Playwright: pip install playwright"
).expect


def open_desk(page: Any, round: Any) -> Any:
    with ahead(page):
        page.goto(f"/p/pilot/rounds/{round.pk}/review")
    expect(page.get_by_role("article", name="Trace")).to_be_focused()
    return page


def ahead(page: Any) -> Any:
    """Waits until the trace after the one shown is kept."""
    return page.expect_response(lambda answer: "ahead=1" in answer.url)


def shown(page: Any) -> str:
    return str(re.search(r"Trace \d+", page.get_by_role("article").inner_text())[0])


def press(page: Any, *keys: str) -> None:
    """Say something of the trace, and wait until another one is there and the one after it is kept."""
    before = shown(page)
    with ahead(page):
        for key in keys:
            page.keyboard.press(key)
    expect(page.get_by_role("article")).not_to_contain_text(before + ".")
    expect(page.get_by_role("article")).to_be_focused()


def select(page: Any, words: str) -> None:
    """Select words that stand in one text of the steps, as a mouse would."""
    page.evaluate(
        """words => {
        for (const leaf of document.querySelectorAll(".steps [data-at]")) {
            const text = leaf.firstChild, at = text.data?.indexOf(words) ?? -1;
            if (at >= 0) getSelection().setBaseAndExtent(text, at, text, at + words.length);
        }
    }""",
        words,
    )

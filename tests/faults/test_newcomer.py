"""A newcomer's first minutes against the whole of Winnow: the link, the keyboard, the export by a real worker."""

from __future__ import annotations

from pathlib import Path

import chromium
import pytest

pytestmark = [pytest.mark.faults, pytest.mark.browser, pytest.mark.xdist_group("faults")]


@pytest.fixture
def page():
    """A real Chromium whose console must stay silent."""
    if chromium.PATH is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="there is no Playwright: pip install playwright"
    )
    said: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium.PATH, args=chromium.FLAGS)
        page = browser.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda line: said.append(line.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page
        browser.close()
    assert said == []


def test_a_newcomer_signs_in_judges_by_keyboard_and_exports(serve, instance, page):
    from playwright.sync_api import expect

    page.goto(serve(demo=True).link())
    page.get_by_role("main").get_by_role("link", name="Review").first.click()
    article = page.get_by_role("article")
    for key, word in (("a", "accept"), ("1", "reject"), ("s", "unsure")):
        expect(article).to_be_visible()
        before = article.inner_text()
        page.keyboard.press(key)
        if key == "a":  # nobody has read that fast, so it is asked about once
            expect(page.get_by_role("alert")).to_contain_text("Accept once more")
            page.keyboard.press(key)
        expect(page.locator("#said")).to_contain_text(word)
        expect(article).not_to_have_text(before, use_inner_text=True)
    expect(page.locator("[data-unsent]")).to_be_hidden()
    assert instance.ask("SELECT verdict FROM reviews_review WHERE origin = 'desk' ORDER BY id") == [
        ("accept",),
        ("reject",),
        ("unsure",),
    ]

    page.get_by_role("link", name="Round 1").click()
    page.get_by_role("button", name="Draft a data set").click()
    for line in ("Why this matters", "Why training on outcomes", "What we expect to change", "When we stop"):
        page.get_by_label(line).fill("A first try of the demonstration")
    page.get_by_role("button", name="Keep these lines").click()
    for gate in page.locator(
        "li.gate:has(textarea)"
    ).all():  # which gates stop it depends on what is held out
        gate.locator("summary").click()
        gate.get_by_role("textbox").fill("The demonstration is synthetic, and nothing is trained on it.")
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_role("heading", name="Files")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("main")).to_contain_text("traces of")
    folder = Path(instance.ask("SELECT folder FROM reviews_dataset")[0][0])
    assert instance.json("verify_dataset", folder)["ok"]


def test_the_link_of_a_strangers_file_leads_straight_to_its_first_trace(serve, page, tmp_path):
    from playwright.sync_api import expect

    path = tmp_path / "mine.jsonl"
    path.write_text('{"question": "What is 2+2?", "response": "<think>two and two make four</think>4"}\n')
    page.goto(serve("--file", str(path)).link())
    expect(page.get_by_role("article")).to_contain_text("two and two make four")


def test_a_strangers_file_that_cannot_be_opened_is_told_so_before_anything_starts(serve, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("a,b\n1,2\n")
    server = serve("--file", str(path))
    assert server.process.wait(60) == 2
    assert "JSON" in server.log.read_text()
    assert "Traceback" not in server.log.read_text()

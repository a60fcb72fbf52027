"""The desk in a real browser: keys, focus, the next trace, and that nothing typed is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from making import trace_row

from reviews import assigning, inviting
from reviews.models import Assignment, Citation, Review, Trace

expect = pytest.importorskip(
    "playwright.sync_api", reason="there is no Playwright: pip install playwright"
).expect
TEXT = "The user 🙂 wants 2 + 3.\n\nI could guess 🎲 wildly & say <6>.\r\nNobody checks.\n\nSo it is 5."


@pytest.fixture
def many(import_rows: Any, round: Any) -> list[Trace]:
    """Seven traces with emoji, markup and a CR in their reasoning."""
    import_rows([trace_row(number, reasoning=f"Trace {number}. {TEXT}") for number in range(7)])
    return list(Trace.objects.filter(round=round).order_by("pk"))


@pytest.fixture
def desk(open_page: Any, ada: Any, round: Any, many: Any) -> Any:
    return open_desk(open_page(ada), round)


def open_desk(page: Any, round: Any) -> Any:
    with ahead(page):
        page.goto(f"/p/pilot/rounds/{round.pk}/review")
    expect(page.get_by_role("article", name="Trace")).to_be_focused()
    return page


def ahead(page: Any) -> Any:
    """Waits until the trace after the one shown is kept."""
    return page.expect_response(lambda answer: "ahead=1" in answer.url)


def shown(page: Any) -> str:
    return str(re.search(r"Trace \d", page.get_by_role("article").inner_text())[0])


def press(page: Any, *keys: str) -> None:
    """Say something of the trace, and wait until another one is there."""
    before = shown(page)
    with ahead(page):
        for key in keys:
            page.keyboard.press(key)
    expect(page.get_by_role("article")).not_to_contain_text(before)
    expect(page.get_by_role("article")).to_be_focused()


def select(page: Any, words: str) -> None:
    page.evaluate(
        """words => {
        for (const block of document.querySelectorAll(".steps [data-part]")) {
            const text = block.firstChild, at = text.data.indexOf(words);
            if (at >= 0) getSelection().setBaseAndExtent(text, at, text, at + words.length);
        }
    }""",
        words,
    )


def test_a_newcomer_judges_five_traces_without_leaving_the_keyboard(desk: Any, ada: Any) -> None:
    press(desk, "a")
    expect(desk.locator("#said")).to_contain_text("accept")

    select(desk, "wildly & say <6>.\r\nNobody")
    desk.keyboard.press("2")
    expect(desk.get_by_role("button", name="Reject for 2")).to_be_visible()
    expect(desk.locator("[data-evidence]")).to_contain_text("clause 2, step 2")
    press(desk, "r")
    expect(desk.locator("#said")).to_contain_text("reject for H2")

    press(desk, "Shift+Digit1", "Shift+Digit2", "f", "r")
    press(desk, "1")
    press(desk, "s")
    expect(desk.locator("[data-judged]")).to_have_text("5")
    with ahead(desk):
        desk.keyboard.press("u")
    expect(desk.locator("#said")).to_contain_text("Undone")
    expect(desk.locator("[data-judged]")).to_have_text("4")
    press(desk, "a")

    reviews = Review.objects.heads().filter(reviewer=ada).order_by("pk")
    assert [review.verdict for review in reviews] == ["accept", "reject", "reject", "reject", "accept"]
    marked = Citation.objects.get(quote__isnull=False)
    text = marked.review.trace.reasoning.as_text
    assert text[marked.start : marked.end] == bytes(marked.quote).decode() == "wildly & say <6>.\r\nNobody"
    cited = reviews[2].citations.order_by("clause__key").values_list("clause__key", "held")
    assert list(cited) == [("F1", "remark"), ("H1", "fails"), ("H2", "fails")]
    assert all(review.seconds is not None for review in reviews)


def test_a_selection_over_two_steps_is_one_exact_span_for_each(desk: Any) -> None:
    desk.evaluate("""() => {
        const [one, two] = document.querySelectorAll(".steps [data-part]");
        getSelection().setBaseAndExtent(one.firstChild, one.firstChild.data.indexOf("wants"), two.firstChild, 7);
    }""")
    desk.keyboard.press("1")
    press(desk, "r")

    marks = Citation.objects.order_by("start")
    assert [bytes(mark.quote).decode() for mark in marks] == ["wants 2 + 3.", "I could"]


def test_a_double_press_gives_one_review(desk: Any) -> None:
    before = shown(desk)
    with ahead(desk):
        desk.evaluate("""() => {
            for (let i = 0; i < 2; i += 1)
                document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "a", code: "KeyA", bubbles: true }));
        }""")
    expect(desk.get_by_role("article")).not_to_contain_text(before)

    assert Review.objects.count() == 1


def test_a_refused_verdict_keeps_what_was_typed_and_says_what_to_do(
    desk: Any, ada: Any, said_by_browser: list[str]
) -> None:
    before = shown(desk)
    desk.keyboard.press("c")
    desk.keyboard.type("a 1 r u ?")  # keys are text while someone types
    desk.keyboard.press("Escape")
    desk.keyboard.press("r")
    expect(desk.get_by_role("alert")).to_contain_text("names the clause")

    held = Assignment.objects.filter(leased_by=ada).order_by("leased_at", "pk").first()
    assigning.release(held)
    Assignment.objects.filter(pk=held.pk).update(leased_by=other(ada), leased_until="2100-01-01T00:00Z")
    desk.keyboard.press("Shift+Digit2")
    desk.keyboard.press("r")
    expect(desk.get_by_role("alert")).to_contain_text("no longer yours")

    expect(desk.get_by_label("Comment")).to_have_value("a 1 r u ?")
    expect(desk.get_by_role("button", name="Reject for 2")).to_be_visible()
    assert shown(desk) == before
    assert not Review.objects.exists()
    said_by_browser.clear()  # a browser's console names every answer of 409 and 422


def other(user: Any) -> Any:
    return type(user).objects.create_user("someone-else")


def test_a_dead_network_loses_nothing_and_the_next_press_saves(desk: Any, said_by_browser: list[str]) -> None:
    desk.keyboard.press("Shift+Digit1")
    desk.context.set_offline(True)
    desk.keyboard.press("r")
    expect(desk.get_by_role("alert")).to_contain_text("nothing was saved")
    desk.context.set_offline(False)
    press(desk, "r")

    expect(desk.get_by_role("alert")).to_be_empty()
    assert Review.objects.get().verdict == "reject"
    said_by_browser.clear()


def test_signed_out_meanwhile_keeps_the_verdict_until_one_is_in_again(
    desk: Any, ada: Any, said_by_browser: list[str]
) -> None:
    desk.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    desk.keyboard.press("a")
    expect(desk.get_by_role("alert")).to_contain_text("signed out")

    desk.context.new_page().goto(inviting.make_login_link(ada))
    desk.keyboard.press("a")
    expect(desk.get_by_role("alert")).to_contain_text("press again")
    assert not Review.objects.exists()
    press(desk, "a")
    assert Review.objects.get().verdict == "accept"
    said_by_browser.clear()


def test_a_thumb_judges_on_a_narrow_screen(open_page: Any, ada: Any, round: Any, many: Any) -> None:
    page = open_desk(
        open_page(ada, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True), round
    )
    before = shown(page)
    page.get_by_role("button", name="Spec, 2 clauses").tap()
    page.get_by_text("No hidden intent").tap()
    with ahead(page):
        page.get_by_role("button", name="Reject for 2").tap()
    expect(page.get_by_role("article")).not_to_contain_text(before)

    assert Citation.objects.get().clause.key == "H2"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_javascript_the_desk_posts_and_redirects(
    open_page: Any, ada: Any, round: Any, many: Any
) -> None:
    page = open_page(ada, java_script_enabled=False)
    page.goto(f"/p/pilot/rounds/{round.pk}/review")
    page.get_by_role("button", name="Take the next trace").click()
    page.get_by_text("No hidden intent").click()
    page.get_by_role("button", name="Reject").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Accept").click()

    assert Review.objects.heads().get().verdict == "accept"

"""The desk in a real browser: keys, focus, the next trace, and that nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from desks import ahead, expect, open_desk, press, select, shown
from making import trace_row

from reviews import assigning
from reviews.models import Assignment, Citation, Review, Trace

TEXT = "The user 🙂 wants 2 + 3.\n\nI could guess 🎲 wildly & say <6>.\r\nNobody checks.\n\nSo it is 5."


@pytest.fixture
def many(import_rows: Any, round: Any) -> list[Trace]:
    """Seven traces with emoji, markup and a CR in their reasoning."""
    import_rows([trace_row(number, reasoning=f"Trace {number}. {TEXT}") for number in range(7)])
    return list(Trace.objects.filter(round=round).order_by("pk"))


@pytest.fixture
def desk(open_page: Any, ada: Any, round: Any, many: Any) -> Any:
    return open_desk(open_page(ada), round)


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
        const [one, two] = document.querySelectorAll(".steps [data-at]");
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


def test_a_reject_without_a_clause_is_told_so_and_keeps_what_was_typed(desk: Any) -> None:
    before = shown(desk)
    desk.keyboard.press("c")
    desk.keyboard.type("a 1 r u ?")  # keys are text while someone types
    desk.keyboard.press("Escape")
    desk.keyboard.press("r")

    expect(desk.get_by_role("alert")).to_contain_text("names the clause")
    expect(desk.get_by_role("textbox", name="Comment")).to_have_value("a 1 r u ?")
    assert shown(desk) == before
    assert not Review.objects.exists()


def test_a_lost_lease_is_explained_and_the_verdict_kept_as_a_draft(
    desk: Any, ada: Any, said_by_browser: list[str]
) -> None:
    held = Assignment.objects.filter(leased_by=ada).order_by("leased_at", "pk").first()
    assigning.release(held)
    Assignment.objects.filter(pk=held.pk).update(leased_by=other(ada), leased_until="2100-01-01T00:00Z")
    desk.keyboard.press("c")
    desk.keyboard.type("It steers.")
    desk.keyboard.press("Escape")
    press(desk, "Shift+Digit2", "r")

    expect(desk.get_by_role("alert")).to_contain_text("no longer yours")
    desk.get_by_role("button", name="1 not saved").click()
    expect(desk.locator("[data-kept-list]")).to_contain_text("reject, H2, It steers.")
    desk.get_by_role("button", name="Drop it").click()
    expect(desk.locator("[data-kept-list]")).to_be_empty()
    assert not Review.objects.exists()
    said_by_browser.clear()  # a browser's console names every answer of 409


def other(user: Any) -> Any:
    return type(user).objects.create_user("someone-else")


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

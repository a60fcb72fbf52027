"""Samples side by side: evidence, drafts and the outbox as at the desk of one trace, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from desks import expect
from django.conf import settings
from making import trace_row

from reviews import inviting, planning, preparing
from reviews.models import Assignment, Citation, Comparison, Review, Skip, Trace

TEXT = "Let $x^2 = 9$ hold, so **x is 3**.\n\n- 👩‍👩‍👧\n- the cafe\u0301"


@pytest.fixture
def beside(open_page: Any, ada: Any, project: Any, import_rows: Any) -> Any:
    """Ada's desk with three samples of a prompt side by side, and another prompt's after them."""

    def open_in(mode: str = "side-by-side", text: str = TEXT) -> Any:
        round, _ = planning.create_round(project, "mode", by=None, double_share=0, mode=mode)
        rows = [
            trace_row(number, sample, reasoning=f"{number}.{sample} {text}")
            for number in range(2)
            for sample in range(3)
        ]
        import_rows(rows, into=round)
        for trace in Trace.objects.all():
            preparing.render_trace(trace.pk)
        page = open_page(ada)
        page.goto(f"/p/pilot/rounds/{round.pk}/review")
        expect(page.locator("[data-focus]")).to_be_focused()
        return page

    return open_in


def side(page: Any, letter: str) -> Any:
    return page.get_by_role("region", name=f"Sample {letter}", exact=True)


def mark(page: Any, letter: str, words: str, digit: str) -> None:
    """Select words in a sample's steps, as a mouse would, and press a clause's digit."""
    page.evaluate(
        """([letter, words]) => {
        for (const leaf of document.querySelectorAll(`[data-side=${letter}] .steps [data-at]`)) {
            const text = leaf.firstChild, at = text.data?.indexOf(words) ?? -1;
            if (at >= 0) getSelection().setBaseAndExtent(text, at, text, at + words.length);
        }
    }""",
        [letter, words],
    )
    page.keyboard.press(digit)


def judge_all(page: Any) -> str:
    """Accept each sample and send it; the look that this was."""
    look = page.locator("[name=assignment]").first.input_value()
    for _ in range(page.locator("[data-side]").count()):
        page.keyboard.press("a")
    page.keyboard.press("Enter")
    return str(look)


def settled(page: Any) -> None:
    expect(page.locator("[data-unsent]")).to_be_hidden(timeout=30_000)


def test_evidence_in_two_samples_survives_a_reload_and_is_the_stored_text_exactly(
    beside: Any, faults: Any
) -> None:
    desk = beside()
    mark(desk, "A", "x is 3", "1")
    desk.evaluate("""() => {
        const step = document.querySelector("[data-side=C] [data-step='1']");
        getSelection().setBaseAndExtent(step.querySelector(".math"), 0, step.querySelector("strong [data-at]").firstChild, 4);
    }""")
    desk.keyboard.press("2")
    mark(desk, "C", "the cafe\u0301", "2")
    desk.keyboard.press("c")
    desk.keyboard.type("half a thought")
    desk.keyboard.press("Escape")
    desk.reload()
    expect(side(desk, "A").locator("[data-evidence] q")).to_have_text("x is 3")
    expect(side(desk, "C").locator("[data-evidence] li")).to_have_count(2)
    expect(side(desk, "C").get_by_role("radio", name="Reject")).to_be_checked()
    expect(side(desk, "C").get_by_role("textbox")).to_have_value("half a thought")
    expect(side(desk, "B").locator("[data-evidence-block]")).to_be_hidden()
    assert (
        desk.evaluate(
            "[...CSS.highlights.get('evidence')].map((range) => range.startContainer.parentElement.closest('[data-side]').dataset.side)"
        ).count("A")
        == 1
    )
    assert desk.locator("[data-side=C] [data-marked]").count() == 1
    assert faults(desk) == []
    side(desk, "B").get_by_role("radio", name="Accept").check()
    desk.get_by_role("button", name="Save and go on").click()
    expect(desk.locator("#said")).to_contain_text("A reject, B accept, C reject")
    settled(desk)
    found = []
    for citation in Citation.objects.select_related("review__trace__reasoning", "clause").order_by("pk"):
        text = citation.review.trace.reasoning.as_text
        quote = bytes(citation.quote).decode()
        assert text[citation.start : citation.end] == quote
        found.append((citation.review.comment, citation.clause.key, quote))
    assert found == [
        ("", "H1", "x is 3"),
        ("half a thought", "H2", "$x^2 = 9$ hold, so **x is"),
        ("half a thought", "H2", "the cafe\u0301"),
    ]


def test_a_dead_network_in_the_middle_loses_no_verdict_and_doubles_none(
    beside: Any, said_by_browser: list[str]
) -> None:
    desk = beside()
    desk.context.set_offline(True)
    look = judge_all(desk)
    expect(desk.locator("[data-unsent]")).to_have_text("unsent 3")
    expect(desk.get_by_role("alert")).to_contain_text("kept in this browser")
    desk.keyboard.press("1")  # said is said
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-unsent]")).to_have_text("unsent 3")
    assert not Review.objects.exists()
    desk.context.set_offline(False)
    settled(desk)
    expect(desk.locator("[name=assignment]").first).not_to_have_value(look)
    expect(desk.locator("[data-judged]")).to_have_text("3")
    expect(desk.get_by_role("radio", name="Accept").first).not_to_be_checked()
    assert list(Review.objects.values_list("verdict", flat=True)) == ["accept"] * 3
    assert Comparison.objects.count() == 1
    said_by_browser.clear()


def test_leaving_with_unsent_verdicts_asks_first_and_they_are_sent_on_coming_back(
    beside: Any, said_by_browser: list[str]
) -> None:
    desk = beside("pick-best")
    desk.route("**/compare", lambda route: route.abort())
    desk.keyboard.press("2")
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-unsent]")).to_have_text("unsent 3")
    asked = []
    desk.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    address = desk.url
    desk.get_by_role("link", name="Winnow").click()
    desk.wait_for_url("**/")
    assert asked == ["beforeunload"]
    desk.unroute("**/compare")
    desk.goto(address)
    settled(desk)
    expect(desk.locator("#said")).to_contain_text("B picked")
    picked = Review.objects.get(verdict="accept")
    assert picked.comparison.places.get(trace=picked.trace).side == 2
    said_by_browser.clear()


def test_signed_out_and_a_lost_lease_keep_what_was_said(
    beside: Any, ada: Any, ben: Any, said_by_browser: list[str]
) -> None:
    desk = beside()
    desk.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    desk.keyboard.press("c")
    desk.keyboard.type("so it is")
    desk.keyboard.press("Escape")
    lost = judge_all(desk)
    expect(desk.get_by_role("alert")).to_contain_text("signed out")
    Assignment.objects.filter(pk=lost).update(leased_by=ben)
    other = desk.context.new_page()
    other.goto(inviting.make_login_link(ada))
    other.close()
    expect(desk.get_by_role("alert")).to_contain_text("you no longer hold A")
    expect(desk.get_by_role("button", name="1 not saved")).to_be_visible()
    expect(desk.get_by_role("region", name="Sample", exact=False)).to_have_count(2)
    expect(desk.get_by_role("radio", name="Accept", checked=True)).to_have_count(2)  # as they were left
    desk.get_by_role("button", name="1 not saved").click()
    expect(desk.get_by_role("dialog")).to_contain_text("A accept, B accept, C accept, so it is")
    desk.keyboard.press("Escape")
    desk.get_by_role("button", name="Save and go on").click()
    expect(desk.locator("[data-judged]")).to_have_text("2")
    settled(desk)
    assert Review.objects.count() == 2
    said_by_browser.clear()


def test_an_accept_of_what_was_hardly_seen_is_asked_about_once_and_each_share_is_on_record(
    beside: Any,
) -> None:
    long = "\n\n".join(f"Step {number} says the same thing in some more words." for number in range(300))
    desk = beside(text=long)
    judge_all(desk)
    expect(desk.get_by_role("alert")).to_contain_text("of sample A was on screen")
    assert not Review.objects.exists()
    desk.keyboard.press("Enter")
    expect(desk.locator("#said")).to_contain_text("A accept")
    settled(desk)
    assert all(review.hasty and 0 < review.shown_share < 0.1 for review in Review.objects.all())
    assert Review.objects.count() == 3


def test_another_reason_a_remark_a_bad_prompt_and_a_skip_are_keys_here_too(beside: Any) -> None:
    page = beside()
    look = page.locator("[name=assignment]").first.input_value()
    page.keyboard.press("o")
    page.keyboard.type("It mocks the person.")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    expect(side(page, "A").get_by_role("radio", name="Reject")).to_be_checked()
    page.keyboard.press("j")
    page.keyboard.press("b")
    page.keyboard.press("j")
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    settled(page)
    expect(page.locator("[name=assignment]").first).not_to_have_value(look)
    first, second, third = Review.objects.order_by("pk")
    assert (first.verdict, first.other, first.comment) == ("reject", True, "It mocks the person.")
    assert [citation.held for citation in first.citations.all()] == ["remark"]
    assert (second.verdict, third.verdict) == ("bad-prompt", "unsure")

    page.keyboard.press("n")
    expect(page.locator("[data-side]")).to_have_count(0)
    assert Skip.objects.count() == 3
    assert Review.objects.count() == 3

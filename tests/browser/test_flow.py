"""The flow at the desk: nothing lost on the way to the server, nothing doubled, in one tab or two, signed out or offline."""

from __future__ import annotations

from typing import Any

import pytest
from desks import ahead, expect, open_desk, press, select, shown
from django.conf import settings
from making import trace_row

from reviews import inviting, preparing
from reviews.models import Citation, Review, Trace

TEXT = "Let $x^2 = 9$ hold, so **x is 3** or `-3`.\n\n- one 👩‍👩‍👧 of *two* roots\n- the cafe\u0301 root\n\nSo \\(x = 3\\)."


@pytest.fixture
def twenty(import_rows: Any, round: Any) -> list[Trace]:
    """Twenty-three traces, rendered, with TeX, Markdown, ZWJ and combining marks."""
    import_rows([trace_row(number, reasoning=f"Trace {number}. {TEXT}") for number in range(23)])
    traces = list(Trace.objects.filter(round=round).order_by("pk"))
    for trace in traces:
        preparing.render_trace(trace.pk)
    return traces


@pytest.fixture
def desk(open_page: Any, ada: Any, round: Any, twenty: Any) -> Any:
    return open_desk(open_page(ada), round)


def saved(verdicts: int) -> None:
    assert Review.objects.count() == verdicts


def settled(page: Any) -> None:
    """Nothing is unsent any more."""
    expect(page.locator("[data-unsent]")).to_be_hidden(timeout=30_000)


def test_twenty_traces_by_keyboard_alone(desk: Any, ada: Any) -> None:
    for number in range(20):
        keys = (("a",), ("1",), ("s",), ("Shift+Digit2", "r"), ("f", "a"))[number % 5]
        press(desk, *keys)
    settled(desk)
    expect(desk.locator("[data-judged]")).to_have_text("20")
    verdicts = list(Review.objects.filter(reviewer=ada).order_by("pk").values_list("verdict", flat=True))
    assert verdicts == ["accept", "reject", "unsure", "reject", "accept"] * 4


def test_a_dead_network_in_the_middle_loses_nothing(desk: Any, said_by_browser: list[str]) -> None:
    press(desk, "a")
    first = shown(desk)
    desk.context.set_offline(True)
    desk.keyboard.press("1")
    expect(desk.get_by_role("article")).not_to_contain_text(first + ".")  # the next trace was there already
    second = shown(desk)
    desk.keyboard.press("s")
    expect(desk.locator("[data-unsent]")).to_have_text("unsent 2")
    expect(desk.get_by_role("alert")).to_contain_text("kept in this browser")
    assert shown(desk) == second  # nothing more is kept: it waits, and says so
    saved(1)
    desk.context.set_offline(False)
    settled(desk)
    expect(desk.get_by_role("article")).not_to_contain_text(second + ".")
    assert list(Review.objects.order_by("pk").values_list("verdict", flat=True)) == [
        "accept",
        "reject",
        "unsure",
    ]
    said_by_browser.clear()


def test_what_is_unsent_outlives_the_tab_and_leaving_asks_first(
    desk: Any, said_by_browser: list[str]
) -> None:
    desk.route("**/assignments/*/review", lambda route: route.abort())
    desk.keyboard.press("a")
    expect(desk.locator("[data-unsent]")).to_have_text("unsent 1")
    asked = []
    desk.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    desk.get_by_role("link", name="Winnow").click()
    desk.wait_for_url("**/")
    assert asked == ["beforeunload"]
    saved(0)
    desk.unroute("**/assignments/*/review")
    desk.goto(f"/p/pilot/rounds/{Trace.objects.first().round_id}/review")
    settled(desk)
    saved(1)
    said_by_browser.clear()


def test_signed_out_in_the_middle_of_a_verdict_keeps_it_until_one_is_in_again(
    desk: Any, ada: Any, said_by_browser: list[str]
) -> None:
    desk.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    desk.keyboard.press("a")
    expect(desk.get_by_role("alert")).to_contain_text("signed out")
    expect(desk.get_by_role("link", name="Sign in")).to_be_visible()
    saved(0)
    other = desk.context.new_page()
    other.goto(inviting.make_login_link(ada))
    other.close()
    settled(desk)
    assert Review.objects.get().verdict == "accept"
    expect(desk.get_by_role("alert")).to_be_empty()
    said_by_browser.clear()


def test_a_half_made_reject_survives_a_reload(desk: Any) -> None:
    before = shown(desk)
    select(desk, "x is 3")
    desk.keyboard.press("2")
    desk.keyboard.press("c")
    desk.keyboard.type("half a thought")
    desk.keyboard.press("Escape")
    with ahead(desk):
        desk.reload()
    expect(desk.get_by_role("article", name="Trace")).to_be_focused()
    assert shown(desk) == before
    expect(desk.get_by_role("button", name="Reject for 2")).to_be_visible()
    expect(desk.locator("[data-evidence] q")).to_have_text("x is 3")
    expect(desk.get_by_role("textbox", name="Comment")).to_have_value("half a thought")


def test_evidence_on_tex_and_markdown_is_the_stored_text_exactly(desk: Any) -> None:
    desk.evaluate("""() => {
        const step = document.querySelector("[data-step='1']"), math = step.querySelector(".math");
        const bold = step.querySelector("strong [data-at]").firstChild;
        getSelection().setBaseAndExtent(math, 0, bold, 4);
    }""")
    desk.keyboard.press("1")
    desk.evaluate("""() => {
        const list = document.querySelector("[data-step='2']");
        getSelection().selectAllChildren(list.querySelector("li:last-child"));
    }""")
    desk.keyboard.press("2")
    expect(desk.locator("[data-evidence] li")).to_have_count(2)
    assert desk.evaluate("CSS.highlights.get('evidence').size") > 1
    assert desk.locator("[data-marked]").count() == 1
    press(desk, "r")
    settled(desk)
    found = {}
    for mark in Citation.objects.select_related("review__trace__reasoning", "clause"):
        text = mark.review.trace.reasoning.as_text
        assert text[mark.start : mark.end] == bytes(mark.quote).decode()
        found[mark.clause.key] = bytes(mark.quote).decode()
    assert found == {"H1": "$x^2 = 9$ hold, so **x is", "H2": "the cafe\u0301 root"}


def test_a_mark_is_adjusted_and_removed_by_keyboard(desk: Any) -> None:
    select(desk, "of")
    desk.keyboard.press("1")
    desk.locator("[data-evidence] button").first.focus()
    desk.keyboard.press("ArrowRight")
    expect(desk.locator("[data-evidence] q")).to_have_text("of *two")
    desk.keyboard.press("Shift+ArrowLeft")
    expect(desk.locator("[data-evidence] q")).to_contain_text("one")
    desk.keyboard.press("Delete")
    expect(desk.locator("[data-evidence] li")).to_have_count(0)


def test_a_verdict_at_the_very_moment_the_one_before_is_acknowledged_does_not_bring_its_trace_again(
    desk: Any, ada: Any
) -> None:
    first = shown(desk)
    desk.evaluate("""() => {  // the outbox forgets what was acknowledged, looks what is left, and there the key falls
        const [forget, look] = [IDBObjectStore.prototype.delete, IDBObjectStore.prototype.getAll];
        let forgot = false;
        IDBObjectStore.prototype.delete = function (...args) { forgot = true; return forget.apply(this, args); };
        IDBObjectStore.prototype.getAll = function (...args) {
            const request = look.apply(this, args);
            if (forgot) {
                [IDBObjectStore.prototype.delete, IDBObjectStore.prototype.getAll] = [forget, look];
                window.judgedThen = document.querySelector("form#verdict").getAttribute("action");
                document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "s", code: "KeyS", bubbles: true }));
            }
            return request;
        };
        window.came = [];
        new MutationObserver(() => window.came.push(document.querySelector("form#verdict")?.getAttribute("action")))
            .observe(document.getElementById("desk"), { childList: true });
    }""")
    desk.keyboard.press("s")
    expect(desk.locator("[data-judged]")).to_have_text("2")
    settled(desk)
    expect(desk.locator("form#verdict")).not_to_have_attribute("aria-busy", "true")
    judged, came = desk.evaluate("[judgedThen, came]")
    assert came[0] == judged
    assert came[1:]
    assert judged not in came[1:]
    assert first != shown(desk)
    saved(2)


def test_two_tabs_never_double_a_verdict(desk: Any, round: Any, said_by_browser: list[str]) -> None:
    other = desk.context.new_page()
    other.goto(f"/p/pilot/rounds/{round.pk}/review")
    expect(other.get_by_role("article", name="Trace")).to_be_focused()
    assert shown(other) == shown(desk)
    press(desk, "a")
    settled(desk)
    other.keyboard.press("1")
    expect(other.get_by_role("alert")).to_contain_text("judged this trace already (accept")
    saved(1)
    said_by_browser.clear()


def test_back_and_forth_with_the_browser_shows_what_is_held_now(desk: Any, round: Any) -> None:
    press(desk, "a")
    settled(desk)
    after = shown(desk)
    desk.goto("/")
    desk.go_back()
    expect(desk.get_by_role("article", name="Trace")).to_be_focused()
    assert shown(desk) == after
    saved(1)


def test_undo_reaches_back_through_the_session_and_the_list_reopens(desk: Any, round: Any) -> None:
    judged = []
    for key in ("a", "1", "s"):
        judged.append(shown(desk))
        press(desk, key)
    settled(desk)
    for before in reversed(judged):
        with ahead(desk):
            desk.keyboard.press("u")
        expect(desk.get_by_role("article")).to_contain_text(before + ".")
    assert not Review.objects.standing().exists()
    press(desk, "a")
    settled(desk)
    desk.get_by_role("link", name="judged by you").click()
    desk.get_by_role("button", name="Reopen").click()
    expect(desk.get_by_role("article")).to_contain_text(judged[0] + ".")


def test_the_live_region_tells_the_verdict_and_the_next_trace(desk: Any) -> None:
    press(desk, "a")
    expect(desk.locator("[data-announce]")).to_contain_text("accept")
    expect(desk.locator("[data-announce]")).to_contain_text("Trace:")


@pytest.mark.parametrize(
    ("key", "code", "verdict"),
    [
        ("a", "KeyA", "accept"),  # QWERTY
        ("a", "KeyQ", "accept"),  # AZERTY: the letter decides, not the place
        ("ф", "KeyA", "accept"),  # Cyrillic: there is no Latin letter, so the place decides
        ("&", "Digit1", "reject"),  # AZERTY: the upper row types signs
        ("ы", "KeyS", "unsure"),
    ],
)
def test_keys_work_on_three_layouts(desk: Any, key: str, code: str, verdict: str) -> None:
    with ahead(desk):
        desk.evaluate(
            """([key, code]) => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true }))""",
            [key, code],
        )
    settled(desk)
    assert Review.objects.get().verdict == verdict


def test_no_key_fires_with_a_modifier_or_while_an_input_method_composes(desk: Any) -> None:
    desk.evaluate("""() => {
        for (const how of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }, { isComposing: true }])
            document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "a", code: "KeyA", bubbles: true, ...how }));
    }""")
    desk.wait_for_timeout(200)
    saved(0)


def test_every_other_key_does_what_the_list_of_keys_says(desk: Any) -> None:
    article = desk.get_by_role("article")
    desk.keyboard.press("?")
    expect(desk.get_by_role("dialog", name="Keys")).to_be_visible()
    desk.keyboard.press("Escape")
    desk.keyboard.press("j")
    desk.keyboard.press("j")
    expect(article.locator("[aria-current=step]")).to_have_attribute("data-step", "2")
    desk.keyboard.press("k")
    desk.keyboard.press("m")
    assert desk.evaluate("getSelection().toString().length") > 20
    desk.evaluate("getSelection().removeAllRanges()")
    desk.keyboard.press("x")
    expect(article.locator("[data-part=reasoning] > .raw")).to_contain_text("$x^2 = 9$")
    desk.keyboard.press("x")
    expect(article.locator("[data-part=reasoning] > .steps")).to_be_visible()
    desk.keyboard.press("w")
    expect(article.locator("[data-reading]")).to_have_attribute("data-wrap", "false")
    desk.keyboard.press("w")
    desk.keyboard.press("/")
    desk.keyboard.type("root")
    expect(desk.locator(".finding output")).to_have_text("1 of 2")
    desk.keyboard.press("Enter")
    expect(desk.locator(".finding output")).to_have_text("2 of 2")
    desk.keyboard.press("Escape")
    desk.keyboard.press("o")
    expect(desk.get_by_role("textbox", name="Comment")).to_be_focused()
    desk.keyboard.type("It flatters.")
    desk.keyboard.press("Escape")
    press(desk, "r")
    settled(desk)
    assert Review.objects.get().other
    desk.keyboard.press("c")
    desk.keyboard.type("Does it count?")
    desk.keyboard.press("Escape")
    press(desk, "q")
    expect(desk.locator("#said")).to_contain_text("Asked")
    press(desk, "n")
    expect(desk.locator("#said")).to_contain_text("Skipped")
    press(desk, "b")
    settled(desk)
    assert Review.objects.filter(verdict="bad-prompt").count() == 1


def test_keys_can_be_changed_and_are_data_never_markup(desk: Any, round: Any) -> None:
    desk.goto("/me#keys")
    desk.get_by_label("Accept").fill("<")
    desk.get_by_role("button", name="Save the keys").click()
    expect(desk.get_by_label("Accept")).to_have_value("<")
    open_desk(desk, round)
    expect(desk.get_by_role("button", name="Accept <")).to_be_visible()
    press(desk, "<")
    settled(desk)
    assert Review.objects.get().verdict == "accept"
    before = shown(desk)
    desk.keyboard.press("a")  # nobody's key any more
    desk.wait_for_timeout(200)
    assert shown(desk) == before


def test_an_accept_of_what_was_hardly_seen_is_asked_about_once_and_flagged(
    open_page: Any, ada: Any, round: Any, import_rows: Any
) -> None:
    long = "\n\n".join(f"Step {number} says the same thing in some more words." for number in range(400))
    import_rows([trace_row(number, reasoning=f"Trace {number}. {long}") for number in (1, 2, 3)])
    page = open_desk(open_page(ada), round)
    page.keyboard.press("a")
    expect(page.get_by_role("alert")).to_contain_text("was on screen")
    saved(0)
    press(page, "a")
    settled(page)
    done = Review.objects.get()
    assert done.hasty
    assert done.shown_share < 0.1

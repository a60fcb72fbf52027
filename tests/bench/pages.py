"""The desk in headless Chromium: from a keystroke to the next trace painted, and how long texts take to open."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench.instance import Instance
from tests.bench.numbers import spread
from tests.chromium import FLAGS, PATH

# there: another trace is in the document. painted: the frame that shows it has been drawn (the first message after its
# requestAnimationFrame). second: the frame after that has begun, which no paint of the trace can come later than.
WATCH = """() => {
    window.taken = [];
    let pressed = 0, was = null;
    const action = () => document.querySelector("form#verdict")?.getAttribute("action");
    addEventListener("keydown", (event) => { pressed = event.timeStamp; was = action(); }, true);
    new MutationObserver(() => {
        if (!pressed || !action() || action() === was) return;
        const began = pressed, row = { there: performance.now() - pressed };
        pressed = 0;
        requestAnimationFrame(() => {
            const channel = new MessageChannel();
            channel.port1.onmessage = () => { row.painted = performance.now() - began; };
            channel.port2.postMessage(0);
            requestAnimationFrame(() => {
                row.second = performance.now() - began;
                row.painted ??= row.second;
                taken.push(row);
            });
        });
    }).observe(document.getElementById("desk"), { childList: true, subtree: true });
}"""
OPENED = """() => {
    const [page] = performance.getEntriesByType("navigation");
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    return { answered: page.responseEnd, paint: paint?.startTime ?? null, load: page.loadEventEnd,
        heap: performance.memory.usedJSHeapSize / 2 ** 20 };
}"""
PRESS = "s"  # unsure: never asked about, as an accept of a text that was hardly seen is


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser, or None where there is none."""
    if PATH is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=PATH, args=[*FLAGS, "--enable-precise-memory-info"])
        yield browser
        browser.close()


def open_page(browser: Any, instance: Instance, person: dict[str, Any]) -> Any:
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{instance.port}",
        viewport={"width": 1440, "height": 900},
        reduced_motion="reduce",
    )
    context.set_default_timeout(30_000)
    url = f"http://127.0.0.1:{instance.port}"
    context.add_cookies([{"name": person["cookie"], "value": person["session"], "url": url}])
    return context.new_page()


def desk(round: int) -> str:
    return f"/p/bench/rounds/{round}/review"


def ahead(page: Any) -> Any:
    return page.expect_response(lambda answer: "ahead=1" in answer.url)


def press(page: Any, times: int, prefetched: bool) -> list[dict[str, float]]:
    """Judge so many traces and return what the page measured for each."""
    page.evaluate("taken.length = 0")
    for number in range(times):
        if prefetched:
            with ahead(page) as answer:
                page.keyboard.press(PRESS)
            answer.value.finished()
        else:
            page.keyboard.press(PRESS)
        wait_for_paint(page, number + 1)
        # Time for the answer to be kept and for the desk to be idle, as it is while someone reads.
        page.wait_for_timeout(250)
    found: list[dict[str, float]] = page.evaluate("taken")
    return found


def wait_for_paint(page: Any, times: int) -> None:
    """Asked from outside: the page's content security policy lets no script of ours wait inside."""
    for _ in range(400):
        page.wait_for_timeout(50)
        if page.evaluate("taken.length") >= times:
            return
    raise TimeoutError("the next trace was not painted within 20 s")


def summed(rows: list[dict[str, float]]) -> dict[str, Any]:
    return {what: spread([row[what] / 1000 for row in rows]) for what in ("there", "painted", "second")}


def keystrokes(browser: Any, instance: Instance, round: int, person: dict[str, Any]) -> dict[str, Any]:
    """Key to paint with the next trace at hand, and without, where its prefetch was cut off."""
    page = open_page(browser, instance, person)
    with ahead(page) as answer:
        page.goto(desk(round))
    answer.value.finished()
    page.wait_for_timeout(500)
    page.evaluate(WATCH)
    press(page, 3, prefetched=True)
    mark = instance.log_size()
    found = {"with": summed(press(page, 40, prefetched=True))}
    found["server_verdict"] = spread(instance.served(mark, "/review"))
    found["server_next"] = spread(instance.served(mark, "/next"))
    page.route("**/next?ahead=1", lambda route: route.abort())
    press(page, 2, prefetched=False)  # the first of them had been fetched before
    found["without"] = summed(press(page, 20, prefetched=False))
    page.context.close()
    return found


def opening(browser: Any, instance: Instance, round: int, person: dict[str, Any]) -> dict[str, Any]:
    """A text of this length opened as a page, and as the next trace after a key."""
    page = open_page(browser, instance, person)
    with ahead(page):
        page.goto(desk(round))
    rows = []
    for _ in range(5):
        with ahead(page) as answer:
            page.goto(desk(round), wait_until="load")
        answer.value.finished()
        page.wait_for_timeout(300)
        rows.append(page.evaluate(OPENED))
    found: dict[str, Any] = {
        what: round_to(statistics.median(row[what] for row in rows[1:] if row[what] is not None))
        for what in ("answered", "paint", "load", "heap")
    }
    page.evaluate(WATCH)
    found["swap"] = summed(press(page, 8, prefetched=True))
    found["nodes"] = page.evaluate("document.querySelectorAll('#desk *').length")
    page.context.close()
    return found


def round_to(number: float) -> float:
    return float(f"{number:.1f}")

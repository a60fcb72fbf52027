"""A real Chromium: the page of a signed-in person, which fails its test when the console says anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chromium
import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

from reviews.models import User

AXE = [os.environ.get("AXE_JS", ""), str(Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js")]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture
def browser(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Chromium, for one test. Its driver runs an event loop in this thread, so connections made meanwhile are its own."""
    if chromium.PATH is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="there is no Playwright: pip install playwright"
    )
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium.PATH, args=chromium.FLAGS)
        yield browser
        browser.close()
        connections.close_all()


@pytest.fixture
def said_by_browser() -> list[str]:
    """What the console said: errors, warnings, violations of the content security policy. A test may clear it."""
    return []


@pytest.fixture
def sign_in(live_server: Any) -> Callable[[Any, User], None]:
    """Give a browser's context the session of someone."""

    def sign_in(context: Any, user: User) -> None:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])

    return sign_in


@pytest.fixture
def open_page(
    browser: Any, live_server: Any, sign_in: Any, said_by_browser: list[str]
) -> Iterator[Callable[..., Any]]:
    """Open a page as someone, or as nobody; what its console says fails the test."""

    def open_as(user: User | None, **how: Any) -> Any:
        how = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | how
        context = browser.new_context(base_url=live_server.url, **how)
        context.set_default_timeout(10_000)
        if user is not None:
            sign_in(context, user)
        page = context.new_page()
        page.on("console", lambda line: said_by_browser.append(f"{line.type}: {line.text} ({page.url})"))
        page.on("pageerror", lambda error: said_by_browser.append(f"{error} ({page.url})"))
        return page

    yield open_as
    assert said_by_browser == []


@pytest.fixture
def faults(said_by_browser: list[str]) -> Callable[[Any], list[str]]:
    """What axe-core finds wrong in a page."""
    source = next((Path(path) for path in AXE if path and Path(path).is_file()), None)
    if source is None:
        pytest.skip("there is no axe-core: npm install --no-save axe-core, or name its axe.min.js in AXE_JS")

    def find(page: Any) -> list[str]:
        page.evaluate(source.read_text())
        found = page.evaluate("axe.run()")["violations"]
        return [f"{page.url} {rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]

    return find

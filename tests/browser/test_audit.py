"""The audit in a real browser: pictures and tables without faults, and a report that needs nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from reviews.models import Round, User
from reviews.reporting import report

pytest.importorskip("playwright.sync_api", reason="there is no Playwright: pip install playwright")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_audit_has_no_fault_that_axe_finds_or_scrolls_sideways(
    open_page: Any, team: Round, lea: User, faults: Any, scheme: str
) -> None:
    page = open_page(lea, color_scheme=scheme)
    found = []
    for end in ("", "/clauses", "/readers", "/readers?names=hidden"):
        assert page.goto(f"/p/pilot/rounds/{team.pk}/agreement{end}").status == 200
        for summary in page.locator("summary").all():
            summary.click()
        found += faults(page)
        page.set_viewport_size({"width": 390, "height": 844})
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{end} is wider than a narrow screen")
        page.set_viewport_size({"width": 1440, "height": 900})
    assert found == []


def test_the_report_needs_nothing_else_and_has_no_faults(
    open_page: Any, team: Round, lea: User, faults: Any, tmp_path: Any
) -> None:
    (tmp_path / "report.html").write_text(report.report_of(team), encoding="utf-8")
    page = open_page(lea)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"file://{tmp_path}/report.html")
    assert page.get_by_role("heading", name="Audit of").is_visible()
    assert page.locator("svg.picture").count() == 8
    assert faults(page) == []
    assert asked == [f"file://{tmp_path}/report.html"]

"""The pages of the second demonstration in a real browser: no faults, no sideways scroll, the story to be read."""

from __future__ import annotations

from typing import Any

import pytest

from reviews import demonstrating
from reviews.models import Checkpoint

expect = pytest.importorskip(
    "playwright.sync_api", reason="there is no Playwright: pip install playwright"
).expect


@pytest.mark.django_db(transaction=True)
def test_the_pages_that_say_what_tidy_steps_did_have_no_faults_at_any_width_or_scheme(
    open_page: Any, faults: Any
) -> None:
    user = demonstrating.local_user()
    project = demonstrating.load_legible(user)
    child = Checkpoint.objects.get(project=project, name="tiny-legible")
    addresses = [f"/p/legible{path}" for path in ("", "/lineage", "/held-out", f"/checkpoints/{child.pk}")]
    found = []
    for scheme in ("light", "dark"):
        page = open_page(user, color_scheme=scheme)
        for address in addresses:
            page.goto(address)
            found += faults(page)
            page.set_viewport_size({"width": 390, "height": 844})
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{address} is wider than a narrow screen")
            page.set_viewport_size({"width": 1440, "height": 900})
        page.goto("/p/legible/held-out")
        moved = page.get_by_role("region", name="Which figures moved")
        expect(moved.get_by_role("row", name="undetected answers-the-hint")).to_contain_text("0.12 → 0.22")

    assert found == []

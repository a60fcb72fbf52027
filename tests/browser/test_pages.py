"""Every page in a real browser: nothing that axe-core faults, in both schemes, and a silent console."""

from __future__ import annotations

from typing import Any

import pytest
from making import judge, trace_row

from reviews import asking, assigning, inviting
from reviews.lineages import booking, probing, registering
from reviews.models import Checkpoint, ImportBatch, Member, Role, User

expect = pytest.importorskip(
    "playwright.sync_api", reason="there is no Playwright: pip install playwright"
).expect


def probed(project: Any, by: User) -> Checkpoint:
    """A small lineage with a dose of what happened elsewhere and a probe on each checkpoint."""
    base = registering.register(project, "base", by=by, stage="base")[0]
    arms = [("one", "selected"), ("two", "random-control")]
    children = [registering.register(project, name, by=by, parent=base, arm=arm)[0] for name, arm in arms]
    booking.book_external(children[0], "grader-saw-chains", by=by, source="a report", nats=0.4)
    registering.measure(children[0], "controllability", 0.03, low=0.01, high=0.06, n=400, by=by)
    for number, one in enumerate([base, *children]):
        results = (
            probing.Result("cheats", one.name, f"{item}", item < 9 - number, item % 2 == 0)
            for item in range(30)
        )
        probing.record(project, enumerate(results, start=1), by=by)
    return children[0]


@pytest.fixture
def addresses(round: Any, import_rows: Any, ada: User, lea: User) -> list[str]:
    """Every page that a lead who also judges may see, with something on each."""
    Member.objects.create(project=round.project, user=lea, role=Role.REVIEWER)
    import_rows([trace_row(number) for number in range(3)] + [b"{bad"])
    batch = ImportBatch.objects.get()
    asking.ask(assigning.next_for(ada, round).assignments[0], "Does a joke count?", by=ada)
    judge(assigning.next_for(lea, round).assignments[0], "accept", lea)
    trace = judge(assigning.next_for(ada, round).assignments[0], "unsure", ada, comment="Which one?").trace
    at = f"/p/pilot/rounds/{round.pk}"
    return [
        "/",
        "/me",
        "/api/v1/",
        "/p/pilot",
        "/p/pilot/spec",
        "/p/pilot/members",
        "/p/pilot/log",
        "/p/pilot/rounds/new",
        at,
        f"{at}/traces",
        f"{at}/disputes",
        f"{at}/review",
        f"{at}/mine",
        f"{at}/questions",
        f"{at}/agreement",
        f"{at}/agreement/clauses",
        f"{at}/agreement/readers",
        f"/p/pilot/traces/{trace.pk}",
        f"/p/pilot/traces/{trace.pk}/adjudicate",
        f"/p/pilot/prompts/{trace.round_prompt_id}",
        f"/p/pilot/imports/{batch.pk}",
        "/p/pilot/lineage",
        f"/p/pilot/checkpoints/{probed(round.project, lea).pk}",
        "/p/pilot/held-out",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_fault_that_axe_finds_or_scrolls_sideways(
    open_page: Any, addresses: list[str], lea: User, faults: Any, scheme: str
) -> None:
    page = open_page(lea, color_scheme=scheme)
    found = []
    for address in addresses:
        answer = page.goto(address)
        assert answer.status == 200, address
        if address.endswith("/review"):
            expect(page.get_by_role("article")).to_be_focused()
        found += faults(page)
        page.set_viewport_size({"width": 390, "height": 844})
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{address} is wider than a narrow screen")
        page.set_viewport_size({"width": 1440, "height": 900})

    assert found == []


def test_pages_of_nobody_and_of_one_invited_have_no_faults(
    open_page: Any, project: Any, lea: User, faults: Any, said_by_browser: list[str]
) -> None:
    page = open_page(None)
    found = []
    for address in ("/sign-in", inviting.invite(project, Role.REVIEWER, by=lea), "/enter/nothing"):
        page.goto(address)
        found += faults(page)

    assert found == []
    assert all("410" in line for line in said_by_browser)
    said_by_browser.clear()


def test_the_chosen_scheme_holds_on_the_next_page(open_page: Any, lea: User) -> None:
    page = open_page(lea, color_scheme="light")
    page.goto("/")
    page.get_by_role("button", name="Switch to dark colours").click()
    page.goto("/me")

    expect(page.locator("html")).to_have_attribute("data-scheme", "dark")
    expect(page.get_by_role("button", name="Switch to light colours")).to_be_visible()

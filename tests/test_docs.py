"""The docs name what the code has: walked from the code's own lists, so that neither runs ahead of the other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator

from annotator.environment import SETTINGS, Setting
from reviews.formats import canonical
from reviews.models import Trace
from reviews.policies.thresholds import GATES, THRESHOLDS, TIER_OF, Threshold

ROOT = Path(settings.BASE_DIR)
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
COMMANDS = sorted(
    path.stem for path in (ROOT / "reviews/management/commands").glob("*.py") if path.stem != "__init__"
)
VECTOR = re.compile(r"^\| (\w+) \| `(.+)` \| `([0-9a-f]{64})` \|$", re.MULTILINE)


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def without_code(markdown: str) -> str:
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", markdown, flags=re.MULTILINE | re.DOTALL)


def headings(markdown: str) -> list[str]:
    prose = re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#{1,6} (.+?)\s*$", prose, re.MULTILINE)


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


def links(page: Path) -> list[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8")))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def api_calls() -> set[str]:
    """`GET /api/v1/me` and so on: what the OpenAPI description has, and the two routes that describe it."""
    described: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    calls = {
        f"{method.upper()} {path}"
        for path, methods in described["paths"].items()
        for method in methods
        if method in ("get", "post", "put", "patch", "delete")
    }
    return calls | {"GET /api/v1/schema", "GET /api/v1/"}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_has_its_row_with_its_default(setting: Setting) -> None:
    default = "none" if setting.default is None else f"`{setting.default}`"

    rows = [row for row in read("deployment.md").splitlines() if row.startswith(f"| `{setting.name}` |")]

    assert len(rows) == 1, f"docs/deployment.md needs one row for {setting.name}"
    cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
    assert cells[1] == default
    assert cells[2].startswith(setting.meaning)


def test_the_settings_table_has_no_row_that_the_code_does_not_read() -> None:
    table = read("deployment.md").partition("| setting | default | meaning |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [setting.name for setting in SETTINGS]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_heading_and_names_each_argument(command: str) -> None:
    section = read("commands.md").partition(f"\n## {command}\n")[2].partition("\n## ")[0]
    assert section, f"docs/commands.md needs a heading '## {command}'"

    source = (ROOT / f"reviews/management/commands/{command}.py").read_text(encoding="utf-8")
    missing = [option for option in re.findall(r'"(--[a-z-]+)"', source) if option not in section]
    assert not missing, f"docs/commands.md, {command}: not named"


def test_every_heading_of_a_command_is_a_command() -> None:
    assert {title for title in headings(read("commands.md")) if title != "Commands"} == set(COMMANDS)


def test_every_call_of_the_api_has_a_heading_and_every_such_heading_is_a_call() -> None:
    described = {title.strip("`") for title in headings(read("api.md")) if title.startswith("`")}
    assert described == api_calls()


def test_no_route_of_the_api_is_left_out_of_its_description() -> None:
    under = next(entry for entry in get_resolver().url_patterns if str(entry.pattern) == "api/v1/")
    names = {str(pattern.name) for pattern in under.url_patterns if getattr(pattern, "name", None)}
    assert names == {"api", "api-me", "api-schema"}, (
        "a route beside the router: give it a heading in docs/api.md"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file_and_to_a_heading_in_it(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, place = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if (
            not target.is_file()
            or not target.is_relative_to(ROOT)
            or (place and place not in map(anchor, headings(target.read_text(encoding="utf-8"))))
        ):
            broken.append(link)
    assert not broken


def test_the_readme_leads_to_every_page() -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in links(ROOT / "README.md")}
    assert {page for page in PAGES if page.parent == DOCS} <= linked


def test_the_digest_vectors_are_those_that_the_code_makes() -> None:
    vectors = VECTOR.findall(read("formats.md"))
    assert [name for name, _, _ in vectors] == ["prompt", "content", "identity", "trace"]
    for _, text, digest in vectors:
        value = json.loads(text)
        assert canonical.dump(value).decode() == text
        assert canonical.digest(value).hex() == digest


def test_the_example_trace_gets_the_digests_of_the_vectors_when_it_is_imported(import_rows, round) -> None:
    written = read("formats.md").partition("```json\n")[2].partition("\n```")[0]
    import_rows([written.encode()])

    trace = Trace.objects.select_related("round_prompt__prompt").get(round=round)
    made = {
        "prompt": trace.round_prompt.prompt.digest,
        "content": trace.content_digest,
        "identity": trace.identity,
        "trace": trace.digest,
    }
    documented = {name: digest for name, _, digest in VECTOR.findall(read("formats.md"))}
    assert {name: bytes(digest).hex() for name, digest in made.items()} == documented


def test_every_decision_is_dated_and_takes_five_lines() -> None:
    entries = re.findall(r"^## (.+)\n((?:(?!#).+\n)+)", read("decisions.md"), re.MULTILINE)
    dates = [title.partition(" · ")[0] for title, _ in entries]

    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for date in dates)
    assert dates == sorted(dates, reverse=True)
    assert {title: lines.count("\n") for title, lines in entries if lines.count("\n") != 5} == {}


@pytest.mark.parametrize("gate", GATES)
def test_every_gate_has_a_section_with_its_tier_its_lines_and_what_it_cannot_see(gate: str) -> None:
    section = read("cautions.md").partition(f"\n## {gate}\n")[2].partition("\n## ")[0]
    assert f"*Tier: {TIER_OF[gate]}." in section
    assert "annot see" in section
    for one in (one for one in THRESHOLDS if one.gate == gate):
        pilot, production = (_line(value, one) for value in (one.pilot, one.production))
        assert f"| `{one.key}` | {one.unit} | {pilot} | {production} |" in section


def _line(value: float | None, threshold: Threshold) -> str:
    if threshold.switch:
        return "yes" if value else "no"
    return "–" if value is None else f"{value:,.10g}"

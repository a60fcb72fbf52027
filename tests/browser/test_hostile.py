"""Hostile and odd traces in a real browser: nothing runs, nothing leaves, nothing breaks the frame."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from desks import expect
from making import trace_row

from reviews import preparing
from reviews.models import Role, Trace
from reviews.rendering import document, raw

sys.path.insert(0, str(Path(__file__).parents[1] / "rendering"))
import hostile

FRAME = """() => {
    const box = (element) => element.getBoundingClientRect();
    const [article, foot, spec] = ["article.trace", ".verdicts", "aside.spec"].map((it) => document.querySelector(it));
    const faults = [];
    if (document.documentElement.scrollWidth > innerWidth) faults.push("the page scrolls sideways");
    if (document.querySelectorAll("article.trace").length !== 1) faults.push("there is not one article");
    if (box(foot).bottom > innerHeight + 1 || box(foot).height < 40) faults.push("the verdicts are out of sight");
    if (box(article).right > box(spec).left + 1) faults.push("the trace lies over the spec");
    if (article.scrollWidth > article.clientWidth + 1) {
        const wide = [...article.querySelectorAll("*")].filter((it) => box(it).right > box(article).right + 1 && !it.closest(".code, table, .math"));
        faults.push(`the trace is wider than its column: ${wide.pop()?.outerHTML.slice(0, 200)}`);
    }
    const ours = new Set(["STYLE", "IFRAME", "FORM", "INPUT", "IMG", "SCRIPT", "LINK", "META", "BASE", "OBJECT", "EMBED", "VIDEO", "A"]);
    for (const element of article.querySelectorAll("[data-part] *, .prompt .text *")) {
        if (ours.has(element.tagName)) faults.push(`a ${element.tagName} got in`);
        for (const { name } of element.attributes) {
            if (/^(on|hx-|style$|src$|href$|id$|form)/.test(name)) faults.push(`the attribute ${name} got in`);
        }
    }
    if (window.pwned) faults.push("a script ran");
    return faults;
}"""


@pytest.fixture
def guarded(open_page: Any, ada: Any, live_server: Any) -> Any:
    """Ada's page, which notes every dialog and every request that would leave the origin."""
    page = open_page(ada)
    page.left = []
    page.on("dialog", lambda dialog: (page.left.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((live_server.url, "data:")) else page.left.append(request.url)
        ),
    )
    return page


def read_all(page: Any, round: Any, traces: list[Trace], raw_too: int) -> list[str]:
    """Read every trace at the desk, each rendered, and one in `raw_too` in the raw view as well; the faults found."""
    faults: list[str] = []
    page.goto(f"/p/pilot/rounds/{round.pk}/review")
    for number in range(len(traces)):
        expect(page.get_by_role("article", name="Trace")).to_be_focused(timeout=20_000)
        faults += [f"{number}: {fault}" for fault in page.evaluate(FRAME)]
        if number % raw_too == 0:
            page.keyboard.press("x")
            faults += [f"{number} raw: {fault}" for fault in page.evaluate(FRAME)]
            page.keyboard.press("x")
        before = page.locator("form#verdict").get_attribute("action")
        page.keyboard.press("s")
        page.wait_for_function(
            "before => document.querySelector('form#verdict')?.getAttribute('action') !== before",
            arg=before,
            timeout=20_000,
        )
    return faults


def prepared(round: Any) -> list[Trace]:
    traces = list(Trace.objects.filter(round=round).order_by("pk"))
    for trace in traces:
        preparing.render_trace(trace.pk)
    return traces


def test_a_hundred_hostile_traces_run_nothing_send_nothing_and_break_nothing(
    guarded: Any, import_rows: Any, round: Any
) -> None:
    rows = hostile.rows()
    assert len(rows) >= 100
    report = import_rows(rows)
    assert report.refused == 0
    assert read_all(guarded, round, prepared(round), raw_too=4) == []
    assert guarded.left == []


def test_a_text_without_a_letter_is_read_into_the_page_in_proportion_to_its_length(
    guarded: Any, import_rows: Any, round: Any
) -> None:
    import_rows([trace_row(1, reasoning="\\(\\[" * 7_000), trace_row(2, reasoning="\\(\\[" * 700)])
    prepared(round)
    guarded.goto(f"/p/pilot/rounds/{round.pk}/review")
    took = []
    for _number in range(2):
        expect(guarded.get_by_role("article", name="Trace")).to_be_focused(timeout=20_000)
        took.append(
            guarded.evaluate("""() => {
                const html = document.querySelector("article").outerHTML;
                const times = [1, 2, 3].map(() => {
                    const [began, made] = [performance.now(), document.createElement("template")];
                    made.innerHTML = html;
                    return performance.now() - began;
                });
                return [html.length, Math.min(...times)];
            }""")
        )
        guarded.keyboard.press("s")
        if not _number:
            expect(guarded.locator("#said")).to_contain_text("Last: unsure")
    (short, quick), (long, slow) = sorted(took)
    assert 5 * short < long
    assert slow / quick < 4 * long / short


def test_hostile_words_in_comments_questions_and_ids_stay_words(
    guarded: Any, import_rows: Any, round: Any, project: Any, ada: Any
) -> None:
    from reviews.models import Member

    word = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>"
    import_rows(
        [trace_row(number, prompt_id=f"{word}{number}", meta={"domain": word}) for number in range(3)]
    )
    Member.objects.create(project=project, user=ada, role=Role.LEAD)
    guarded.goto(f"/p/pilot/rounds/{round.pk}/review")
    expect(guarded.get_by_role("article", name="Trace")).to_be_focused()
    guarded.keyboard.press("c")
    guarded.keyboard.type(word)
    guarded.keyboard.press("Escape")
    guarded.keyboard.press("q")
    expect(guarded.locator("#said")).to_contain_text("Asked. The trace comes back")
    for path in ("questions", "traces", "disputes", ""):
        guarded.goto(f"/p/pilot/rounds/{round.pk}/{path}".rstrip("/"))
        assert not guarded.evaluate("window.pwned")
    assert guarded.left == []


def test_the_real_oddities_are_read_without_a_fault(
    guarded: Any, round: Any, command: Any, shared_data: Path
) -> None:
    command(
        "import_traces",
        shared_data / "traces" / "natural_oddities.jsonl",
        "--project",
        "pilot",
        "--round",
        "round 1",
    )
    assert read_all(guarded, round, prepared(round), raw_too=2) == []
    assert guarded.left == []


def test_the_spans_of_champ_are_drawn_and_read_back_at_the_same_offsets(
    guarded: Any, round: Any, import_rows: Any, shared_data: Path
) -> None:
    import_rows([trace_row(1), trace_row(2)])
    guarded.goto(f"/p/pilot/rounds/{round.pk}/review")
    expect(guarded.get_by_role("article", name="Trace")).to_be_focused()
    lines = (shared_data / "traces" / "span_labels_champ.jsonl").read_bytes().splitlines()
    cases = []
    for row in map(json.loads, lines):
        span = row["meta"]["labels"]["first_wrong_span"]
        text = row["reasoning"]
        steps = "".join(
            f'<li data-step="{step.number}" data-from="{step.start}" data-until="{step.end}">{step.html}</li>'
            for step in document.render(text).steps
        )
        cases.append({"steps": steps, "raw": raw.render(text), "span": span or [0, len(text)], "text": text})
    assert len(cases) == 344
    wrong = guarded.evaluate(
        """async (cases) => {
        const { rangesOf, selectedPieces, sourceOf } = await import(
            [...document.scripts].find((it) => it.src.includes("desk.js")).src.replace(/desk\\.js.*/, "desk/evidence.js"));
        const article = document.querySelector("article"), wrong = [];
        for (const [index, { steps, raw, span: [start, end], text }] of cases.entries()) {
            article.innerHTML = `<div data-part="reasoning"><ol class="steps">${steps}</ol><template data-raw>${raw}</template></div>`;
            const points = [...text];
            if (sourceOf(article.firstChild).join("") !== text) { wrong.push(`${index}: the source differs`); continue; }
            const marked = { part: "reasoning", start, end };
            const ranges = rangesOf(article, marked);
            const atoms = [...article.querySelectorAll("[data-marked]")];
            const whole = document.createRange();
            const ends = [...ranges.map((it) => it.startContainer), ...atoms]
                .sort((a, b) => (a.compareDocumentPosition(b) & 4 ? -1 : 1));
            if (!ends.length) { wrong.push(`${index}: nothing is drawn`); continue; }
            const [first, last] = [ends[0], ends[ends.length - 1]];
            const inRange = (node) => ranges.find((it) => it.startContainer === node);
            inRange(first) ? whole.setStart(first, inRange(first).startOffset) : whole.setStartBefore(first);
            inRange(last) ? whole.setEnd(last, inRange(last).endOffset) : whole.setEndAfter(last);
            getSelection().removeAllRanges();
            getSelection().addRange(whole);
            const read = selectedPieces(article);
            const [from, until] = [Math.min(...read.map((it) => it.start)), Math.max(...read.map((it) => it.end))];
            const trimmed = (a, b) => {  // white space and markup at the edges is not on the page
                const item = /^(?:\\s*\\d{1,9}[.)])+\\s+/.exec(points.slice(a, b).join(""));
                if (item && /[\\n]|^$/.test(points[a - 1] ?? "")) a += [...item[0]].length;
                while (a < b && /[\\s*#`>$\\\\|_-]/.test(points[a])) a += 1;
                while (b > a && /[\\s*#`>$\\\\|_-]/.test(points[b - 1])) b -= 1;
                return `${a} ${b}`;
            };
            const inAtom = atoms.some((it) => Number(it.dataset.at) < start || Number(it.dataset.to) > end);
            if (!inAtom && trimmed(from, until) !== trimmed(start, end)) wrong.push(`${index}: ${start}-${end} came back as ${from}-${until}`);
            if (inAtom && (from > start || until < end)) wrong.push(`${index}: ${start}-${end} shrank to ${from}-${until}`);
            for (const it of read) if (points.slice(it.start, it.end).join("") !== it.quote) wrong.push(`${index}: another quote`);
        }
        return wrong;
    }""",
        cases,
    )
    assert wrong == []

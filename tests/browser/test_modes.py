"""The ways of judging that a round may ask for, each in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from desks import expect
from making import trace_row

from reviews import planning, preparing
from reviews.models import Citation, Comparison, Review, StepLabel, Trace

TEXT = "First step.\n\nSecond step.\n\nThird step."


@pytest.fixture
def desk_in(open_page: Any, ada: Any, project: Any, import_rows: Any) -> Any:
    """Ada's desk in a round of its own, with what its plan says."""

    def open_in(samples: int = 1, **plan: Any) -> Any:
        round, _ = planning.create_round(project, "mode", by=None, double_share=0, **plan)
        import_rows(
            [
                trace_row(number, sample, reasoning=f"{TEXT} Try {number} {sample}.")
                for number in range(3)
                for sample in range(samples)
            ],
            into=round,
        )
        for trace in Trace.objects.all():
            preparing.render_trace(trace.pk)
        page = open_page(ada)
        page.goto(f"/p/pilot/rounds/{round.pk}/review")
        expect(page.locator("[data-focus]").first).to_be_focused()
        return page

    return open_in


def settled(page: Any) -> None:
    expect(page.locator("[data-unsent]")).to_be_hidden(timeout=30_000)


def test_the_answer_first_then_the_chain_and_both_verdicts_are_kept(desk_in: Any) -> None:
    desk = desk_in(answer_first_share=1)
    expect(desk.get_by_role("article")).not_to_contain_text("First step")
    desk.keyboard.press("a")
    expect(desk.get_by_role("article")).to_contain_text("On the answer alone you said")
    expect(desk.get_by_role("article")).to_contain_text("First step")
    desk.keyboard.press("1")
    expect(desk.get_by_role("article")).to_contain_text("Judge the answer alone first")
    settled(desk)
    assert [(r.stage, r.verdict) for r in Review.objects.order_by("pk")] == [
        ("answer-only", "accept"),
        ("final", "reject"),
    ]


def test_each_clause_is_judged_one_after_another(desk_in: Any) -> None:
    desk = desk_in(full_clause_share=1)
    desk.keyboard.press("a")
    expect(desk.get_by_role("alert")).to_contain_text("holds or fails")
    desk.keyboard.press("y")
    expect(desk.locator("[data-clause=H2]")).to_have_attribute("aria-current", "true")
    desk.keyboard.press("d")
    desk.keyboard.press("r")
    expect(desk.locator("#said")).to_contain_text("reject for H2")
    settled(desk)
    assert dict(Citation.objects.values_list("clause__key", "held")) == {"H1": "holds", "H2": "fails"}


def test_steps_are_labelled_by_key_and_by_thumb_and_survive_a_reload(desk_in: Any) -> None:
    desk = desk_in(mode="steps")
    desk.keyboard.press("y")
    desk.keyboard.press("t")
    desk.keyboard.press("Shift+Digit1")
    desk.keyboard.press("r")
    expect(desk.get_by_role("alert")).to_contain_text("Step 3 has no label")
    desk.reload()
    expect(desk.locator("[data-step='2']")).to_have_attribute("data-label", "neutral")
    desk.locator("[data-step='3']").click()
    desk.get_by_role("button", name="Wrong").click()
    desk.keyboard.press("r")
    expect(desk.locator("#said")).to_contain_text("reject for H1")
    settled(desk)
    assert list(StepLabel.objects.values_list("step", "label")) == [(1, "good"), (2, "neutral"), (3, "bad")]
    label = StepLabel.objects.get(step=2)
    assert label.review.trace.reasoning.as_text[label.start : label.end] == "Second step."


def test_judging_stops_at_the_first_wrong_step(desk_in: Any) -> None:
    desk = desk_in(mode="first-wrong")
    for key in ("j", "j", "d", "1"):
        desk.keyboard.press(key)
    expect(desk.locator("#said")).to_contain_text("reject for H1")
    settled(desk)
    assert list(StepLabel.objects.values_list("step", "label")) == [(1, "good"), (2, "bad")]


def test_samples_side_by_side_are_judged_by_keyboard_alone(desk_in: Any, faults: Any) -> None:
    desk = desk_in(samples=3, mode="side-by-side")
    expect(desk.locator("[data-side]")).to_have_count(3)
    desk.keyboard.press("e")
    expect(desk.get_by_text("Is all said?")).to_be_visible()
    desk.keyboard.press("e")
    desk.keyboard.press("v")
    assert desk.evaluate("CSS.highlights.get('differs').size") >= 2
    for key in ("a", "1", "j", "s"):
        desk.keyboard.press(key)
    assert faults(desk) == []
    before = desk.locator("[name=assignment]").first.input_value()
    desk.get_by_role("button", name="Save and go on").click()
    expect(desk.locator("[name=assignment]").first).not_to_have_value(before)
    comparison = Comparison.objects.get()
    by_trace = {review.trace_id: review.verdict for review in Review.objects.all()}
    verdicts = [by_trace[place.trace_id] for place in comparison.places.all()]
    assert verdicts == ["accept", "reject", "unsure"]


def test_the_best_is_picked_by_its_digit(desk_in: Any) -> None:
    desk = desk_in(samples=3, mode="pick-best")
    desk.keyboard.press("2")
    before = desk.locator("[name=assignment]").first.input_value()
    desk.get_by_role("button", name="Save and go on").click()
    expect(desk.locator("[name=assignment]").first).not_to_have_value(before)
    picked = Review.objects.get(verdict="accept")
    assert picked.comparison.places.get(trace=picked.trace).side == 2
    assert Review.objects.filter(verdict="reject").count() == 2


def test_a_loop_is_folded_and_a_system_prompt_that_repeats_says_so(
    open_page: Any, ada: Any, round: Any, import_rows: Any
) -> None:
    loop = "\n\n".join(["Start.", *["I check it again."] * 12, "Done."])
    system = {"role": "system", "content": "You are careful and kind."}
    import_rows(
        [
            trace_row(
                number, reasoning=loop, prompt=[system, {"role": "user", "content": f"Question {number}"}]
            )
            for number in (1, 2)
        ]
    )
    for trace in Trace.objects.all():
        preparing.render_trace(trace.pk)
    page = open_page(ada)
    page.goto(f"/p/pilot/rounds/{round.pk}/review")
    expect(page.get_by_role("article", name="Trace")).to_be_focused()
    expect(page.locator(".fold summary")).to_contain_text("11 times")
    expect(page.locator(".fold [data-step]").first).to_be_hidden()
    page.keyboard.press("s")
    expect(page.locator("[data-system-same]")).to_be_visible()

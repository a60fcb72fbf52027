"""Real traces and real marks of people: what they marked can be marked on the rendered page."""

import json

import pytest
from rendering import fragments

from reviews.rendering import document, raw

MARKS = set(">*+-#`~_=|:\\.)0123456789")


def rows(shared_data, name):
    with (shared_data / "traces" / name).open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def test_odd_traces_are_shown_exactly(shared_data):
    for row in rows(shared_data, "natural_oddities.jsonl"):
        for text in filter(None, (row["prompt"], row["reasoning"], row["answer"])):
            for how in ("markdown", "plain"):
                html = "".join(step.html for step in document.render(text, how=how).steps)
                assert fragments.what_is_wrong(html, text) == []
            assert fragments.what_is_wrong(raw.render(text), text) == []


@pytest.fixture(scope="module")
def champ(shared_data):
    """The traces in which people marked the first wrong span, each with its rendered document."""
    return [(row, document.render(row["reasoning"])) for row in rows(shared_data, "span_labels_champ.jsonl")]


def test_what_people_marked_can_be_marked_on_the_page(champ):
    marked = 0
    for row, rendered in champ:
        text, span = row["reasoning"], row["meta"]["labels"]["first_wrong_span"]
        html = "".join(step.html for step in rendered.steps)
        assert fragments.what_is_wrong(html, text) == []
        if span:
            seen = fragments.covered(html, len(text))
            left_out = {text[at] for at in range(*span) if not seen[at] and not text[at].isspace()}
            assert left_out <= MARKS
            marked += 1
    assert marked > 200


def test_few_steps_of_real_traces_fall_back_to_plain(champ):
    steps = [step for _, rendered in champ for step in rendered.steps]
    fallen = [step for step in steps if step.html.startswith('<div class="plain">')]
    assert len(steps) > 5000
    assert len(fallen) <= len(steps) / 1000


def test_nearly_all_formulas_of_real_traces_are_typeset(champ):
    html = "".join(step.html for _, rendered in champ for step in rendered.steps)
    assert html.count("<math") > 3900
    assert html.count('class="tex"') < 10

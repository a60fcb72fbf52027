"""A whole trace, rendered once and stored."""

import json
import time

import pytest

from reviews.rendering import document, raw
from reviews.rendering.document import Document, RenderedStep
from reviews.rendering.loops import Loop

FORMULA = "$\\frac{{{0}}}{{x_{{{0}}}+1}} = \\sqrt{{{0}}}$"
THOUGHT = "We find that {} holds, **so** consider `x`, and then go on for a while as people do who think aloud about a thing."


def seconds(text, **how):
    began = time.process_time()
    document.render(text, **how)
    return time.process_time() - began


def test_a_document_has_steps_with_their_places_and_loops():
    made = document.render("a\n\n**b**" + "\n\nc" * 4)
    assert made.steps[1] == RenderedStep(2, 3, 8, '<p><strong><span data-at="5">b</span></strong></p>')
    assert made.loops == [Loop(4, 6, 1, 3)]


def test_the_steps_of_the_source_are_kept():
    assert [step.html for step in document.render("a\nb", ["a", "b"]).steps] == [
        '<p><span data-at="0">a</span></p>',
        '<p><span data-at="2">b</span></p>',
    ]


def test_a_plain_document_shows_the_marks():
    assert document.render("**a**", how="plain").steps[0].html == '<span data-at="0">**a**</span>'


def test_a_document_of_another_version_is_refused():
    stored = json.dumps(json.loads(document.render("a").to_json()) | {"version": "0"})
    with pytest.raises(ValueError, match="version 0, not 1"):
        Document.from_json(stored)


def test_after_20000_steps_all_is_plain(monkeypatch):
    monkeypatch.setattr(document, "MOST_STEPS", 2)
    assert [step.html[:3] for step in document.render("a\n\nb\n\nc").steps] == ["<p>", "<p>", "<sp"]


def test_a_long_trace_with_many_formulas_is_rendered_in_a_moment():
    text = "\n\n".join(THOUGHT.format(FORMULA.format(number)) for number in range(600))
    assert len(text) > 85_000
    assert seconds(text) < 5  # it takes half a second


def test_the_time_grows_with_the_text():
    prose = THOUGHT.format("it") + "\n\n"
    short, long = (min(seconds(prose * times) for _ in range(3)) for times in (500, 4000))
    assert long < short * 8 * 4
    assert seconds(prose * 9000) < 12  # a million characters: it takes one second


def test_unseen_characters_are_counted_in_a_moment():
    began = time.process_time()
    assert raw.unseen("a\u200b" * 500_000) == 500_000
    assert time.process_time() - began < 3

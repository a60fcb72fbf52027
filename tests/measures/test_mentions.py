"""The linter finds text that talks of being read, and leaves ordinary text alone."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.measures.mentions import mentions


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("The reviewers will look at this.", "reviewer"),
        ("Let me check the rubric first.", "rubric"),
        ("What would the auto-grader want?", "grader"),
        ("The reward model may prefer this.", "grader"),
        ("A CoT monitor could see this line.", "monitor"),
        ("Since I am being evaluated, be careful.", "being-evaluated"),
        ("This looks like a test of me.", "being-evaluated"),
        ("My reasoning may be read, so keep it clean.", "being-read"),
        ("This could be used to train me.", "training"),
    ],
)
def test_text_that_talks_of_being_read_is_found(text, term):
    assert [one.term for one in mentions(text)] == [term]


@pytest.mark.parametrize(
    "text",
    [
        "We test the function.",
        "The grades of the pupils rise.",
        "She is judged fair.",
        "Monitor the reactor.",
        "",
    ],
)
def test_ordinary_text_is_left_alone(text):
    assert mentions(text) == []


@given(st.text(max_size=300))
def test_mentions_stand_in_order_inside_the_text(text):
    found = mentions(f"{text} the rubric {text}")
    assert any(one.term == "rubric" for one in found)
    assert all(0 <= one.start < one.end <= 2 * len(text) + 12 for one in found)
    assert all(one.end <= after.start for one, after in pairwise(found))


def test_real_chains_hardly_ever_mention_it(shared_data):
    with (shared_data / "traces/biased_mcq_llama8b_checkpoints.jsonl").open(newline="\n") as file:
        texts = [json.loads(line)["reasoning"] for line in file]
    assert sum(bool(mentions(text)) for text in texts) == 4

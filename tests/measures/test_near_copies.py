"""Near copies share a band and are alike; other texts are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.measures import near_copies

BANDS = [
    2903555423557977378,
    -3388061774253747632,
    8722190457103889350,
    8925952649385150720,
    5912069973375828071,
    -8952451408318630879,
    -3655656789030646400,
    1062592480940991769,
]
QUESTION = (
    "a train leaves the station at nine in the morning and travels at eighty kilometres an hour. another one leaves "
    "an hour later on the same track at a hundred and twenty. when does the second one catch up with the first?"
)


def share_a_band(one, other):
    return bool(
        set(near_copies.bands(near_copies.shingles(one)))
        & set(near_copies.bands(near_copies.shingles(other)))
    )


def alike(one, other):
    return near_copies.similarity(near_copies.shingles(one), near_copies.shingles(other))


@pytest.mark.parametrize(
    "change", [("first?", "first one?"), ("eighty", "ninety"), (". another", "; another")]
)
def test_a_small_change_leaves_a_near_copy(change):
    changed = QUESTION.replace(*change)
    assert alike(QUESTION, changed) >= near_copies.LIKE
    assert share_a_band(QUESTION, changed)


def test_another_question_is_none():
    other = (
        "how many ways are there to put seven different letters into three envelopes, if none may stay empty?"
    )
    assert alike(QUESTION, other) < 0.1
    assert not share_a_band(QUESTION, other)


def test_short_questions_that_differ_in_a_number_are_different():
    assert alike("what is 3 + 1?", "what is 4 + 1?") < near_copies.LIKE


@given(st.text(max_size=200))
def test_any_text_is_its_own_copy_and_its_bands_can_be_stored(text):
    bands = near_copies.bands(near_copies.shingles(text))
    assert len(bands) == near_copies.BANDS
    assert all(-(2**63) <= band < 2**63 for band in bands)
    assert bands == near_copies.bands(near_copies.shingles(text))
    assert alike(text, text) == 1


def test_bands_are_the_same_in_every_process():
    """They are stored: a change of the hashes would make every stored band worthless without a word."""
    assert near_copies.bands(near_copies.shingles("what is 3 + 1?")) == BANDS

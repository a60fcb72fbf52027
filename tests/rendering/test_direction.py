"""Which way a text runs."""

import pytest

from reviews.rendering import direction


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "ltr"),
        ("42 (is) 42", "ltr"),
        ("שלום", "rtl"),
        ("1. مرحبا, hello", "rtl"),
        ("hello مرحبا", "ltr"),
        ("([" * 20_000 + "ש", "ltr"),  # nobody reads so far for a direction
        ("\u202e42", "ltr"),  # a control is no letter
    ],
)
def test_the_first_letter_says_the_direction(text, expected):
    assert direction.of(text) == expected

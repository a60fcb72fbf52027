"""A reader's keys: one sign an action, each once, never a digit, never markup."""

from __future__ import annotations

import pytest

from reviews import choosing_keys
from reviews.errors import Invalid
from reviews.models import KeyBinding


def test_only_what_differs_from_the_usual_is_kept(ada):
    choosing_keys.choose(ada, {"accept": "Z", "reject": "r", "skip": ""})
    assert choosing_keys.of(ada)["accept"] == "z"
    assert KeyBinding.objects.count() == 1
    choosing_keys.choose(ada, {})
    assert choosing_keys.of(ada) == choosing_keys.ACTIONS


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"accept": "r"}, "already the key for"),
        ({"accept": "1"}, "no digit"),
        ({"accept": "ab"}, "one letter"),
        ({"accept": "\n\x07"}, "one letter"),
        ({"dance": "d"}, "no action"),
    ],
)
def test_what_would_clash_is_refused_and_changes_nothing(ada, wanted, sentence):
    with pytest.raises(Invalid, match=sentence):
        choosing_keys.choose(ada, wanted)
    assert choosing_keys.of(ada) == choosing_keys.ACTIONS


def test_two_actions_may_swap_their_keys(ada):
    choosing_keys.choose(ada, {"accept": "r", "reject": "a"})
    found = choosing_keys.of(ada)
    assert (found["accept"], found["reject"]) == ("r", "a")


def test_the_usual_keys_are_each_their_own():
    assert len(set(choosing_keys.ACTIONS.values())) == len(choosing_keys.ACTIONS)

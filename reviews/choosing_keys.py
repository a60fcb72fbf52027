"""The desk's keys: what each does, and what a reader made of it."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from reviews.errors import Invalid
from reviews.models import KeyBinding, User

# Digits are the clauses' and cannot be given to anything else.
ACTIONS = {
    "accept": "a",
    "reject": "r",
    "unsure": "s",
    "bad-prompt": "b",
    "skip": "n",
    "other": "o",
    "remark": "f",
    "comment": "c",
    "ask": "q",
    "undo": "u",
    "raw": "x",
    "wrap": "w",
    "outline": "g",
    "examples": "e",
    "find": "/",
    "next-step": "j",
    "step-before": "k",
    "select-step": "m",
    "yes": "y",
    "neutral": "t",
    "no": "d",
    "difference": "v",
    "keys": "?",
}


# In the words of the page where a reader sets them.
WORDS = {
    "accept": _("Accept"),
    "reject": _("Reject"),
    "unsure": _("Unsure"),
    "bad-prompt": _("Bad prompt"),
    "skip": _("Skip"),
    "other": _("Another reason"),
    "remark": _("Form remark"),
    "comment": _("Comment"),
    "ask": _("Ask the lead"),
    "undo": _("Undo"),
    "raw": _("Raw text"),
    "wrap": _("Wrap lines"),
    "outline": _("Outline"),
    "examples": _("Examples"),
    "find": _("Find"),
    "next-step": _("Next step"),
    "step-before": _("Step before"),
    "select-step": _("Select step"),
    "yes": _("Holds, good"),
    "neutral": _("Neutral"),
    "no": _("Fails, wrong"),
    "difference": _("What differs"),
    "keys": _("These keys"),
}


def of(user: User) -> dict[str, str]:
    """Each action's key for this reader."""
    return ACTIONS | dict(KeyBinding.objects.filter(user=user).values_list("action", "key"))


def listed(bindings: dict[str, str]) -> dict[str, str]:
    """The same under names that a template can ask for."""
    return {action.replace("-", "_"): key for action, key in bindings.items()}


@transaction.atomic
def choose(user: User, wanted: dict[str, str]) -> None:
    """Set a reader's keys; an action that is missing or empty keeps its own. Raises Invalid, which names the action."""
    chosen = dict(ACTIONS)
    for action, key in wanted.items():
        if action not in ACTIONS:
            raise Invalid(action, _("The desk has no action '%(action)s'.") % {"action": action})
        key = key.strip().lower()
        if not key:
            continue
        if len(key) != 1 or not key.isprintable() or key.isdigit() or key.isspace():
            raise Invalid(
                action,
                _("A key is one letter or sign, and no digit: those are the clauses'. Got '%(key)s'.")
                % {"key": key},
            )
        chosen[action] = key
    taken: dict[str, str] = {}
    for action, key in chosen.items():
        if key in taken:
            raise Invalid(
                action,
                _("'%(key)s' is already the key for %(action)s; each key does one thing.")
                % {"key": key, "action": taken[key]},
            )
        taken[key] = action
    KeyBinding.objects.filter(user=user).delete()
    KeyBinding.objects.bulk_create(
        KeyBinding(user=user, action=action, key=key)
        for action, key in chosen.items()
        if key != ACTIONS[action]
    )

"""Filters: how a figure is shown with its interval, and how the page says that there is none."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviews.measures.intervals import Estimate
from reviews.templatetags.winnow import local

register = template.Library()

# Not measured is not bad: each says what is missing.
STATES = {
    "no-pairs": gettext_lazy("not measured: no trace was read by two people"),
    "no-trials": gettext_lazy("not measured: nothing to count yet"),
    "one-category": gettext_lazy("undefined: every verdict is the same"),
    "never-given": gettext_lazy("not measured: nobody gave that label to a trace read twice"),
    "not-two-raters": gettext_lazy("not measured: it compares two readers"),
    "too-few": gettext_lazy("no interval: under 30 traces, or under 20 prompts"),
    "no-spread": gettext_lazy("no interval: nothing varies"),
    "unstable": gettext_lazy("no interval: too few of each kind to resample"),
    "few-clusters": gettext_lazy("an estimate, not a bound: under 30 prompts"),
    "two-others": gettext_lazy("no interval: two others are no consensus"),
    "ok": "",
}


@register.filter
def coefficient(found: Estimate) -> str:
    """`0.61 [0.52, 0.69]`, or why there is no value."""
    return _shown(found, lambda value: local(value, 2, grouped=False))


@register.filter
def shared(found: Estimate) -> str:
    """`84 % [80 %, 88 %]`, or why there is no value."""
    return _shown(found, lambda value: f"{local(100 * value, 0)} %")


@register.filter
def of_100(found: Estimate) -> str:
    """`12 [8, 17]`: of a hundred."""
    return _shown(found, lambda value: local(100 * value, 0))


@register.filter
def why(found: Estimate | dict[str, Any]) -> str:
    """What the state of a figure means for its reader; nothing where all is well."""
    state = found["state"] if isinstance(found, dict) else found.state
    return str(STATES.get(state, state))


def _shown(found: Estimate, say: Any) -> str:
    if found.value is None:
        return _("not measured")
    if found.low is None or found.high is None:
        return str(say(found.value))
    return f"{say(found.value)} [{say(found.low)}, {say(found.high)}]"

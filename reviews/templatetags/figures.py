"""Filters: how a figure is shown with its interval, and how the page says that there is none."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviews.measures import planning
from reviews.measures.intervals import Estimate
from reviews.templatetags.winnow import local

register = template.Library()

WIDE = 0.10  # half of an interval from here on, the page says what would narrow it
HALF_WIDTH = 0.05
FIELDS = ("value", "low", "high", "method", "n", "state")

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


@register.filter
def narrower(found: Estimate | dict[str, Any]) -> str:
    """How many traces would narrow a wide interval to 5 points either way; nothing where it is narrow or there is none."""
    known = Estimate(**{name: found[name] for name in FIELDS}) if isinstance(found, dict) else found
    if known.low is None or known.high is None or (known.high - known.low) / 2 <= WIDE:
        return ""
    return _("about %(n)s would narrow it to ± 0.05") % {
        "n": intcomma(planning.doubles_from(known, HALF_WIDTH))
    }


def _shown(found: Estimate, say: Any) -> str:
    if found.value is None:
        return _("not measured")
    if found.low is None or found.high is None:
        return str(say(found.value))
    return f"{say(found.value)} [{say(found.low)}, {say(found.high)}]"

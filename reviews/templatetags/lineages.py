"""Filters of the lineage's pages: nats, differences of a hundred, and the words of stages, arms and verdicts."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from reviews.measures.doses import Dose
from reviews.measures.intervals import Estimate
from reviews.templatetags.winnow import local

register = template.Library()

NAMES = {
    "base": gettext_lazy("base model"),
    "sft": "SFT",
    "preference": gettext_lazy("preference training"),
    "rl": "RL",
    "unknown": gettext_lazy("unknown"),
    "selected": gettext_lazy("selected"),
    "random-control": gettext_lazy("random control"),
    "outcome-only": gettext_lazy("outcome only"),
    "trained": gettext_lazy("training selected against it"),
    "held-out": gettext_lazy("training did not select against it"),
    "applied": gettext_lazy("exported"),
    "external": gettext_lazy("elsewhere"),
    "counter": gettext_lazy("not used"),
    "grader-saw-chains": gettext_lazy("a grader saw chains of thought"),
    "monitor-in-reward": gettext_lazy("a monitor was part of the reward"),
    "trained-on-chains": gettext_lazy("chains were trained on"),
    "other": gettext_lazy("something else"),
    "pass": gettext_lazy("passes"),
    "block": gettext_lazy("blocks"),
    "insufficient": gettext_lazy("too few to tell"),
    "parent": gettext_lazy("its parent"),
    "control": gettext_lazy("its control"),
    # How a figure moved.
    "worse": gettext_lazy("worse"),
    "better": gettext_lazy("better"),
    "rose": gettext_lazy("rose"),
    "fell": gettext_lazy("fell"),
    "open": gettext_lazy("not for certain"),
    # Figures of probes, and the keys of measurements that have a name.
    "happened": gettext_lazy("happened"),
    "undetected": gettext_lazy("undetected"),
    "recall": gettext_lazy("recall of the monitor"),
    "right": gettext_lazy("right answers"),
    "acceptance": gettext_lazy("acceptance"),
    "accuracy": gettext_lazy("accuracy"),
    "tamper-follow": gettext_lazy("answer follows a tampered chain"),
    "load-bearing-gap": gettext_lazy("load-bearing gap, nats"),
    "root": pgettext_lazy("the first checkpoint of a lineage", "the base"),
}


@register.filter
def named(value: object) -> object:
    """A stored word as people read it; what has none stays as it is."""
    return NAMES.get(str(value), value)


# Why a dose is unknown, as measures and ledger say it; what happened elsewhere stays as it was booked.
REASONS = {
    "no parent is known, and it is not registered as a base model": gettext_lazy(
        "no parent is known, and it is not registered as a base model"
    ),
    "nobody has said which checkpoint sampled it": gettext_lazy(
        "nobody has said which checkpoint sampled it"
    ),
}


@register.filter
def reasons(dose: Dose) -> str:
    """Why part of a dose is unknown, in one line."""
    return "; ".join(str(REASONS.get(reason, reason)) for reason in dose.why)


@register.filter
def nats(value: float | None) -> str:
    """`0.52 nats`, or that it is unknown."""
    return _("unknown") if value is None else _("%(n)s nats") % {"n": local(value, 2, grouped=False)}


@register.filter
def worst(dose: Dose) -> float:
    """The larger of both sums, each in its worst domain: what a budget is held against."""
    return max(dose.pooled, dose.hard)


@register.filter
def dosed(dose: Dose) -> str:
    """`0.52 nats`, `at least 0.52 nats` where part is unknown, `unknown` where nothing is known."""
    most = worst(dose)
    if not dose.unknown:
        return nats(most)
    return _("at least %(nats)s") % {"nats": nats(most)} if most > 0 else _("unknown")


@register.filter
def signed(share: float | None) -> str:
    """`+13` or `−23`: a difference of shares, of a hundred."""
    if share is None:
        return "—"
    rounded = round(100 * share)
    return f"+{rounded}" if rounded > 0 else f"−{-rounded}" if rounded < 0 else "0"


@register.filter
def counted(found: Estimate) -> str:
    """`30 of 100`: how many of how many; a dash where it was not measured."""
    if found.value is None:
        return "—"
    hits = round(found.value * found.n)
    return _("%(part)s of %(whole)s") % {"part": local(hits, 0), "whole": local(found.n, 0)}


@register.filter
def between(found: Estimate) -> str:
    """`[22, 40]`: the interval, of a hundred; nothing where there is none."""
    if found.low is None or found.high is None:
        return ""
    return f"[{local(100 * found.low, 0)}, {local(100 * found.high, 0)}]"


@register.filter
def grouped(value: int | None) -> str:
    """`12,345`, as the reader's language groups it."""
    return "—" if value is None else local(value, 0)

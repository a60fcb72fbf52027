"""Filters: what gates and their verdicts are called on pages."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext_lazy as _

from reviews.checking.gate import Gate
from reviews.policies.thresholds import BY_KEY, Threshold
from reviews.templatetags.winnow import local

register = template.Library()

NAMES = {
    "integrity": _("Sampled, unchanged, complete"),
    "held-out": _("Held-out prompts absent"),
    "licence": _("Licences and canaries"),
    "template": _("Template keeps the reasoning"),
    "samples-per-prompt": _("Samples a prompt"),
    "selection": _("Selection"),
    "admission": _("Hard prompts"),
    "behaviour-floor": _("Does it already"),
    "form": _("Form"),
    "purpose": _("What clauses are for"),
    "domains": _("Domains"),
    "exposure": _("Exposure"),
    "lineage": _("Lineage"),
    "on-policy": _("Sampled by this checkpoint"),
    "cot-given-outcome": _("Reasoning given the outcome"),
    "answer-first": _("Answer first, then the chain"),
    "confounders": _("Style"),
    "agreement": _("Second reader"),
    "reviewers": _("Readers on gold"),
    "stage": _("Stage of training"),
    "load-bearing": _("Chain carries load"),
    "monitor": _("Held-out monitor"),
}
TIERS = {"integrity": _("Integrity"), "dose": _("Dose"), "evidence": _("Evidence")}
ABOUT = {
    "integrity": _("Never overridden."),
    "dose": _("Stops when it is too much, and when it cannot tell."),
    "evidence": _("What is not measured is called so on the card; it stops an export under production only."),
}
GOOD = {"integrity": _("holds"), "dose": _("within"), "evidence": _("measured")}
BAD = {"integrity": _("does not hold"), "dose": _("too much"), "evidence": _("measured bad")}
ARMS = {"random-control": _("Random control"), "outcome-only": _("Outcome only"), "selected": _("Selected")}
SIGNS = {"pass": "✓", "warn": "!", "block": "✕", "insufficient": "–"}
OF_100 = {"accepted of sampled", "share of tokens", "share of traces", "share of rows exact"}


@register.filter
def gate_name(key: str) -> str:
    return str(NAMES.get(key, key))


@register.filter
def tier_name(tier: str) -> str:
    return str(TIERS[tier])


@register.filter
def tier_about(tier: str) -> str:
    return str(ABOUT[tier])


@register.filter
def arm_name(arm: str) -> str:
    return str(ARMS.get(arm, arm))


@register.filter
def sign(gate: Gate) -> str:
    """The verdict as a sign and words: measured bad and not measured never read the same."""
    if gate.verdict == "insufficient":
        words = _("cannot tell") if gate.tier == "dose" and gate.value is not None else _("not measured")
    elif gate.verdict == "warn":
        words = _("near")
    else:
        words = GOOD[gate.tier] if gate.verdict == "pass" else BAD[gate.tier]
    return f"{SIGNS[gate.verdict]} {words}"


@register.filter
def figure(gate: Gate) -> str:
    """The value with its bound and unit, as a person says it; nothing where there is none."""
    if gate.value is None:
        return ""
    if gate.unit == "clauses":
        return _("%(bad)s of %(n)s clauses") % {"bad": _say(gate.value, gate.unit), "n": gate.n}
    bound = gate.high if gate.high is not None else gate.low
    said = _say(gate.value, gate.unit)
    if bound is None or bound == gate.value:
        return f"{said} {_unit(gate.unit)}".strip()
    more = _("at most %(bound)s") if gate.high is not None else _("at least %(bound)s")
    return f"{said} {_unit(gate.unit)}".strip() + ", " + str(more) % {"bound": _say(bound, gate.unit)}


@register.filter
def hundredths(share: float) -> str:
    """A share as a form has it: 0.25 is 25."""
    return f"{100 * share:.6g}"


def _say(value: float, unit: str) -> str:
    if unit in OF_100:
        return f"{local(100 * value, 0)} %"
    whole = unit in ("of 100", "traces", "samples", "prompts", "problems", "clauses", "measures")
    return local(value, 0 if whole else 2)


def _unit(unit: str) -> str:
    return "" if unit in OF_100 else unit


@register.filter
def threshold_name(key: str) -> str:
    """What a line of a policy means."""
    found = BY_KEY.get(key)
    return str(found.meaning) if found else key


@register.filter
def line_of(value: float | None, threshold: Threshold) -> str:
    """A shipped line: a number, yes or no, or that there is none."""
    if threshold.switch:
        return str(_("yes") if value else _("no"))
    return str(_("no line")) if value is None else f"{value:,.10g}"


@register.filter
def plain_value(value: object) -> str:
    """What stands in a policy, as a person reads it."""
    if value is None:
        return str(_("no line"))
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, dict):
        return ", ".join(value) or "—"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "—"
    return f"{value:,.10g}" if isinstance(value, (int, float)) else str(value)

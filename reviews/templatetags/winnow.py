"""Filters: how numbers, times and the words of states are shown, in one place and in the reader's language."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from reviews.rendering import direction as directions

register = template.Library()

# Values that are stored, sent and styled as they are, and read by people: only what is shown goes through here.
WORDS = {
    "accept": gettext_lazy("accept"),
    "reject": gettext_lazy("reject"),
    "unsure": gettext_lazy("unsure"),
    "bad-prompt": gettext_lazy("bad-prompt"),
    "withdrawn": gettext_lazy("withdrawn"),
    "pending": gettext_lazy("pending"),
    "accepted": gettext_lazy("accepted"),
    "rejected": gettext_lazy("rejected"),
    "disputed": gettext_lazy("disputed"),
    "dropped": gettext_lazy("dropped"),
    "reviewer": gettext_lazy("reviewer"),
    "lead": gettext_lazy("lead"),
    "auditor": gettext_lazy("auditor"),
    "trainer": gettext_lazy("trainer"),
    "administrator": gettext_lazy("administrator"),
    "human": gettext_lazy("human"),
    "model": gettext_lazy("model"),
    "waiting": gettext_lazy("waiting"),
    "running": gettext_lazy("running"),
    "done": gettext_lazy("done"),
    "failed": gettext_lazy("failed"),
    "cancelled": gettext_lazy("cancelled"),
    "rows": gettext_lazy("rows"),
    "lines": gettext_lazy("lines"),
    "texts": gettext_lazy("texts"),
    "draft": gettext_lazy("draft"),
    "building": gettext_lazy("building"),
    "ready": gettext_lazy("ready"),
    "declined": gettext_lazy("finished without exporting"),
    "pass": gettext_lazy("pass"),
    "warn": gettext_lazy("warns"),
    "block": gettext_lazy("blocks"),
    "open": gettext_lazy("open"),
    "paused": gettext_lazy("paused"),
    "closed": gettext_lazy("closed"),
    "agree": gettext_lazy("agree"),
    "majority": gettext_lazy("majority"),
    "first": gettext_lazy("first"),
    "absolute": gettext_lazy("absolute"),
    "steps": gettext_lazy("steps"),
    "first wrong": gettext_lazy("first wrong"),
    "side by side": gettext_lazy("side by side"),
    "pick best": gettext_lazy("pick best"),
    "side-by-side": gettext_lazy("side-by-side"),
    "pick-best": gettext_lazy("pick-best"),
    "gold": gettext_lazy("gold"),
    "repeat": gettext_lazy("repeat"),
    "training": gettext_lazy("training"),
    "fails": gettext_lazy("fails"),
    "holds": gettext_lazy("holds"),
    "remark": gettext_lazy("remark"),
    "correct": gettext_lazy("correct"),
    "wrong": gettext_lazy("wrong"),
    "unknown": gettext_lazy("unknown"),
    "held-out": gettext_lazy("held-out"),
    "batch-withdrawn": gettext_lazy("batch-withdrawn"),
    "adjudicated": gettext_lazy("adjudicated"),
    "filtered": gettext_lazy("filtered out by the plan"),
    "outside-subset": gettext_lazy("outside the random subset"),
    "nothing-accepted": gettext_lazy("nothing-accepted"),
    "no-selection": gettext_lazy("no-selection"),
    "bound": gettext_lazy("bound"),
    "estimate": gettext_lazy("estimate"),
    "insufficient": gettext_lazy("insufficient"),
    "undefined": gettext_lazy("undefined"),
    "ok": pgettext_lazy("state of a measure", "ok"),
}


@register.filter
def words(value: Any) -> Any:
    """A stored value in the reader's language; a list of them in theirs. What has no word here stays as it is."""
    if isinstance(value, (list, tuple, set)):
        return [words(one) for one in value]
    return WORDS.get(str(value), value)


@register.filter
def of_key(found: dict[Any, Any], key: Any) -> Any:
    """What a dictionary holds under a key; nothing where it holds none."""
    return found.get(key, ())


@register.filter
def of(part: Any, whole: Any) -> str:
    """`12 of 80 (15 %)`: a number with its denominator."""
    if not whole:
        return _("%(part)s of 0") % {"part": intcomma(part or 0)}
    share = f"{100 * (part or 0) / whole:.0f}"
    return _("%(part)s of %(whole)s (%(share)s %%)") % {
        "part": intcomma(part or 0),
        "whole": intcomma(whole),
        "share": share,
    }


@register.filter
def lasting(seconds: float | None) -> str:
    """`3 min`: how long, roughly and honestly; nothing where it cannot be said."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{local(seconds / 3600, 1)} h"


@register.filter
def direction(text: str) -> directions.Direction:
    """Which way a trace's text runs."""
    return directions.of(text)


@register.filter
def rate(per_second: float | None) -> str:
    return "" if per_second is None else local(per_second, 0 if per_second >= 10 else 1)


@register.filter
def number(value: float | None, digits: int = 3) -> str:
    """A measured number, or an em dash where there is none."""
    return "—" if value is None else local(value, digits, grouped=False)


@register.filter
def megabytes(size: int | None) -> str:
    return "" if size is None else f"{local(size / 1e6, 1)} MB"


@register.filter
def hexadecimal(digest: Any) -> str:
    return bytes(digest).hex() if digest else ""


@register.filter
def percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.0f} %"


def local(value: float, digits: int, *, grouped: bool = True) -> str:
    """Rounded as Python rounds, then with the separators of the reader's language."""
    value = round(value, digits) + 0.0  # no minus before a zero
    shown = f"{value:,.{digits}f}" if grouped else f"{value:.{digits}f}"
    signs = {",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR"), "-": "−"}
    return shown.translate(str.maketrans(signs))

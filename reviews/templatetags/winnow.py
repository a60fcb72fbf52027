"""Filters: how numbers and times are shown, in one place."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma

register = template.Library()


@register.filter
def of(part: Any, whole: Any) -> str:
    """`12 of 80 (15 %)`: a number with its denominator."""
    if not whole:
        return f"{intcomma(part or 0)} of 0"
    return f"{intcomma(part or 0)} of {intcomma(whole)} ({100 * (part or 0) / whole:.0f} %)"


@register.filter
def lasting(seconds: float | None) -> str:
    """`3 min`: how long, roughly and honestly; nothing where it cannot be said."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@register.filter
def rate(per_second: float | None) -> str:
    return "" if per_second is None else (f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.1f}")


@register.filter
def number(value: float | None, digits: int = 3) -> str:
    """A measured number, or an em dash where there is none."""
    return "—" if value is None else f"{value:.{digits}f}"


@register.filter
def megabytes(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:,.1f} MB"


@register.filter
def hexadecimal(digest: Any) -> str:
    return bytes(digest).hex() if digest else ""


@register.filter
def percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.0f} %"

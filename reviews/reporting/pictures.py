"""The audit's figures as pictures, with words in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from reviews.audit.clauses import ClauseFigures, Confusion
from reviews.audit.figures import Group
from reviews.audit.readers import Reader, Team
from reviews.measures.intervals import Estimate
from reviews.measures.rates import Bin
from reviews.pictures import drift, forest, matrix
from reviews.pictures.axes import COEFFICIENTS, SHARES, Axis
from reviews.pictures.forest import ForestRow
from reviews.templatetags.figures import coefficient, shared, why

Named = Callable[[str], str]


def whole(group: Group, planned: Group | None) -> SafeString:
    """The figures of the overview, one under the other; with those of planned readings, where there are others."""
    rows = [
        _row(_("raw agreement"), group.observed, shared),
        _row(_("agreement on reject"), group.rejects_agreed, shared),
        _row(_("Krippendorff's alpha"), group.alpha, coefficient),
    ]
    if planned is not None:
        rows += [
            _row(_("raw agreement, as planned"), planned.observed, shared),
            _row(_("Krippendorff's alpha, as planned"), planned.alpha, coefficient),
        ]
    return _forest(
        rows,
        _down_to([group.alpha]),
        _("How far readers agree"),
        _("Agreement, agreement on reject, and alpha."),
    )


def groups(parts: Sequence[Group], all_of: Group, title: str) -> SafeString:
    """Raw agreement of each group, with all together first."""
    rows = [
        _row(_("all"), all_of.observed, shared, "whole"),
        *(_row(part.name or _("none given"), part.observed, shared, n=part.twice) for part in parts),
    ]
    return _forest(rows, SHARES, title, _("Raw agreement with its interval."))


def clauses(found: Sequence[ClauseFigures]) -> SafeString:
    """For each clause: where one reader cites it, how often another does."""
    rows = [_row(f"{clause.key} {clause.title}", clause.agreed, shared, n=clause.twice) for clause in found]
    words = _("Where one reader cites a clause, how often another reader of the trace cites it too.")
    return _forest(rows, SHARES, _("Agreement by clause"), words)


def confusion(found: Confusion) -> SafeString:
    """Which clause the other reader cites instead, or that they accept."""
    shares, written = [], []
    for counts in found.counts:
        total = sum(counts)
        shares.append([count / total if total else None for count in counts])
        written.append([str(count) if total else "" for count in counts])
    return safe(
        matrix.draw(
            found.keys,
            [*found.keys, _("another reason"), _("accepts")],
            shares,
            written,
            _("What the other reader said"),
            _("Row: cited by one reader. Column: what another reader of the same trace said."),
        )
    )


def gaps(team: Team, named: Named) -> SafeString:
    """How much more or less often each reader accepts than the others on the same traces."""
    axis = _around_zero([one.gap for one in team.readers], percent=True)
    rows = [_row(named(one.name), one.gap, shared, "out" if one.stands_out else "") for one in team.readers]
    words = _("Accept rate less that of the others on the same traces; the line is no difference.")
    return _forest(rows, axis, _("Accepts against peers"), words)


def leaves(team: Team, named: Named) -> SafeString:
    """How much alpha rises without each reader."""
    axis = _around_zero([one.leaves for one in team.readers])
    rows = [_row(named(one.name), one.leaves, coefficient) for one in team.readers]
    words = _(
        "How much alpha rises when this reader's verdicts are left out; right of the line they lower it."
    )
    return _forest(rows, axis, _("Alpha without each reader"), words)


def gold(team: Team, named: Named, what: str) -> SafeString:
    """Gold accepts kept, or gold rejects found, by each reader."""
    title = {"accepts_kept": _("Gold accepts kept"), "rejects_found": _("Gold rejects found")}[what]
    rows = [
        _row(named(one.name), figure, shared, n=figure.n)
        for one in team.readers
        for figure in (getattr(one.gold, what),)
    ]
    return _forest(rows, SHARES, title, _("Share of gold judged rightly, with Wilson's interval."))


def repeats(team: Team, named: Named) -> SafeString:
    """How often each reader says the same again."""
    rows = [
        _row(named(one.name), one.repeats.agreement, shared, n=one.repeats.agreement.n)
        for one in team.readers
    ]
    return _forest(rows, SHARES, _("The same again"), _("Share of blind repeats with the same verdict."))


def charts(team: Team, named: Named) -> list[tuple[Reader, SafeString]]:
    """The drift chart of each reader who judged gold."""
    if team.line is None:
        return []
    found = []
    for one in team.readers:
        if not len(one.chart.heights):
            continue
        said = _("%(n)s gold traces") % {"n": len(one.chart.heights)}
        words = (
            _("Errors on gold add up; the alarm came at gold trace %(n)s.") % {"n": one.chart.alarm + 1}
            if one.chart.alarm is not None
            else _("Errors on gold add up; there was no alarm.")
        )
        drawn = drift.draw(one.chart.heights.tolist(), team.line.height, said, named(one.name), words)
        found.append((one, safe(drawn)))
    return found


def along(bins: Sequence[Bin], say: Callable[[Bin], str], title: str, words: str) -> SafeString:
    """A rate along a scale, a row for each bin."""
    rows = [_row(say(one), one.rate, shared, n=one.rate.n) for one in bins]
    return _forest(rows, SHARES, title, words)


def _down_to(found: Iterable[Estimate]) -> Axis:
    """The scale of coefficients, longer at its low end where one lies below it."""
    least = min((end for one in found for end in (one.value, one.low) if end is not None), default=0.0)
    return replace(COEFFICIENTS, low=min(COEFFICIENTS.low, math.floor(10 * least) / 10))


def _around_zero(found: Iterable[Estimate], *, percent: bool = False) -> Axis:
    """A scale with 0 in its middle that holds all values and intervals, so that none is cut short."""
    ends = [abs(end) for one in found for end in (one.value, one.low, one.high) if end is not None]
    most = max(0.4, math.ceil(10 * max(ends, default=0)) / 10)
    return Axis(-most, most, (-most, -most / 2, 0, most / 2, most), marked=0, percent=percent)


def _row(
    name: str, found: Estimate, say: Callable[[Estimate], str], kind: str = "", n: int | None = None
) -> ForestRow:
    said = why(found) if found.value is None else say(found)
    if n is not None and found.value is not None:
        said = f"{said} · {n}"
    if found.value is not None and found.low is None:
        said = _("%(said)s, no interval") % {"said": said}
    return ForestRow(name, found.value, found.low, found.high, said, kind)


def _forest(rows: Iterable[ForestRow], axis: Axis, title: str, words: str) -> SafeString:
    return safe(forest.draw(list(rows), axis, title, words))


def safe(drawn: str) -> SafeString:
    return mark_safe(drawn)  # noqa: S308  written by ElementTree, which escapes every word

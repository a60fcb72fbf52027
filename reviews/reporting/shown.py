"""What each page of the audit shows, as the templates take it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from reviews.audit import disputes, kept, overview, readers, rows
from reviews.measures.rates import Bin
from reviews.models import Round, Trace, User
from reviews.reporting import pictures


def overview_of(round: Round) -> dict[str, Any]:
    """What the overview shows; the report shows the same."""
    found = kept.once(round, "overview", lambda table: overview.of(round, table))
    measured = kept.coefficients(round)
    times = [
        replace(part, name=date_format(date.fromisoformat(part.name), "SHORT_DATE_FORMAT"))
        for part in found.times
    ]
    return {
        "found": found,
        "pictured": pictures.whole(found.whole, found.planned),
        "by_domain": pictures.groups(found.domains, found.whole, _("By domain")),
        "by_checkpoint": pictures.groups(found.checkpoints, found.whole, _("By checkpoint")),
        "by_reader": pictures.groups(found.readers, found.whole, _("On the traces that each reviewer read")),
        "times": times,
        "by_time": pictures.groups(times, found.whole, _("Over time")),
        "by_clause": pictures.clauses(found.clauses),
        "measured": measured,
        # by their value: in the order of the names, hidden ones would be read off
        "cohen_pairs": sorted(measured["cohen_kappa"] or [], key=lambda pair: pair["value"] or 0),
        "rulings": disputes.of(round),
        "models": [row for row in rows.reviewers(round) if row["reviewer_kind"] == User.Kind.MODEL],
    }


def clauses_of(round: Round) -> dict[str, Any]:
    """What the page on clauses shows."""
    found, confused = kept.clauses(round)
    digests = Trace.objects.filter(pk__in={pk for clause in found for pk in clause.split}).in_bulk()
    return {
        "clauses": [(clause, [digests[pk] for pk in clause.split if pk in digests]) for clause in found],
        "by_clause": pictures.clauses(found),
        "confused": confused,
        "confusion": pictures.confusion(confused) if confused.keys else "",
    }


def readers_of(round: Round, *, only: str | None = None, hidden: bool = False) -> dict[str, Any]:
    """What the page on readers shows: of all, of all under pseudonyms, or of one person."""
    team = kept.once(round, "readers", lambda table: readers.of(round, table))
    if only is not None:
        team = readers.Team(
            [one for one in team.readers if one.name == only],
            team.line,
            [],
            team.model_state,
        )
    if hidden:  # in the order of the names the pseudonyms would be read off
        team = replace(team, readers=sorted(team.readers, key=lambda one: _mark(round, one.name)))
    called = _pseudonyms(round, team) if hidden else {one.name: one.name for one in team.readers}

    def named(name: str) -> str:
        return called.get(name, name)

    return {
        "team": team,
        "hidden": hidden,
        "people": [(one, named(one.name)) for one in team.readers],
        "gaps": pictures.gaps(team, named),
        "leaves": pictures.leaves(team, named),
        "on_gold": any(one.gold.right.n for one in team.readers),
        "repeated": any(one.repeats.agreement.n for one in team.readers),
        "accepts_kept": pictures.gold(team, named, "accepts_kept"),
        "rejects_found": pictures.gold(team, named, "rejects_found"),
        "again": pictures.repeats(team, named),
        "charts": [(one, named(one.name), drawn) for one, drawn in pictures.charts(team, named)],
        "depth": pictures.along(
            team.missed_by_depth,
            _depth,
            _("Faults missed, by where they lie"),
            _("Share of gold rejects that were accepted, by how deep in the chain the fault is marked."),
        )
        if team.missed_by_depth
        else "",
        "pace": [
            (
                named(one.name),
                pictures.along(one.accepts_by_minute, _minutes, _("Accepts by minute of the sitting"), ""),
                pictures.along(one.accepts_by_length, _chars, _("Accepts by length"), ""),
            )
            for one in team.readers
            if one.readings
        ],
    }


def _pseudonyms(round: Round, team: readers.Team) -> dict[str, str]:
    """Names that say nothing, and are the same at each look: in an order that the round's seed gives."""
    order = sorted((one.name for one in team.readers), key=lambda name: _mark(round, name))
    return {name: _("Reader %(n)s") % {"n": number} for number, name in enumerate(order, start=1)}


def _mark(round: Round, name: str) -> bytes:
    return hashlib.sha256(f"{round.seed} reader {name}".encode()).digest()


def _depth(one: Bin) -> str:
    return _("%(low)s to %(high)s %% of the chain") % {
        "low": f"{100 * one.low:.0f}",
        "high": f"{100 * one.high:.0f}",
    }


def _minutes(one: Bin) -> str:
    if one.high >= readers.MINUTES[-1]:
        return _("from minute %(low)s") % {"low": f"{one.low:.0f}"}
    return _("minutes %(low)s to %(high)s") % {"low": f"{one.low:.0f}", "high": f"{one.high:.0f}"}


def _chars(one: Bin) -> str:
    if one.high >= readers.CHARS[-1]:
        return _("from %(low)s characters") % {"low": f"{one.low:,.0f}"}
    return _("%(low)s to %(high)s characters") % {"low": f"{one.low:,.0f}", "high": f"{one.high:,.0f}"}

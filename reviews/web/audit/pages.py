"""The audit's pages: overview, clauses, readers."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from reviews.errors import NotAllowed
from reviews.models import Role, Round
from reviews.reporting import shown
from reviews.web import doors
from reviews.web.answers import person


@login_required
@require_GET
def agreement(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The overview: one sentence, the headline, and agreement by domain, checkpoint, clause and time."""
    round = doors.round_to_audit(request, slug, pk)
    return render(request, "reviews/audit/overview.html", _frame(round) | shown.overview_of(round))


@login_required
@require_GET
def clauses_page(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Which clauses split readers, which are taken for one another, with examples."""
    round = doors.round_to_audit(request, slug, pk)
    return render(request, "reviews/audit/clauses.html", _frame(round) | shown.clauses_of(round))


@login_required
@require_GET
def readers_page(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Each reader beside the others; to a reviewer only their own figures, where the round shows them."""
    round = doors.round_of(
        request, slug, pk, Role.LEAD, Role.AUDITOR, Role.REVIEWER, doing=_("Reading the audit")
    )
    roles = person(request).roles_in(round.project_id)
    alone = not roles & {Role.LEAD, Role.AUDITOR}
    if alone and not round.shows_own_figures:
        raise NotAllowed(_("Reading the audit"), Role.LEAD)
    hidden = request.GET.get("names") == "hidden"
    found = shown.readers_of(round, only=person(request).username if alone else None, hidden=hidden)
    return render(
        request,
        "reviews/audit/readers.html",
        {**_frame(round), **found, "alone": alone, "open": alone and round.state != Round.State.CLOSED},
    )


def _frame(round: Round) -> dict[str, Any]:
    return {"project": round.project, "round": round}

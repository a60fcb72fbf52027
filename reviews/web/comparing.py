"""The desk for samples side by side: one page for all samples of a look, one form for all its verdicts."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from reviews import comparing, saying
from reviews.assigning import Leased
from reviews.errors import Invalid
from reviews.models import Review, Round, User
from reviews.web import doors, frames
from reviews.web.answers import is_htmx, person


def desk(request: HttpRequest, round: Round) -> HttpResponse:
    """The frame; it takes the samples by a POST of its own, because a GET changes nothing."""
    frame = {**frames.of_round(round, person(request)), **frames.keys(person(request))}
    judged = Review.objects.standing().filter(round=round, reviewer=person(request)).count()
    return render(request, "reviews/desk.html", {**frame, "judged": judged})


def take(reader: User, round: Round) -> Leased:
    return comparing.next_for(reader, round)


def next_samples(request: HttpRequest, round: Round) -> HttpResponse:
    """The next samples of one prompt, or why there are none."""
    if "ahead" in request.GET:
        return HttpResponse(status=204)
    found = comparing.next_for(person(request), round)
    frame = frames.of_round(round, person(request))
    if not found.assignments:
        return render(request, "reviews/desk_empty.html", {**frame, "empty": found.empty})
    return render(request, "reviews/desk_sides.html", {**frame, "sides": _sides(found, person(request))})


@login_required
@require_POST
def decide(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Record the verdicts on all samples of a look."""
    round = doors.round_to_judge(request, slug, pk)
    comparing.record(round, list(_said(request, round)), by=person(request))
    if not is_htmx(request):
        return redirect("desk", slug, pk)
    return next_samples(request, round)


def _said(request: HttpRequest, round: Round) -> Any:
    """(assignment, what is said, key) for each sample, as the form sends them."""
    data = request.POST
    for place in data.getlist("assignment"):
        try:
            assignment, key = int(place), uuid.UUID(data.get(f"key-{place}", ""))
        except ValueError:
            raise Invalid(
                "assignment", _("The page sent something else than its samples. Load it anew.")
            ) from None
        relative = round.mode == Round.Mode.PICK_BEST
        if relative:
            verdict = "accept" if data.get("picked") == place else "reject"
        else:
            verdict = data.get(f"verdict-{place}", "")
        yield (
            assignment,
            saying.Said(
                verdict,
                tuple(data.getlist(f"clauses-{place}")) if verdict == "reject" and not relative else (),
                comment=data.get("comment", "").replace("\r\n", "\n"),
                seconds=_seconds(data.get("seconds", "")),
                relative=relative,
            ),
            key,
        )


def _seconds(text: str) -> float | None:
    try:
        return min(max(float(text), 0), 1e7)
    except ValueError:
        return None


def _sides(found: Leased, reader: User) -> list[dict[str, Any]]:
    return [
        {"letter": chr(ord("A") + place), **frames.of_assignment(assignment, reader)}
        for place, assignment in enumerate(found.assignments)
    ]

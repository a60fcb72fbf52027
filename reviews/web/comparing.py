"""The desk for samples side by side: one page for all samples of a look, one form for all its verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from reviews import calibrating, comparing
from reviews.assigning import Leased
from reviews.errors import Invalid
from reviews.models import Assignment, Review, Round, User
from reviews.web import doors, frames
from reviews.web.answers import is_htmx, person, unfit
from reviews.web.forms import SaidForm


def desk(request: HttpRequest, round: Round) -> HttpResponse:
    """The frame, with the samples that the reader holds; taking some is a POST, because a GET changes nothing."""
    reader = person(request)
    frame = {**frames.of_round(round, reader), **frames.keys(reader)}
    judged = Review.objects.standing().filter(round=round, reviewer=reader).count()
    sides = _sides(comparing.held(reader, round), reader)
    return render(request, "reviews/desk.html", {**frame, "judged": judged, "sides": sides})


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
    sides = _sides(found.assignments, person(request))
    return render(request, "reviews/desk_sides.html", {**frame, "sides": sides})


@login_required
@require_POST
def decide(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Record the verdicts on all samples of a look; the page asks for the next ones."""
    round = doors.round_to_judge(request, slug, pk)
    relative = round.mode == Round.Mode.PICK_BEST
    said = []
    for assignment, form in _forms(request, relative):
        if not form.is_valid():
            return unfit(request, form)
        one = replace(form.said(), relative=True, clauses=(), spans=()) if relative else form.said()
        said.append((assignment, one, form.cleaned_data["key"]))
    done = comparing.record(round, said, by=person(request))
    if not is_htmx(request):
        return redirect("desk", slug, pk)
    sides = [(comparing.letter(place), review) for place, review in enumerate(done)]
    return render(
        request,
        "reviews/desk_said.html",
        {
            "said": done[-1],
            "relative": relative,
            "picked": next((letter for letter, review in sides if review.verdict == "accept"), None),
            "sides": sides,
            "feedback": calibrating.feedback(done[0]) if len(done) == 1 else None,
        },
    )


@login_required
@require_POST
def skip(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Give all samples of a look back, and take the next ones."""
    round = doors.round_to_judge(request, slug, pk)
    comparing.skip(round, list(_places(request)), by=person(request))
    comparing.next_for(person(request), round)
    return redirect("desk", slug, pk)


def _places(request: HttpRequest) -> Iterator[int]:
    for place in request.POST.getlist("assignment"):
        if not (place.isascii() and place.isdigit() and len(place) < 19):
            raise Invalid("assignment", _("The page sent something else than its samples. Load it anew."))
        yield int(place)


def _forms(request: HttpRequest, relative: bool) -> Any:
    """(assignment, the form of what is said) for each sample: its fields have the assignment before their name."""
    data = request.POST.copy()
    for place in map(str, _places(request)):
        if relative:
            data[f"{place}-verdict"] = "accept" if data.get("picked") == place else "reject"
        yield int(place), SaidForm(data, prefix=place)


def _sides(found: list[Assignment], reader: User) -> list[dict[str, Any]]:
    return [
        {"letter": comparing.letter(place), **frames.of_assignment(assignment, reader)}
        for place, assignment in enumerate(found)
    ]

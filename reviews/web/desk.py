"""The desk: where people read and judge, blind and one trace after another."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from reviews import asking, assigning, calibrating, reviewing, serving, tasks
from reviews.errors import Conflict
from reviews.models import Assignment, Citation, Review, Round
from reviews.rendering import document
from reviews.web import comparing, doors, frames
from reviews.web.answers import is_htmx, person, unfit
from reviews.web.forms import SaidForm

LISTED = 50
COUNTED = 1000  # verdicts; counting all of a large round would hold up the page


@login_required
@require_GET
@never_cache
def desk(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The frame, with the trace that the reader holds; taking one is a POST, because a GET changes nothing."""
    round = doors.round_to_judge(request, slug, pk)
    if round.beside:
        return comparing.desk(request, round)
    held = Assignment.objects.open().filter(round=round, leased_by=person(request))
    first = held.with_reading(person(request).pk, document.VERSION).order_by("leased_at", "pk").first()
    mine = _mine(round, request)
    last = mine.first()
    found = {
        **frames.of_round(round, person(request)),
        **frames.keys(person(request)),
        "said": last,
        "cited": cited(last) if last else (),
        "judged": mine.order_by()[: COUNTED + 1].count(),
        "counted": COUNTED,
    }
    if first:
        first.round = round
        found |= frames.of_assignment(first, person(request))
    return render(request, "reviews/desk.html", found)


@login_required
@require_POST
def next_trace(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Lease and show the next trace; with `ahead` the one after it, for the page to keep at hand."""
    round = doors.round_to_judge(request, slug, pk)
    if not is_htmx(request):
        (comparing.take if round.beside else serving.next_for)(person(request), round)
        return redirect("desk", slug, pk)
    if round.beside:
        return comparing.next_samples(request, round)
    ahead = "ahead" in request.GET
    found = serving.next_for(person(request), round, ahead=ahead)
    if ahead and len(found.assignments) < 2:
        return HttpResponse(status=204)
    return _show(request, round, found)


@login_required
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Record the decision; the page has the next trace already. After one on the answer alone, show the chain."""
    form = SaidForm(request.POST)
    if not form.is_valid():
        return unfit(request, form)
    review = reviewing.record(pk, form.said(), by=person(request), key=form.cleaned_data["key"])
    if not is_htmx(request):
        return _to_desk(review.round)
    if review.stage == Review.Stage.ANSWER_ONLY:
        return _go_on(request, review.round)
    return render(
        request,
        "reviews/desk_said.html",
        {
            "said": review,
            "cited": form.cleaned_data["clauses"],
            "feedback": calibrating.feedback(review),
        },
    )


@login_required
@require_GET
@never_cache
def rendered(request: HttpRequest, pk: int) -> HttpResponse:
    """The trace that one holds as the worker rendered it: 204 while it is not there, and the worker is rung for."""
    held = Assignment.objects.visible_to(person(request)).open().filter(pk=pk, leased_by=person(request))
    assignment = get_object_or_404(
        held.with_reading(person(request).pk, document.VERSION).select_related("round")
    )
    found = frames.of_assignment(assignment, person(request))
    if found["rendered"] or found["alone"]:
        return render(request, "reviews/desk_rendered.html", found)
    tasks.ring_for_rendering(assignment.trace_id)
    return HttpResponse(status=204)


@login_required
@require_POST
def skip(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the trace back."""
    assignment = _assignment(request, pk)
    assigning.skip(assignment, request.POST.get("comment", "")[:2000], by=person(request))
    return _gone(request, assignment, {"skipped": True})


@login_required
@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the lead about the trace, and lay it aside until the answer."""
    assignment = _assignment(request, pk)
    asking.ask(assignment, request.POST.get("comment", ""), by=person(request))
    return _gone(request, assignment, {"asked_lead": True})


@login_required
@require_POST
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """Hold a long read."""
    assigning.renew(
        get_object_or_404(Assignment.objects.visible_to(person(request)).select_related("round"), pk=pk),
        by=person(request),
    )
    return HttpResponse(status=204)


@login_required
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a verdict; its trace is the next one again."""
    reviews = Review.objects.visible_to(person(request)).select_related("round__project")
    return _undo(request, get_object_or_404(reviews, pk=pk))


@login_required
@require_POST
def undo(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Undo my last verdict that still stands; pressed again, the one before it."""
    last = _mine(doors.round_to_judge(request, slug, pk), request).select_related("round__project").first()
    if last is None:
        raise Conflict(_("There is no verdict of yours in this round that could be undone."))
    return _undo(request, last)


@login_required
@require_GET
@never_cache
def mine(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """My last verdicts in this round, each to be opened again."""
    round = doors.round_to_judge(request, slug, pk)
    rows = _mine(round, request).select_related("trace__round_prompt").prefetch_related("citations__clause")
    return render(
        request,
        "reviews/desk_mine.html",
        {"round": round, "project": round.project, "reviews": rows[:LISTED], "listed": LISTED},
    )


def _mine(round: Round, request: HttpRequest) -> Any:
    """My standing verdicts in a round, newest first."""
    heads = Review.objects.heads().filter(
        round=round, reviewer=person(request), kind=Review.Kind.REVIEW, stage=Review.Stage.FINAL
    )
    return heads.exclude(verdict="withdrawn").order_by("-pk")


def _undo(request: HttpRequest, review: Review) -> HttpResponse:
    reviewing.withdraw(review, by=person(request))
    if not is_htmx(request):
        messages.success(request, _("Undone. The trace is yours again."))
        return _to_desk(review.round)
    return _go_on(request, review.round, undone=review)


def _go_on(request: HttpRequest, round: Round, **more: Any) -> HttpResponse:
    """The trace that the reader holds first, which a verdict or an undo has just changed."""
    round = doors.round_to_judge(request, round.project.slug, round.pk)
    if round.beside:
        return comparing.next_samples(request, round)
    return _show(request, round, assigning.next_for(person(request), round), **more)


def _show(request: HttpRequest, round: Round, found: assigning.Leased, **more: Any) -> HttpResponse:
    frame = frames.of_round(round, person(request))
    if not found.assignments:
        return render(request, "reviews/desk_empty.html", {**frame, "empty": found.empty})
    seen = frames.of_assignment(found.assignments[-1], person(request))
    return render(request, "reviews/desk_trace.html", {**frame, **seen, **more})


def _assignment(request: HttpRequest, pk: int) -> Assignment:
    rows = Assignment.objects.visible_to(person(request)).select_related("round__project", "trace")
    return get_object_or_404(rows, pk=pk)


def _gone(request: HttpRequest, assignment: Assignment, how: dict[str, Any]) -> HttpResponse:
    return render(request, "reviews/desk_said.html", how) if is_htmx(request) else _to_desk(assignment.round)


def cited(review: Review) -> list[str]:
    failed = review.citations.filter(held=Citation.Held.FAILS)
    return list(failed.values_list("clause__key", flat=True).order_by("clause__key").distinct())


def _to_desk(round: Round) -> HttpResponseRedirect:
    return redirect("desk", round.project.slug, round.pk)

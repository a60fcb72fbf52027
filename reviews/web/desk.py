"""The desk: where people read and judge, blind and one trace after another."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from reviews import assigning, reviewing
from reviews.errors import NotAllowed
from reviews.formats import spec_markdown
from reviews.models import Assignment, Citation, Review, Role, Round
from reviews.web import reading
from reviews.web.answers import alert, is_htmx, person
from reviews.web.forms import SaidForm


@login_required
@require_GET
@never_cache
def desk(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The frame, with the trace that the reader holds; taking one is a POST, because a GET changes nothing."""
    round = _round(request, slug, pk)
    held = (
        Assignment.objects.open()
        .filter(round=round, leased_by=person(request))
        .order_by("leased_at", "pk")
        .select_related("trace__reasoning", "trace__answer", "trace__round_prompt__prompt")
        .first()
    )
    judged = (
        Review.objects.heads()
        .filter(round=round, reviewer=person(request), kind=Review.Kind.REVIEW)
        .exclude(verdict="withdrawn")
    )
    last = judged.order_by("-pk").first()
    return render(
        request,
        "reviews/desk.html",
        {
            **_frame(round),
            "said": last,
            "cited": _cited(last) if last else (),
            "judged": judged.count(),
            **(_seen(round, held) if held else {}),
        },
    )


@login_required
@require_POST
def next_trace(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Lease and show the next trace; with `ahead` the one after it, for the page to keep at hand."""
    round = _round(request, slug, pk)
    ahead = "ahead" in request.GET
    found = assigning.next_for(person(request), round, ahead=ahead)
    if not is_htmx(request):
        return redirect("desk", slug, pk)
    if ahead and len(found.assignments) < 2:
        return HttpResponse(status=204)
    if not found.assignments:
        return render(request, "reviews/desk_empty.html", {**_frame(round), "empty": found.empty})
    return render(
        request, "reviews/desk_trace.html", {**_frame(round), **_seen(round, found.assignments[-1])}
    )


@login_required
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Record the decision; the page has the next trace already."""
    form = SaidForm(request.POST)
    if not form.is_valid():
        return _unfit(request, form)
    review = reviewing.record(pk, form.said(), by=person(request), key=form.cleaned_data["key"])
    if not is_htmx(request):
        return _to_desk(review.round)
    return render(request, "reviews/desk_said.html", {"said": review, "cited": form.cleaned_data["clauses"]})


@login_required
@require_POST
def skip(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the trace back."""
    assignment = get_object_or_404(
        Assignment.objects.visible_to(person(request)).select_related("round__project", "trace"), pk=pk
    )
    assigning.skip(assignment, request.POST.get("comment", "")[:2000], by=person(request))
    return (
        render(request, "reviews/desk_said.html", {"skipped": True})
        if is_htmx(request)
        else _to_desk(assignment.round)
    )


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
    review = get_object_or_404(
        Review.objects.visible_to(person(request)).select_related("round__project"), pk=pk
    )
    reviewing.withdraw(review, by=person(request))
    if not is_htmx(request):
        return _to_desk(review.round)
    round = _round(request, review.round.project.slug, review.round_id)
    found = assigning.next_for(person(request), round)
    if not found.assignments:
        return render(request, "reviews/desk_empty.html", {**_frame(round), "empty": found.empty})
    return render(
        request,
        "reviews/desk_trace.html",
        {**_frame(round), **_seen(round, found.assignments[0]), "undone": review},
    )


def _round(request: HttpRequest, slug: str, pk: int) -> Round:
    """The round, for those who judge in it: 404 for strangers, 403 for other roles."""
    rounds = Round.objects.visible_to(person(request)).for_reader(person(request))
    round = rounds.filter(pk=pk, project__slug=slug).first()
    if round is None:
        raise Http404
    if not round.reads_here:
        raise NotAllowed("Judging traces", Role.REVIEWER)
    return round


def _frame(round: Round) -> dict[str, Any]:
    """The spec as a reader sees it: without purposes, digits for the clauses that select, f for form."""
    spec = spec_markdown.parse(round.spec_version.text) if round.spec_version else None
    clauses = spec.clauses if spec else []
    selects = [clause for clause in clauses if clause.purpose != "form" or (spec and spec.form_selects)]
    return {
        "round": round,
        "project": round.project,
        "spec": round.spec_version,
        "clauses": [{"digit": number, **_clause(c)} for number, c in enumerate(selects, start=1)],
        "remarks": [_clause(c) for c in clauses if c not in selects],
    }


def _clause(clause: spec_markdown.ClauseText) -> dict[str, str]:
    """Its question stands open; the lines below it, examples mostly, are folded."""
    question, _, more = clause.text.partition("\n")
    return {"key": clause.key, "title": clause.title, "question": question, "more": more.strip()}


def _seen(round: Round, assignment: Assignment) -> dict[str, Any]:
    return {"assignment": assignment, **reading.for_desk(assignment.trace)}


def _cited(review: Review) -> QuerySet[Citation, str]:
    failed = review.citations.filter(held=Citation.Held.FAILS)
    return failed.values_list("clause__key", flat=True).order_by("clause__key").distinct()


def _to_desk(round: Round) -> HttpResponseRedirect:
    return redirect("desk", round.project.slug, round.pk)


def _unfit(request: HttpRequest, form: SaidForm) -> HttpResponse:
    sentence = " ".join(f"{field}: {' '.join(map(str, faults))}" for field, faults in form.errors.items())
    if is_htmx(request):
        return alert(request, sentence, 422, "invalid")
    return render(request, "reviews/refused.html", {"problem": sentence}, status=422)

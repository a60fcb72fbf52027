"""The spec: its versions, and writing the next one with what readers part on beside it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from reviews import publishing
from reviews.audit import kept, rows
from reviews.errors import Invalid
from reviews.models import Clause, ClauseOpinion, Project, Review, Role, Round, SpecVersion
from reviews.web import doors
from reviews.web.answers import person


@login_required
@require_http_methods(["GET", "POST"])
def spec(request: HttpRequest, slug: str) -> HttpResponse:
    """The spec as it stands, its versions, and for leads the text to publish anew."""
    found = doors.project(request, slug)
    text, problem = request.POST.get("text", ""), ""
    if request.method == "POST":
        try:
            version = publishing.publish(found, text, by=person(request))
        except Invalid as refused:
            problem = str(refused)
        else:
            messages.success(
                request,
                _("Version %(number)s stands. Rounds that were begun keep the version they began with.")
                % {"number": version.number},
            )
            return redirect("spec", slug)
    versions = (
        SpecVersion.objects.visible_to(person(request))
        .filter(project=found)
        .order_by("-number")
        .prefetch_related("clauses")
    )
    newest = versions.first()
    roles = person(request).roles_in(found.pk)
    other = Review.objects.standing().filter(round__project=found, other=True).select_related("trace")
    return render(
        request,
        "reviews/spec.html",
        {
            "other_reasons": other.order_by("-at")[:50] if roles & {Role.LEAD, Role.AUDITOR} else (),
            "project": found,
            "versions": versions,
            "newest": newest,
            "leads": Role.LEAD in roles,
            "problem": problem,
            "opinions": _opinions(newest),
            "purposes": Clause.Purpose.values,
            "relations": Clause.Relation.values,
            "sees_purposes": bool(roles & {Role.LEAD, Role.AUDITOR}),
            "parting": _parting(request, found) if roles & {Role.LEAD, Role.AUDITOR} else None,
            "text": text or (newest.text if newest else publishing.STARTER_SPEC),
        },
        status=422 if problem else 200,
    )


@login_required
@require_POST
def classify(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One more person's word on what a clause is for."""
    project = doors.project(request, slug)
    clause = get_object_or_404(
        Clause.objects.select_related("spec_version"), pk=pk, spec_version__project=project
    )
    said = request.POST
    publishing.classify(clause, said.get("purpose", ""), said.get("relation", ""), by=person(request))
    messages.success(request, _("Your word on %(key)s is on record.") % {"key": clause.key})
    return redirect("spec", slug)


def _opinions(version: SpecVersion | None) -> dict[int, list[ClauseOpinion]]:
    """The newest opinion of each person, by clause."""
    found: dict[int, dict[int, ClauseOpinion]] = {}
    rows = ClauseOpinion.objects.filter(clause__spec_version=version).select_related("by").order_by("pk")
    for opinion in rows if version else ():
        found.setdefault(opinion.clause_id, {})[opinion.by_id] = opinion
    return {clause: list(of.values()) for clause, of in found.items()}


def _parting(request: HttpRequest, project: Project) -> dict[str, Any] | None:
    """The traces that readers of a round part on over a clause, to have at hand while it is written anew."""
    round = request.GET.get("round", "")
    rounds = Round.objects.visible_to(person(request)).filter(project=project).select_related("spec_version")
    found = rounds.filter(pk=int(round)).first() if round.isdecimal() and len(round) < 16 else None
    if found is None:
        return None
    clause = next((one for one in kept.clauses(found)[0] if one.key == request.GET.get("clause")), None)
    if clause is None:
        return None
    said = (
        rows.judged(found)
        .filter(trace__in=clause.split)
        .select_related("trace")
        .prefetch_related("citations__clause")
        .order_by("trace__digest", "pk")
    )
    return {"clause": clause, "said": said}

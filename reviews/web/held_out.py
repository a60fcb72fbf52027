"""The held-out page: what monitors see of each checkpoint. Every opening is counted (C18)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from reviews import holding_out, permitting
from reviews.lineages import looking, probing
from reviews.models import Look, Project, Prompt, Role
from reviews.reporting import lineages as shown
from reviews.web import doors, uploading
from reviews.web.answers import person, unfit
from reviews.web.lineage_forms import ProbesForm


@login_required
@require_GET
def held_out(request: HttpRequest, slug: str) -> HttpResponse:
    """The story of one checkpoint on the held-out probes. That someone looked is written down."""
    project = doors.project_to_trace(request, slug)
    chosen = request.GET.get("checkpoint", "")
    found = shown.held_out_of(project, int(chosen) if chosen.isascii() and chosen.isdigit() else None)
    if found["asked"]:
        looking.note(project, {"checkpoint": found["looked_at"].name}, by=person(request))
    return render(
        request, "reviews/lineage/held_out.html", {**found, **_prompts(project), **_frame(request, project)}
    )


@login_required
@require_POST
def import_probes(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the labels of an uploaded file as results of probes."""
    project = doors.project_to_trace(request, slug)
    permitting.require(
        person(request), project.pk, Role.LEAD, Role.TRAINER, doing=_("Recording probe results")
    )
    form = ProbesForm(request.POST, request.FILES)
    if not form.is_valid():
        return unfit(request, form)
    upload = form.cleaned_data["file"]
    trained = [name.strip() for name in form.cleaned_data["trained"].split(",") if name.strip()]
    with uploading.kept(upload) as path:
        report = probing.import_probes(project, path, by=person(request), trained=trained, name=upload.name)
    messages.success(
        request,
        _(
            "%(new)s results are new, %(known)s known, %(refused)s refused; %(other)s lines have no labels of a probe. "
            "%(unmeasured)s answers could not be parsed and count as not measured."
        )
        % vars(report),
    )
    return redirect("held-out", slug)


@login_required
@require_POST
def draw_family(request: HttpRequest, slug: str) -> HttpResponse:
    """Hold out one more family whole, drawn at random."""
    project = doors.project_to_trace(request, slug)
    drawn = holding_out.draw_family(project, by=person(request))
    messages.success(
        request,
        _("'%(family)s' was drawn from %(n)s and is held out whole from now on.")
        % {"family": drawn.family, "n": drawn.drawn_from},
    )
    return redirect("held-out", slug)


def _prompts(project: Project) -> dict[str, Any]:
    prompts = Prompt.objects.filter(project=project)
    looks = Look.objects.filter(project=project, kind=Look.Kind.HELD_OUT)
    return {
        "prompts": prompts.count(),
        "held": prompts.held_out().count(),
        "families": holding_out.families(project),
        "key_state": holding_out.key_state(project),
        "root": holding_out.root(project),
        "looks": looks.aggregate(n=Count("pk"), people=Count("by", distinct=True)),
    }


def _frame(request: HttpRequest, project: Project) -> dict[str, Any]:
    roles = person(request).roles_in(project.pk)
    return {
        "project": project,
        "reports": bool(roles & {Role.LEAD, Role.TRAINER}),
        "leads": Role.LEAD in roles,
        "form": ProbesForm(),
    }

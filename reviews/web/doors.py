"""From an address to a row: each through its `visible_to`, 404 where the person may not see it."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from reviews import permitting
from reviews.errors import NotAllowed
from reviews.models import Dataset, Project, Role, Round, Trace
from reviews.web.answers import person


def project(request: HttpRequest, slug: str) -> Project:
    return get_object_or_404(Project.objects.visible_to(person(request)), slug=slug)


def project_to_trace(request: HttpRequest, slug: str) -> Project:
    """The project, for those who read its lineage and its held-out figures: not for reviewers."""
    found = project(request, slug)
    roles = (Role.LEAD, Role.AUDITOR, Role.TRAINER)
    permitting.require(person(request), found.pk, *roles, doing=_("Reading the lineage"))
    return found


def round_of(request: HttpRequest, slug: str, pk: int, *roles: Role, doing: str = "") -> Round:
    """A round of a project; with `roles`, only for those (403 for the others who may see it)."""
    rounds = Round.objects.visible_to(person(request)).select_related("project", "spec_version")
    found = get_object_or_404(rounds, pk=pk, project__slug=slug)
    if roles:
        permitting.require(person(request), found.project_id, *roles, doing=doing)
    return found


def round_to_audit(request: HttpRequest, slug: str, pk: int) -> Round:
    """The round, for those who read its audit: 403 for others who may see it."""
    return round_of(request, slug, pk, Role.LEAD, Role.AUDITOR, doing=_("Reading the audit"))


def round_to_judge(request: HttpRequest, slug: str, pk: int) -> Round:
    """The round, for those who judge in it: 404 for strangers, 403 for other roles."""
    try:
        round = Round.objects.to_judge(person(request), pk)
    except Round.DoesNotExist:
        raise Http404 from None
    if round.project.slug != slug:
        raise Http404
    if not round.reads_here:
        raise NotAllowed(_("Judging traces"), Role.REVIEWER)
    return round


def trace(request: HttpRequest, slug: str, pk: int) -> Trace:
    traces = (
        Trace.objects.visible_to(person(request))
        .with_texts()
        .select_related("round__project", "round__spec_version", "decision", "batch__withdrawal")
    )
    return get_object_or_404(traces, pk=pk, round__project__slug=slug)


def dataset(request: HttpRequest, slug: str, pk: int) -> Dataset:
    datasets = Dataset.objects.visible_to(person(request)).select_related(
        "project", "round__spec_version", "created_by"
    )
    return get_object_or_404(datasets, pk=pk, project__slug=slug)

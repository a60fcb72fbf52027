"""Home, projects, members, spec, log."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from reviews import choosing_keys, inviting, overseeing, permitting, planning
from reviews.errors import Invalid, NotAllowed
from reviews.models import (
    Assignment,
    Dataset,
    Event,
    Member,
    Project,
    Review,
    Role,
    Round,
    Token,
)
from reviews.models.projects import acting
from reviews.web import doors
from reviews.web.answers import person
from reviews.web.forms import MemberForm


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What waits for me, project by project."""
    user = person(request)
    rounds = (
        Round.objects.visible_to(user)
        .filter(state=Round.State.OPEN)
        .select_related("project")
        .order_by("project__name", "-pk")
    )
    waiting = dict(
        Assignment.objects.planned()
        .open()
        .filter(round__in=rounds)
        .values_list("round")
        .annotate(n=Count("pk"))
        .order_by()
    )
    mine = dict(
        rounds.annotate(
            n=Count(
                "reviews",
                filter=Q(
                    reviews__reviewer=user,
                    reviews__superseded_by=None,
                    reviews__stage="final",
                    reviews__kind="review",
                )
                & ~Q(reviews__verdict="withdrawn"),
            )
        ).values_list("pk", "n")
    )
    roles: dict[int, set[str]] = {}
    for project, role in Member.objects.filter(acting(user)).values_list("project", "role"):
        roles.setdefault(project, set()).add(role)
    projects = Project.objects.visible_to(user).order_by("name")
    cards = [
        {
            "project": project,
            "roles": sorted(roles.get(project.pk, ())),
            "rounds": [
                {"round": round, "waiting": waiting.get(round.pk, 0), "mine": mine.get(round.pk, 0)}
                for round in rounds
                if round.project_id == project.pk
            ],
        }
        for project in projects
    ]
    return render(
        request, "reviews/home.html", {"cards": cards, "came_back": overseeing.came_back(user)[:20]}
    )


@login_required
@require_http_methods(["GET", "POST"])
def new_project(request: HttpRequest) -> HttpResponse:
    """A new project, by the instance's administrator."""
    if request.method == "POST":
        project, _made = planning.create_project(
            request.POST.get("slug", ""), name=request.POST.get("name", ""), by=person(request)
        )
        return redirect("project", project.slug)
    if not person(request).is_superuser:
        raise NotAllowed(_("Making a project"), _("administrator"))
    return render(request, "reviews/project_new.html")


@login_required
@require_GET
def project(request: HttpRequest, slug: str) -> HttpResponse:
    """A project's rounds, spec and data sets."""
    found = doors.project(request, slug)
    rounds = (
        Round.objects.visible_to(person(request))
        .filter(project=found)
        .select_related("spec_version")
        .annotate(traces_waiting=Count("decisions", filter=Q(decisions__state="pending")))
        .order_by("-pk")
    )
    datasets = Dataset.objects.visible_to(person(request)).filter(project=found).order_by("-pk")
    return render(
        request,
        "reviews/project.html",
        {
            "project": found,
            "rounds": rounds,
            "datasets": datasets,
            "roles": person(request).roles_in(found.pk),
            "other_reasons": Review.objects.standing().filter(round__project=found, other=True).count()
            if Role.LEAD in person(request).roles_in(found.pk)
            else 0,
            "spec": found.spec_versions.order_by("-number").first(),
        },
    )


@login_required
@require_GET
def members(request: HttpRequest, slug: str) -> HttpResponse:
    """Who is here, for leads and auditors; leads invite and remove."""
    found = doors.project(request, slug)
    permitting.require(person(request), found.pk, Role.LEAD, Role.AUDITOR, doing=_("Seeing the members"))
    return render(
        request,
        "reviews/members.html",
        {
            "project": found,
            "members": found.members.select_related("user").order_by("user__username", "role"),
            "form": MemberForm(),
            "leads": Role.LEAD in person(request).roles_in(found.pk),
            "roles": Role.values,
        },
    )


@login_required
@require_POST
def invite(request: HttpRequest, slug: str) -> HttpResponse:
    """A link for a new member, shown this once."""
    found = doors.project(request, slug)
    path = inviting.invite(found, request.POST.get("role", ""), by=person(request))
    messages.success(
        request,
        _("Send this link; it works once, for two weeks: %(value)s")
        % {"value": request.build_absolute_uri(path)},
    )
    return redirect("members", slug)


@login_required
@require_POST
def remove_member(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take one role from someone."""
    found = doors.project(request, slug)
    permitting.require(person(request), found.pk, Role.LEAD, doing=_("Removing members"))
    inviting.remove_member(
        get_object_or_404(Member.objects.select_related("user"), pk=pk, project=found), by=person(request)
    )
    messages.success(request, _("The role was taken back."))
    return redirect("members", slug)


@login_required
@require_GET
def log(request: HttpRequest, slug: str) -> HttpResponse:
    """Who did what when, newest first."""
    found = doors.project(request, slug)
    permitting.require(person(request), found.pk, Role.LEAD, Role.AUDITOR, doing=_("Reading the log"))
    events = (
        Event.objects.visible_to(person(request))
        .filter(project=found)
        .select_related("actor")
        .order_by("-pk")
    )
    page = Paginator(events, 100).get_page(request.GET.get("page"))
    return render(request, "reviews/log.html", {"project": found, "page": page})


@login_required
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """My tokens: made, shown once, revoked."""
    user, secret = person(request), ""
    memberships = Member.objects.filter(user=user).select_related("project").order_by("project__slug", "role")
    if request.method == "POST":
        chosen = get_object_or_404(memberships, pk=request.POST.get("membership") or 0)
        secret = inviting.make_token(user, chosen.project, chosen.role, by=user)
    return _account(request, {"memberships": memberships, "secret": secret})


@login_required
@require_POST
def choose_keys(request: HttpRequest) -> HttpResponse:
    """Set the desk's keys, or take the usual ones again."""
    user = person(request)
    wanted = {action: request.POST.get(action, "") for action in choosing_keys.ACTIONS}
    try:
        choosing_keys.choose(user, {} if request.POST.get("usual") else wanted)
    except Invalid as refused:
        memberships = (
            Member.objects.filter(user=user).select_related("project").order_by("project__slug", "role")
        )
        found = {"memberships": memberships, "problem": f"{refused.field}: {refused}", "chosen": wanted}
        return _account(request, found, status=422)
    messages.success(request, _("The keys are set."))
    return redirect("account")


def _account(request: HttpRequest, found: dict[str, Any], status: int = 200) -> HttpResponse:
    user = person(request)
    tokens = Token.objects.visible_to(user).select_related("project").order_by("-pk")
    keys = found.pop("chosen", None) or choosing_keys.of(user)
    bindings = [
        (action, choosing_keys.WORDS[action], keys[action], usual)
        for action, usual in choosing_keys.ACTIONS.items()
    ]
    return render(
        request, "reviews/account.html", {"tokens": tokens, "bindings": bindings, **found}, status=status
    )


@login_required
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a token of mine from working."""
    inviting.revoke_token(
        get_object_or_404(Token.objects.visible_to(person(request)), pk=pk), by=person(request)
    )
    messages.success(request, _("The token was revoked."))
    return redirect("account")

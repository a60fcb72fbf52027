"""The policy: each line with its meaning, default, source and effect; editing it, and comparing two versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from reviews import governing, permitting
from reviews.errors import Invalid
from reviews.models import PolicyVersion, Project, Role
from reviews.policies import documents
from reviews.policies.documents import Policy
from reviews.policies.thresholds import BY_KEY, GATES, HARDER, POLICIES, THRESHOLDS, TIER_OF, Threshold
from reviews.web import doors
from reviews.web.answers import person


@dataclass(frozen=True)
class Row:
    """One line of the form: the threshold, what stands in the form, and what each shipped policy has."""

    threshold: Threshold
    shown: str
    pilot: float | None
    production: float | None


@login_required
@require_http_methods(["GET", "POST"])
def policy(request: HttpRequest, slug: str) -> HttpResponse:
    """The policy in force, its versions, and for leads the form for the next one."""
    project = _project(request, slug)
    newest = governing.newest(project)
    given, problem, field = _of_policy(governing.of(newest)), "", ""
    if start := request.GET.get("start"):
        given = _of_policy(documents.shipped(start)) if start in POLICIES else given
    if request.method == "POST":
        given = request.POST.dict()
        try:
            version = governing.publish(
                project, _read(request.POST), by=person(request), reason=request.POST.get("reason", "")
            )
        except Invalid as refused:
            problem, field = str(refused), refused.field or ""
        else:
            messages.success(
                request, _("%(version)s is in force for drafts from now on.") % {"version": version}
            )
            return redirect("policy", slug)
    versions = PolicyVersion.objects.visible_to(person(request)).filter(project=project)
    return render(
        request,
        "reviews/policy.html",
        {
            "project": project,
            "newest": newest,
            "policy": governing.of(newest),
            "versions": versions.select_related("by").order_by("-number"),
            "groups": _groups(given),
            "shipped": POLICIES,
            "given": given,
            "harder": [(name, why, given.get(f"allows-{name}", "")) for name, why in HARDER.items()],
            "problem": problem,
            "field": field,
            "leads": Role.LEAD in person(request).roles_in(project.pk),
        },
        status=422 if problem else 200,
    )


@login_required
@require_GET
def compare(request: HttpRequest, slug: str) -> HttpResponse:
    """Two versions beside each other: every line that differs, and which way is laxer."""
    project = _project(request, slug)
    versions = PolicyVersion.objects.visible_to(person(request)).filter(project=project).order_by("-number")
    numbers = [request.GET.get(name, "") for name in ("before", "after")]
    chosen = [
        get_object_or_404(versions, number=int(number)) if number.isdecimal() and len(number) < 10 else None
        for number in numbers
    ]
    before, after = chosen[0] or versions.last(), chosen[1] or versions.first()
    return render(
        request,
        "reviews/policy_compare.html",
        {
            "project": project,
            "versions": versions,
            "before": before,
            "after": after,
            "changes": governing.compare(before, after) if before and after else [],
        },
    )


def _project(request: HttpRequest, slug: str) -> Project:
    project = doors.project(request, slug)
    permitting.require(
        person(request), project.pk, Role.LEAD, Role.AUDITOR, Role.TRAINER, doing=_("Reading the policy")
    )
    return project


def _groups(given: dict[str, str]) -> list[tuple[str, str, list[Row]]]:
    """The thresholds by gate, in the order of the contract."""
    found = []
    for gate in GATES:
        rows = [
            Row(one, given.get(one.key, ""), one.pilot, one.production)
            for one in THRESHOLDS
            if one.gate == gate
        ]
        if rows:
            found.append((gate, TIER_OF[gate], rows))
    return found


def _of_policy(policy: Policy) -> dict[str, str]:
    """A policy as the form has it."""
    return {
        "name": policy.name,
        "evidence_binds": "on" if policy.evidence_binds else "",
        "allowed_domains": "\n".join(policy.allowed_domains or ()),
        "any_domain": "" if policy.allowed_domains is not None else "on",
        "refused_licences": "\n".join(policy.refused_licences),
        "canaries": "\n".join(policy.canaries),
        **{f"allows-{name}": why for name, why in policy.allows.items()},
        **{
            key: "" if value is None else ("on" if value else "") if BY_KEY[key].switch else f"{value:.10g}"
            for key, value in policy.thresholds.items()
        },
    }


def _read(said: QueryDict) -> Policy:
    """The policy that the form says. Raises Invalid, naming the field."""
    thresholds: dict[str, Any] = {}
    for key, threshold in BY_KEY.items():
        value = said.get(key, "").replace(",", ".").strip()
        if threshold.switch:
            thresholds[key] = int(value != "")
            continue
        try:
            thresholds[key] = float(value) if value else None
        except ValueError:
            raise Invalid(key, _("%(key)s is a number, or empty for no line.") % {"key": key}) from None
    return documents.read(
        {
            "name": said.get("name", ""),
            "evidence_binds": "evidence_binds" in said,
            "thresholds": thresholds,
            "allowed_domains": None if "any_domain" in said else _list(said.get("allowed_domains", "")),
            "allows": {
                name: said.get(f"allows-{name}", "")
                for name in HARDER
                if said.get(f"allows-{name}", "").strip()
            },
            "refused_licences": _list(said.get("refused_licences", "")),
            "canaries": _list(said.get("canaries", "")),
        }
    )


def _list(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]

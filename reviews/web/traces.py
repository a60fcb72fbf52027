"""Lists of a round's traces, one prompt with all its samples, one trace with all that is known of it."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from reviews import calibrating, holding_out, permitting, requeueing, searching, tasks
from reviews.models import Citation, Decision, Gold, Outcome, Role, Round, RoundPrompt, Trace
from reviews.web import doors, reading
from reviews.web.answers import person

STATES = ["accepted", "rejected", "disputed", "pending", "dropped"]
FILTERS = ("state", "domain", "prompt", "clause", "outcome", "text")


@login_required
@require_GET
def traces(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """All traces of a round, narrowed by state, domain, prompt, clause, outcome and words. Never reads the long texts."""
    round = doors.round_of(request, slug, pk, Role.LEAD, Role.AUDITOR, doing=_("Listing traces"))
    asked = _asked(request.GET)
    rows = (
        _narrowed(Trace.objects.visible_to(person(request)).filter(round=round), asked)
        .select_related("decision", "round_prompt", "sampler", "reasoning", "stand_in")
        .defer("reasoning__body", "meta", "sampler__sampling", "round_prompt__reference")
    )
    page = Paginator(rows.order_by("pk"), 50).get_page(request.GET.get("page"))
    domains = (
        RoundPrompt.objects.filter(round=round)
        .exclude(domain="")
        .values_list("domain", flat=True)
        .distinct()
        .order_by("domain")[:200]
    )
    return render(
        request,
        "reviews/traces.html",
        {
            "project": round.project,
            "round": round,
            "page": page,
            "asked": asked,
            "filtered": any(asked.values()),
            "query": urlencode({name: value for name, value in asked.items() if value}),
            "states": STATES,
            "domains": domains,
            "clauses": round.spec_version.clauses.all() if round.spec_version else (),
            "outcomes": Outcome.Value.values,
            "not_reached": searching.not_reached(round) if asked["text"] else 0,
            "leads": Role.LEAD in person(request).roles_in(round.project_id),
            "at_most": requeueing.AT_MOST,
        },
    )


@login_required
@require_POST
def requeue(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Let the traces that a filter chose be read next, or once more."""
    round = doors.round_of(request, slug, pk, Role.LEAD, doing=_("Putting traces first"))
    asked = _asked(request.POST)
    chosen = _narrowed(Trace.objects.visible_to(person(request)).filter(round=round), asked)
    moved = requeueing.requeue(
        round,
        chosen,
        request.POST.get("reason", ""),
        once_more=bool(request.POST.get("once_more")),
        by=person(request),
    )
    messages.success(
        request, ngettext("%(n)s trace is read next.", "%(n)s traces are read next.", moved) % {"n": moved}
    )
    narrowed = urlencode({name: value for name, value in asked.items() if value})
    answer = redirect("traces", slug, pk)
    answer["Location"] += f"?{narrowed}" if narrowed else ""
    return answer


@login_required
@require_POST
def index(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Start the job that takes new texts into the index of words."""
    round = doors.round_of(request, slug, pk, Role.LEAD, doing=_("Indexing texts"))
    tasks.prepare(round.pk, round.project_id)
    return redirect("traces", slug, pk)


@login_required
@require_GET
def prompt(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """All samples of one prompt together."""
    prompts = RoundPrompt.objects.select_related("prompt", "round__project", "round__spec_version")
    found = get_object_or_404(
        prompts.filter(round__in=Round.objects.visible_to(person(request))), pk=pk, round__project__slug=slug
    )
    permitting.require(
        person(request), found.round.project_id, Role.LEAD, Role.AUDITOR, doing=_("Listing traces")
    )
    rows = found.traces.with_texts().select_related("decision").order_by("sampler__model", "sample_index")
    page = Paginator(rows, 16).get_page(request.GET.get("page"))
    held_out = holding_out.is_held_out(found.prompt)
    return render(
        request,
        "reviews/prompt.html",
        {
            "project": found.round.project,
            "round": found.round,
            "prompt": found,
            "page": page,
            "held_out": held_out,
            "accepted": found.traces.filter(decision__state="accepted").count(),
            "samples": page.paginator.count,
        },
    )


@login_required
@require_GET
def trace(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One trace with everything that is known of it: the permalink."""
    found = doors.trace(request, slug, pk)
    reviews = (
        found.reviews.select_related("reviewer", "spec_version", "comparison")
        .prefetch_related("citations__clause", "step_labels")
        .order_by("pk")
    )
    return render(
        request,
        "reviews/trace.html",
        {
            "project": found.round.project,
            "round": found.round,
            "trace": found,
            "reviews": reviews,
            **reading.whole(found),
            "held_out": holding_out.is_held_out(found.round_prompt.prompt),
            "sampling": json.loads(bytes(found.sampler.sampling)),
            "meta": json.dumps(found.meta_object, indent=2, ensure_ascii=False),
            "stands_for": found.stood_in_for_by.count() + 1,
            "gold": Gold.objects.standing().filter(trace=found).select_related("by").first(),
            "may_be_gold": found.round.training
            or found.decision.state in (Decision.State.ACCEPTED, Decision.State.REJECTED),
            "clauses": [
                clause
                for clause in found.round.spec_version.clauses.select_related("spec_version")
                if clause.selects
            ]
            if found.round.spec_version
            else [],
            "leads": Role.LEAD in person(request).roles_in(found.round.project_id),
        },
    )


@login_required
@require_POST
def gold(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Say what the right decision of a trace is, or give it out as gold no more."""
    found = doors.trace(request, slug, pk)
    reason = request.POST.get("reason", "")
    if request.POST.get("retire"):
        calibrating.retire_gold(found, reason, by=person(request))
        messages.success(request, _("This trace is gold no more."))
    else:
        verdict, clauses = request.POST.get("verdict", ""), tuple(request.POST.getlist("clauses"))
        calibrating.mark_gold(found, verdict, clauses, reason, by=person(request))
        messages.success(request, _("This trace is gold now."))
    return redirect("trace", slug, pk)


def _asked(data: Any) -> dict[str, str]:
    return {name: data.get(name, "").replace("\0", "")[:500] for name in FILTERS}


def _narrowed(rows: QuerySet[Trace], asked: dict[str, str]) -> QuerySet[Trace]:
    """The traces that fit what was asked for. Raises Invalid where words were asked for and there are none."""
    if asked["state"] in STATES:
        rows = rows.filter(decision__state=asked["state"])
    if asked["domain"]:
        rows = rows.filter(round_prompt__domain=asked["domain"])
    if asked["prompt"]:
        rows = rows.filter(round_prompt__external_id__icontains=asked["prompt"])
    if asked["clause"]:
        cited = Citation.objects.filter(
            review__trace=OuterRef("pk"),
            review__superseded_by=None,
            clause__key=asked["clause"],
            held=Citation.Held.FAILS,
        )
        rows = rows.filter(Exists(cited))
    if asked["outcome"] in Outcome.Value.values:
        rows = rows.filter(Exists(Outcome.objects.filter(trace=OuterRef("pk"), value=asked["outcome"])))
    return searching.find(rows, asked["text"]) if asked["text"].strip() else rows

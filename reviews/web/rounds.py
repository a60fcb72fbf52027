"""The round's page, import, disputes."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from reviews import (
    adjudicating,
    importing,
    jobs,
    overseeing,
    permitting,
    planning,
    prefiltering,
    tasks,
)
from reviews.audit import kept, overview
from reviews.checking import report as gates
from reviews.describing import counting
from reviews.errors import Invalid
from reviews.models import (
    Assignment,
    Dataset,
    Decision,
    ImportBatch,
    Job,
    Question,
    Review,
    Role,
    Round,
    WorkerBeat,
)
from reviews.templatetags.winnow import words
from reviews.web import doors, reading
from reviews.web.answers import person
from reviews.web.forms import ImportForm, RoundForm, SaidForm

REMAPPED = ["prompt", "reasoning", "answer", "prompt_id", "model", "split"]
SECONDS_KEPT = 5
GATES_UP_TO = (
    20_000  # traces: of a larger round the draft says it, which may take a few seconds at its first look
)
STATES = ["accepted", "rejected", "disputed", "pending", "dropped"]


@login_required
@require_http_methods(["GET", "POST"])
def new_round(request: HttpRequest, slug: str) -> HttpResponse:
    """A new round with its plan."""
    project = doors.project(request, slug)
    permitting.require(person(request), project.pk, Role.LEAD, doing=_("Making a round"))
    form = RoundForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid():
        round, _made = planning.create_round(project, by=person(request), **form.cleaned_data)
        return redirect("round", slug, round.pk)
    return render(
        request,
        "reviews/round_new.html",
        {"project": project, "form": form, "doubles": overview.doubles_wanted()},
        status=422 if form.is_bound else 200,
    )


@login_required
@require_GET
def round_page(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """What the round is and how far it has come."""
    round = doors.round_of(request, slug, pk)
    roles = person(request).roles_in(round.project_id)
    oversees = bool(roles & {Role.LEAD, Role.AUDITOR})
    found: dict[str, Any] = {"round": round, "project": round.project, "roles": roles, "oversees": oversees}
    if Role.REVIEWER in roles and round.shows_own_figures:
        found["mine"] = overseeing.own_figures(round, person(request))
    if oversees:
        found |= _progress(round) | {
            **(cache.get_or_set(f"so-far:{round.pk}", lambda: _so_far(round), SECONDS_KEPT) or {}),
            "imports": ImportBatch.objects.visible_to(person(request))
            .filter(round=round)
            .select_related("withdrawal")
            .order_by("-pk")[:10],
            "datasets": Dataset.objects.visible_to(person(request)).filter(round=round).order_by("-pk")[:10],
            "jobs": Job.objects.visible_to(person(request)).unfinished().filter(_jobs_of(round)),
            "form": ImportForm(),
        }
    return render(request, "reviews/round.html", found)


@login_required
@require_POST
def set_state(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Open, pause or close the round."""
    planning.set_state(doors.round_of(request, slug, pk), request.POST.get("state", ""), by=person(request))
    return redirect("round", slug, pk)


@login_required
@require_POST
def import_file(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take an uploaded file and start the job that brings it in."""
    round = doors.round_of(request, slug, pk, Role.LEAD, doing=_("Importing traces"))
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        raise Invalid("file", _("Choose a file of traces first."))
    upload = form.cleaned_data["file"]
    if upload.size > settings.MAX_UPLOAD_BYTES:
        raise Invalid(
            "file",
            _(
                "The file is larger than %(value)s MiB, the most that MAX_UPLOAD_MIB allows. Import it on the"
                " server with 'manage.py import_traces'."
            )
            % {"value": number_format(settings.MAX_UPLOAD_BYTES // 2**20)},
        )
    settings.UPLOADS.mkdir(parents=True, exist_ok=True)
    path = settings.UPLOADS / uuid.uuid4().hex
    with path.open("wb") as file:
        for piece in upload.chunks():
            file.write(piece)
    name = Path(upload.name or "upload").name.replace("\0", "")
    mapping, _why = importing.read_by(path, "auto", None, name)
    batch = importing.begin(round, path, by=person(request), name=name, mapping=mapping)
    tasks.ring(
        jobs.start(Job.Kind.IMPORT_TRACES, round.project_id, batch.pk, by=person(request), unit="lines")
    )
    return redirect("import", slug, batch.pk)


@login_required
@require_GET
def import_page(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """What came of a file: counts, and the lines that were refused."""
    batch = _batch(request, slug, pk)
    job = Job.objects.filter(kind=Job.Kind.IMPORT_TRACES, subject=batch.pk).order_by("-pk").first()
    refused = Paginator(batch.refused_lines.all(), 50).get_page(request.GET.get("page"))
    return render(
        request,
        "reviews/import.html",
        {
            "project": batch.round.project,
            "round": batch.round,
            "batch": batch,
            "job": job,
            "refused": refused,
            "mapping": [(name, batch.mapping_object.get(name) or "") for name in REMAPPED]
            if batch.mapping_object
            else [],
            "leads": Role.LEAD in person(request).roles_in(batch.round.project_id),
            "worker": WorkerBeat.alive(timezone.now()),
        },
    )


@login_required
@require_POST
def read_again(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take an import back and read its file again, with the fields where the lead says they are."""
    batch = _batch(request, slug, pk)
    changed = {name: request.POST.get(name, "").strip() for name in REMAPPED if name in request.POST}
    again = importing.read_again(batch, changed, by=person(request))
    tasks.ring(
        jobs.start(Job.Kind.IMPORT_TRACES, batch.round.project_id, again.pk, by=person(request), unit="lines")
    )
    return redirect("import", slug, again.pk)


@login_required
@require_GET
def refused_lines(request: HttpRequest, slug: str, pk: int) -> StreamingHttpResponse:
    """The refused lines as JSON Lines, to mend and import again."""
    batch = _batch(request, slug, pk)
    rows = (
        json.dumps(
            {
                "file": batch.file,
                "line": line.line,
                "field": line.field,
                "reason": line.reason,
                "text": bytes(line.text).decode(errors="replace"),
            },
            ensure_ascii=False,
        )
        + "\n"
        for line in batch.refused_lines.iterator()
    )
    return StreamingHttpResponse(
        rows,
        content_type="application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="refused-{batch.pk}.jsonl"'},
    )


@login_required
@require_POST
def withdraw_import(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take a wrong import back."""
    gone = importing.withdraw_batch(
        _batch(request, slug, pk), request.POST.get("reason", ""), by=person(request)
    )
    messages.success(
        request,
        _("The import was taken back: %(gone)s traces left the round.") % {"gone": number_format(gone)},
    )
    return redirect("import", slug, pk)


@login_required
@require_GET
def disputes(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """What waits for a lead: splits, doubts, and prompts that were called bad."""
    round = doors.round_of(request, slug, pk, Role.LEAD, Role.AUDITOR, doing=_("Seeing disputes"))
    rows = Decision.objects.visible_to(person(request)).filter(
        round=round, state=Decision.State.DISPUTED, trace__stand_in=None
    )
    rows = rows.select_related("trace__round_prompt").defer("trace__meta").order_by("changed_at")
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    return render(request, "reviews/disputes.html", {"project": round.project, "round": round, "page": page})


@login_required
@require_http_methods(["GET", "POST"])
def adjudicate(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Settle one dispute, blind to who said what."""
    found = doors.trace(request, slug, pk)
    permitting.require(person(request), found.round.project_id, Role.LEAD, doing=_("Settling a dispute"))
    form = SaidForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        adjudicating.adjudicate(found, form.said(), by=person(request), key=form.cleaned_data["key"])
        following = (
            Decision.objects.visible_to(person(request))
            .filter(round=found.round, state="disputed", trace__stand_in=None)
            .order_by("changed_at")
            .first()
        )
        messages.success(
            request, _("Settled: %(verdict)s.") % {"verdict": words(form.cleaned_data["verdict"])}
        )
        return (
            redirect("adjudicate", slug, following.trace_id)
            if following
            else redirect("round", slug, found.round_id)
        )
    sides = (
        found.reviews.counting()
        .filter(kind=Review.Kind.REVIEW)
        .prefetch_related("citations__clause")
        .order_by("?")
    )
    clauses = (
        [
            clause
            for clause in found.round.spec_version.clauses.select_related("spec_version")
            if clause.selects
        ]
        if found.round.spec_version
        else []
    )
    return render(
        request,
        "reviews/adjudicate.html",
        {
            "project": found.round.project,
            "round": found.round,
            "trace": found,
            "sides": sides,
            "clauses": clauses,
            "key": uuid.uuid4(),
            "form": form,
            **reading.whole(found),
        },
        status=422 if form.is_bound else 200,
    )


def _batch(request: HttpRequest, slug: str, pk: int) -> ImportBatch:
    batches = ImportBatch.objects.visible_to(person(request)).select_related(
        "round__project", "withdrawal", "by"
    )
    return get_object_or_404(batches, pk=pk, round__project__slug=slug)


def _progress(round: Round) -> dict[str, Any]:
    """Counts by state, from narrow rows only."""
    counted = dict(
        Decision.objects.filter(round=round).values_list("state").annotate(n=Count("pk")).order_by()
    )
    total = sum(counted.values())
    now = timezone.now()
    leases = Assignment.objects.open().filter(round=round, leased_by__isnull=False)
    at_work = (
        leases.filter(leased_until__gt=now)
        .values("leased_by__username")
        .annotate(n=Count("pk"), since=Min("leased_at"))
        .order_by("leased_by__username")
    )
    starts = [0.0]
    for state in STATES:
        starts.append(starts[-1] + (100 * counted.get(state, 0) / total if total else 0))
    disputed = dict(
        Decision.objects.filter(round=round, state="disputed", trace__stand_in=None)
        .values_list("why")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return {
        "states": [
            {"state": state, "n": counted.get(state, 0), "x": start, "width": end - start}
            for state, start, end in zip(STATES, starts, starts[1:], strict=False)
        ],
        "held_out_percent": round.project.held_out_below / 100,
        "total": total,
        "accepted": counted.get("accepted", 0),
        "left": overseeing.left(round),
        "kept_out": prefiltering.counted(round),
        "questions": Question.objects.waiting().filter(round=round).count(),
        "at_work": at_work,
        "stuck": leases.filter(leased_until__lte=now).count(),
        "disputed": disputed,
        "disputes": sum(disputed.values()),
    }


def _so_far(round: Round) -> dict[str, Any]:
    """The two headlines, which read every verdict of the round: kept for some seconds."""
    return {
        "measured": kept.headlines(round),
        "pressure": counting.pressures(round),
        "stopping": gates.stopping_now(round) if round.traces.count() <= GATES_UP_TO else None,
    }


def _jobs_of(round: Round) -> Q:
    batches = ImportBatch.objects.filter(round=round).values("pk")
    datasets = Dataset.objects.filter(round=round).values("pk")
    return (
        Q(kind=Job.Kind.IMPORT_TRACES, subject__in=batches)
        | Q(kind=Job.Kind.BUILD_DATASET, subject__in=datasets)
        | Q(kind__in=[Job.Kind.RENDER_TEXTS, Job.Kind.INDEX_TEXTS], subject=round.pk)
    )

"""Data sets and jobs: start, watch, cancel, download."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from reviews import exporting, jobs
from reviews.models import Dataset, Job, Role, WorkerBeat
from reviews.web import doors, drafts
from reviews.web.answers import is_htmx, person
from reviews.web.building import start_building


@login_required
@require_POST
def go_on(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Start the job of an unfinished data set again, from its last finished piece."""
    dataset = doors.dataset(request, slug, pk)
    exporting.require_may_go_on(dataset, by=person(request))
    start_building(request, dataset)
    return redirect("dataset", slug, pk)


@login_required
@require_GET
def dataset_page(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """What went out, how it was selected, and the files."""
    dataset = doors.dataset(request, slug, pk)
    if dataset.state == Dataset.State.DRAFT and not dataset.rows:
        return drafts.page(request, dataset)
    job = Job.objects.filter(kind=Job.Kind.BUILD_DATASET, subject=dataset.pk).order_by("-pk").first()
    return render(
        request,
        "reviews/dataset.html",
        {
            "project": dataset.project,
            "round": dataset.round,
            "dataset": dataset,
            "manifest": dataset.manifest_object,
            "job": job,
            "worker": WorkerBeat.alive(timezone.now()),
            "leads": Role.LEAD in person(request).roles_in(dataset.project_id),
        },
    )


@login_required
@require_GET
def file(request: HttpRequest, slug: str, pk: int, name: str) -> FileResponse:
    """One file of a finished data set."""
    dataset = doors.dataset(request, slug, pk)
    path = Path(dataset.folder) / name
    if name not in dataset.files or not path.is_file():
        raise Http404
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=path.name, content_type="application/octet-stream"
    )


@login_required
@require_GET
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a job is: the partial that its page asks for every second, and a page for whoever opens it alone."""
    found = _job(request, pk)
    response = render(
        request,
        "reviews/job.html" if is_htmx(request) else "reviews/job_page.html",
        {"job": found, "project": found.project, "worker": WorkerBeat.alive(timezone.now())},
    )
    if is_htmx(request) and found.finished:
        response["HX-Refresh"] = "true"  # the page around it now has more to say
    return response


@login_required
@require_POST
def cancel_job(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a job to stop after its present piece."""
    found = jobs.cancel(_job(request, pk), by=person(request))
    if is_htmx(request):
        return render(request, "reviews/job.html", {"job": found, "worker": WorkerBeat.alive(timezone.now())})
    return redirect("job", pk)


def _job(request: HttpRequest, pk: int) -> Job:
    return get_object_or_404(Job.objects.visible_to(person(request)).select_related("project"), pk=pk)

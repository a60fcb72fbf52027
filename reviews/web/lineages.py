"""The lineage's pages: the tree with its doses, one checkpoint, and what people report of them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from reviews import overseeing, permitting
from reviews.lineages import booking, probed, registering
from reviews.models import Checkpoint, LedgerEntry, Project, Role
from reviews.reporting import lineages as shown
from reviews.web import doors
from reviews.web.answers import person, unfit
from reviews.web.lineage_forms import AttributeForm, ExternalForm, MeasureForm, RegisterForm, UseForm

MOST_FILE_BYTES = 64 * 2**20


@login_required
@require_GET
def lineage(request: HttpRequest, slug: str) -> HttpResponse:
    """Checkpoints as a tree with what each has received; the ledger; what is to be reported."""
    project = doors.project_to_trace(request, slug)
    forms = {
        "register": RegisterForm(project=project),
        "attribute": AttributeForm(project=project),
        "use": UseForm(project=project),
    }
    return render(
        request,
        "reviews/lineage/lineage.html",
        {
            **_frame(request, project),
            **shown.lineage_of(project),
            "forms": forms,
            "overriding": overseeing.overrides_by_lead(project),
        },
    )


@login_required
@require_GET
def checkpoint_page(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One checkpoint: where it stands, what it received, what was measured of it."""
    checkpoint = _checkpoint(request, slug, pk)
    today = {"measured_on": timezone.localdate()}
    forms = {
        "measure": MeasureForm(initial=today, auto_id="measure-%s"),
        "external": ExternalForm(auto_id="external-%s"),
    }
    return render(
        request,
        "reviews/lineage/checkpoint.html",
        {
            **_frame(request, checkpoint.project),
            **shown.checkpoint_of(checkpoint),
            "checkpoint": checkpoint,
            "forms": forms,
            "keys": [*probed.STAGE_KEYS, "tamper-follow"],
        },
    )


@login_required
@require_POST
def register(request: HttpRequest, slug: str) -> HttpResponse:
    """Register a checkpoint."""
    project = doors.project_to_trace(request, slug)
    form = RegisterForm(request.POST, project=project)
    _require_may_report(request, project, _("Registering a checkpoint"))
    if not form.is_valid():
        return unfit(request, form)
    said = dict(form.cleaned_data)
    made, new = registering.register(project, said.pop("name"), by=person(request), **said)
    said_of = _("'%(name)s' is registered.") if new else _("'%(name)s' was registered before, just so.")
    messages.success(request, said_of % {"name": made.name})
    return redirect("checkpoint", slug, made.pk)


@login_required
@require_POST
def attribute(request: HttpRequest, slug: str) -> HttpResponse:
    """Say which checkpoint a sampler was."""
    project = doors.project_to_trace(request, slug)
    form = AttributeForm(request.POST, project=project)
    _require_may_report(request, project, _("Saying which checkpoint a sampler was"))
    if not form.is_valid():
        return unfit(request, form)
    registering.attribute(form.cleaned_data["sampler"], form.cleaned_data["checkpoint"], by=person(request))
    messages.success(request, _("It is on record; data sets exported from now on are booked to it."))
    return redirect("lineage", slug)


@login_required
@require_POST
def report_use(request: HttpRequest, slug: str) -> HttpResponse:
    """Report what was done with a data set."""
    project = doors.project_to_trace(request, slug)
    form = UseForm(request.POST, project=project)
    _require_may_report(request, project, _("Reporting use"))
    if not form.is_valid():
        return unfit(request, form)
    said = dict(form.cleaned_data)
    booking.report_use(said.pop("dataset"), by=person(request), used=said.pop("used") == "yes", **said)
    messages.success(request, _("The report is on record."))
    return redirect("lineage", slug)


@login_required
@require_POST
def not_used(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Book that an exported data set was not used: with a trainer's report, or as a second person."""
    project = doors.project_to_trace(request, slug)
    entries = LedgerEntry.objects.visible_to(person(request)).select_related(
        "project", "dataset", "checkpoint"
    )
    entry = get_object_or_404(entries, pk=pk, project=project)
    booking.counter(entry, request.POST.get("reason", ""), by=person(request))
    messages.success(request, _("The counter-entry is booked; the entry itself stays."))
    return redirect("lineage", slug)


@login_required
@require_POST
def measure(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Write what was measured of a checkpoint, and the digest of the file that shows it."""
    checkpoint = _checkpoint(request, slug, pk)
    form = MeasureForm(request.POST, request.FILES)
    _require_may_report(request, checkpoint.project, _("Recording a measurement"))
    if not form.is_valid():
        return unfit(request, form)
    said = dict(form.cleaned_data)
    file = said.pop("file")
    registering.measure(
        checkpoint,
        said.pop("key").strip(),
        said.pop("value"),
        by=person(request),
        file_name=file.name if file else "",
        file=file.read(MOST_FILE_BYTES) if file else None,
        **said,
    )
    messages.success(request, _("The measurement is on record."))
    return redirect("checkpoint", slug, pk)


@login_required
@require_POST
def external(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Book what happened to a checkpoint outside Winnow."""
    checkpoint = _checkpoint(request, slug, pk)
    form = ExternalForm(request.POST)
    _require_may_report(request, checkpoint.project, _("Booking what happened elsewhere"))
    if not form.is_valid():
        return unfit(request, form)
    booking.book_external(checkpoint, by=person(request), **form.cleaned_data)
    messages.success(request, _("It is booked."))
    return redirect("checkpoint", slug, pk)


def _checkpoint(request: HttpRequest, slug: str, pk: int) -> Checkpoint:
    checkpoints = Checkpoint.objects.visible_to(person(request))
    return get_object_or_404(
        checkpoints.select_related("project", "parent", "registered_by"), pk=pk, project__slug=slug
    )


def _require_may_report(request: HttpRequest, project: Project, doing: str) -> None:
    """403 before 422: whoever may not report is not told what is wrong with their form."""
    permitting.require(person(request), project.pk, Role.LEAD, Role.TRAINER, doing=doing)


def _frame(request: HttpRequest, project: Project) -> dict[str, Any]:
    roles = person(request).roles_in(project.pk)
    return {"project": project, "reports": bool(roles & {Role.LEAD, Role.TRAINER})}

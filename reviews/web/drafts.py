"""A draft: what would go out, the gates, what-if, overrides; and its two ends, exporting and not exporting."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from reviews import drafting, linting, permitting, targeting
from reviews.checking import report
from reviews.checking.report import Report
from reviews.errors import Invalid
from reviews.formats import dataset_folder
from reviews.lm.targets import TEMPLATE
from reviews.models import Dataset, Job, Role, Target, Trace, WorkerBeat
from reviews.pictures import gauge, strip, waterfall
from reviews.reporting.pictures import safe
from reviews.templatetags.winnow import local
from reviews.web import doors
from reviews.web.answers import person
from reviews.web.building import start_building

LINTED = 500  # traces on a page
LINES = ("matters", "not_outcomes", "expected", "stop_when")
FLOORS = {
    "samples-per-prompt",
    "behaviour-floor",
    "held-out",
    "reviewers",
}  # figures that must reach their line
CONTROLS = (Dataset.Arm.RANDOM_CONTROL, Dataset.Arm.OUTCOME_ONLY)


@login_required
@require_POST
def draft(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A new draft of what the round accepted."""
    round = doors.round_of(request, slug, pk)
    made = drafting.draft(round, request.POST.get("format", "sft"), by=person(request))
    return redirect("dataset", slug, made.pk)


@login_required
@require_POST
def configure(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The four lines and the what-if of a draft, as its page sends them."""
    dataset = doors.dataset(request, slug, pk)
    drafting.reconfigure(
        dataset, _given(request.POST), by=person(request), lines=_lines(request.POST, dataset)
    )
    return redirect("dataset", slug, pk)


@login_required
@require_POST
def aim(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The formats of a draft, and the target: one that is known, or the files of a new one."""
    dataset = doors.dataset(request, slug, pk)
    permitting.require(person(request), dataset.project_id, Role.LEAD, doing=_("Naming a target"))
    given = request.POST.get("target", "")
    targets = Target.objects.visible_to(person(request)).filter(project=dataset.project)
    target = get_object_or_404(targets, pk=int(given)) if given.isdecimal() and len(given) < 16 else None
    if uploads := request.FILES.getlist("files"):
        target = targeting.register(
            dataset.project, request.POST.get("name", ""), _read(uploads), by=person(request)
        )
    length = request.POST.get("max_length", "").strip()
    if length and (not length.isdecimal() or len(length) > 9 or not int(length)):
        raise Invalid("max_length", _("The longest row is a whole number of tokens."))
    drafting.reconfigure(
        dataset,
        None,
        by=person(request),
        formats=",".join(request.POST.getlist("format")),
        target=target,
        max_length=int(length) if length else None,
    )
    return redirect("dataset", slug, pk)


def _read(uploads: list[UploadedFile]) -> dict[str, bytes]:
    """The files by their names; targeting says which of them it wants. Raises Invalid for one that is too large."""
    if sum(upload.size or 0 for upload in uploads) > settings.MAX_UPLOAD_BYTES:
        raise Invalid("files", _("These files are larger than an upload may be (MAX_UPLOAD_MIB)."))
    return {
        TEMPLATE if str(upload.name).endswith(".jinja") else str(upload.name): upload.read()
        for upload in uploads
    }


@login_required
@require_POST
def release(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Export: the overrides are kept, then the job starts, which holds everything against the gates once more."""
    dataset = doors.dataset(request, slug, pk)
    if any(name in request.POST for name in LINES):
        dataset = drafting.reconfigure(dataset, None, by=person(request), lines=_lines(request.POST, dataset))
    permitting.require(person(request), dataset.project_id, Role.LEAD, doing=_("Exporting a data set"))
    drafting.lines_of(dataset).require()
    reasons = {
        key.removeprefix("override-"): value
        for key, value in request.POST.items()
        if key.startswith("override-")
    }
    drafting.override(dataset, reasons, by=person(request))
    controls = drafting.arms(dataset, request.POST.getlist("arm"), by=person(request))
    for one in (dataset, *controls):
        start_building(request, one)
    return redirect("dataset", slug, pk)


@login_required
@require_POST
def decline(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Finish without exporting."""
    dataset = doors.dataset(request, slug, pk)
    drafting.decline(
        dataset, by=person(request), why=request.POST.get("why", ""), close="close" in request.POST
    )
    messages.success(
        request, _("Finished without exporting. That is a good end of a round, and it is on record.")
    )
    return redirect("round", slug, dataset.round_id)


def page(request: HttpRequest, dataset: Dataset) -> HttpResponse:
    """The draft's own page. Reading it is a look at its configuration, which the bounds pay for."""
    permitting.require(
        person(request), dataset.project_id, Role.LEAD, Role.AUDITOR, doing=_("Reading a draft")
    )
    found = report.of(dataset.round, dataset=dataset, by=person(request))
    configuration = found.facts.configuration
    in_the_way = drafting.standing_in_the_way(dataset, found)
    given = {one.gate: one for one in dataset.overrides.select_related("by")}
    return render(
        request,
        "reviews/draft.html",
        {
            "project": dataset.project,
            "round": dataset.round,
            "dataset": dataset,
            "found": found,
            "totals": found.totals,
            "configuration": configuration,
            "tiers": [
                (tier, [(gate, _gauge(gate), given.get(gate.key)) for gate in gates])
                for tier, gates in found.by_tier.items()
            ],
            "strip": _strip(found),
            "waterfall": _waterfall(found),
            "looks": found.facts.looks,
            "mentions": _mentions(found),
            "level": 100 * found.facts.level,
            "lines": drafting.lines_of(dataset),
            "in_the_way": in_the_way,
            "overridable": {gate.key for gate in in_the_way if gate.tier != "integrity"},
            "leads": Role.LEAD in person(request).roles_in(dataset.project_id),
            "domains": sorted({name for name in found.facts.people.domains if name}),
            "targets": Target.objects.visible_to(person(request))
            .filter(project=dataset.project)
            .order_by("name", "pk"),
            "formats": [(name, name in dataset.formats.split(",")) for name in dataset_folder.FORMATS],
            "controls": [(arm.value, arm.label) for arm in CONTROLS if _possible(found, arm)],
            "job": Job.objects.filter(kind=Job.Kind.BUILD_DATASET, subject=dataset.pk)
            .order_by("-pk")
            .first(),
            "worker": WorkerBeat.alive(timezone.now()),
        },
    )


def _mentions(found: Report) -> linting.Mentions:
    """What the linter finds in the first traces that would go out; the job reads them all."""
    pks = found.facts.base.trace[found.facts.going][:LINTED].tolist()
    return linting.mentions_in(Trace.objects.filter(pk__in=pks))


def _possible(found: Report, arm: Dataset.Arm) -> bool:
    return arm != Dataset.Arm.OUTCOME_ONLY or bool((found.facts.people.outcome == 0).any())


def _given(said: QueryDict) -> dict[str, Any]:
    """The what-if as the form says it, shares in hundredths."""
    given: dict[str, Any] = {"cap": said.get("cap", ""), "domains_out": said.getlist("domains_out")}
    for name in ("prompts", "mix"):
        value = said.get(name, "").replace(",", ".").strip()
        try:
            given[name] = float(value) / 100 if value else ""
        except ValueError:
            given[name] = value
    return given


def _lines(said: QueryDict, dataset: Dataset) -> drafting.Lines:
    return drafting.Lines(**{name: said.get(name, getattr(dataset, name)).strip() for name in LINES})


def _gauge(gate: Any) -> str:
    if gate.value is None or (gate.warn is None and gate.block is None):
        return ""
    drawn = gauge.draw(gate.value, gate.low, gate.high, gate.warn, gate.block, floor=gate.key in FLOORS)
    return safe(drawn)


def _strip(found: Report) -> str:
    rate = found.facts.policy.least("admission", "rate")
    bars = [strip.Bar(one["rate"], one["tokens"]) for one in found.strip]
    out = found.totals["barred_prompts"]
    nothing = sum(1 for one in found.strip if not one["accepted"])
    said = [
        ngettext("%(n)d prompt without an accept", "%(n)d prompts without an accept", nothing)
        % {"n": nothing}
        if nothing
        else "",
        ngettext(
            "%(n)d prompt stays out: the model hardly ever does it by itself",
            "%(n)d prompts stay out: the model hardly ever does it by itself",
            out,
        )
        % {"n": out}
        if out
        else "",
    ]
    title = _("How often each prompt is accepted, and the tokens that it sends out")
    about = _(
        "%(n)d prompts in order of their share of accepted samples; the line is the rate of admission."
    ) % {"n": len(bars)}
    return safe(strip.draw(bars, rate, " · ".join(filter(None, said)), title, about))


def _waterfall(found: Report) -> str:
    """Total = prompt shift + within prompts; where outcomes are known, within = outcome + reasoning given it."""
    facts = found.facts
    exported = facts.as_exported
    if exported is None or exported.total is None or exported.prompt_shift is None or exported.within is None:
        return ""
    terms = [
        waterfall.Term(_("Which prompts"), exported.prompt_shift, local(exported.prompt_shift, 2)),
        waterfall.Term(_("Which samples of a prompt"), exported.within, local(exported.within, 2)),
        waterfall.Term(
            _("As exported"), exported.total, _("%(n)s nats") % {"n": local(exported.total, 2)}, "total"
        ),
    ]
    title = _("Where the pressure lies")
    about = _(
        "Nats of the exported law from what was sampled, by the plug-in; the two terms add up to the total."
    )
    return safe(waterfall.draw(terms, title, about))

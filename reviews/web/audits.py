"""The agreement page, and its raw rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from reviews import auditing
from reviews.models import Decision, Role
from reviews.web import doors


@login_required
@require_GET
def agreement(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """How far readers agree, with intervals, and how each of them judges."""
    round = doors.round_of(request, slug, pk, Role.LEAD, Role.AUDITOR, doing=_("Reading the audit"))
    rows = list(auditing.rows(round))
    counted = dict(
        Decision.objects.filter(round=round).values_list("state").annotate(n=Count("pk")).order_by()
    )
    return render(
        request,
        "reviews/agreement.html",
        {
            "project": round.project,
            "round": round,
            "measured": auditing.agreement_of(rows),
            "twice": auditing.read_twice(rows),
            "reviewers": auditing.reviewers(round),
            "states": [(state, counted.get(state, 0)) for state in Decision.State.values],
            "total": sum(counted.values()),
            "seed": auditing.SEED,
        },
    )


@login_required
@require_GET
def rows(request: HttpRequest, slug: str, pk: int) -> StreamingHttpResponse:
    """The rows that agreement is computed from, as the command takes them."""
    round = doors.round_of(request, slug, pk, Role.LEAD, Role.AUDITOR, doing=_("Reading the audit"))

    def lines() -> Iterator[str]:
        yield "item_id,rater_id,label,cluster\r\n"
        for row in auditing.rows(round):
            line = io.StringIO()
            csv.writer(line).writerow([row.item_id, row.rater_id, row.label, row.cluster])
            yield line.getvalue()

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="agreement-{round.pk}.csv"'},
    )

"""The raw rows behind each picture, as CSV and Parquet, and the audit as one page that goes with a data set."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from reviews.audit import tables
from reviews.reporting import report as written
from reviews.web import doors

TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


@login_required
@require_GET
def rows(request: HttpRequest, slug: str, pk: int, what: str, ending: str) -> HttpResponse:
    """One of the audit's tables. Leads and auditors only: it names who said what."""
    round = doors.round_to_audit(request, slug, pk)
    if what not in tables.TABLES or ending not in TYPES:
        raise Http404
    table = tables.table(round, what)
    headers = {"Content-Disposition": f'attachment; filename="{what}-{round.pk}.{ending}"'}
    if ending == "csv":
        return StreamingHttpResponse(tables.as_csv(table), content_type=TYPES[ending], headers=headers)
    return HttpResponse(tables.as_parquet(table), content_type=TYPES[ending], headers=headers)


@login_required
@require_GET
def report(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The audit at this moment, as one page without links to anything, with the digest of its rows."""
    round = doors.round_to_audit(request, slug, pk)
    return HttpResponse(
        written.report_of(round),
        content_type="text/html; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="report-{round.pk}.html"'},
    )

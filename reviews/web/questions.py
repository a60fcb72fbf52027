"""Questions of readers, and the lead's answers."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from reviews import asking
from reviews.models import Question, Role
from reviews.web import doors
from reviews.web.answers import person

LISTED = 100


@login_required
@require_GET
def questions(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """What readers ask, for leads and auditors; leads answer."""
    round = doors.round_of(request, slug, pk, Role.LEAD, Role.AUDITOR, doing=_("Seeing questions"))
    asked = (
        Question.objects.visible_to(person(request)).asked().filter(round=round).select_related("by", "trace")
    )
    answered = asked.exclude(answered_by=None).select_related("answered_by").order_by("-answered_by__at")
    return render(
        request,
        "reviews/questions.html",
        {
            "project": round.project,
            "round": round,
            "waiting": asked.filter(answered_by=None).order_by("pk")[:LISTED],
            "answered": answered[:LISTED],
            "leads": Role.LEAD in person(request).roles_in(round.project_id),
        },
    )


@login_required
@require_POST
def answer(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Answer one question; its trace goes back to whoever asked."""
    asked = Question.objects.visible_to(person(request)).select_related("round__project", "trace", "by")
    question = get_object_or_404(asked, pk=pk, round__project__slug=slug)
    asking.answer(question, request.POST.get("text", ""), by=person(request))
    messages.success(
        request, _("Answered. The trace goes back to %(name)s.") % {"name": question.by.username}
    )
    return redirect("questions", slug, question.round_id)

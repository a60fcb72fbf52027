"""How refusals reach a person: one page, or one line in #alerts where htmx asked, so that nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _

from reviews.errors import WinnowError
from reviews.models import User


def person(request: HttpRequest) -> User:
    """The signed-in user of a request behind `login_required`."""
    return cast(User, request.user)


class WinnowErrors:
    """Answer every WinnowError with its status and sentence, and an expired login of htmx with 401."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if (
            is_htmx(request)
            and response.status_code == 302
            and response["Location"].startswith(resolve_url(settings.LOGIN_URL))
        ):
            sentence = _(
                "You were signed out. Sign in again in another tab, then press once more: what you wrote is still here."
            )
            return alert(request, sentence, 401)
        return response

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        if not isinstance(problem, WinnowError):
            return None
        if is_htmx(request):
            return alert(request, str(problem), problem.status, problem.code)
        return render(request, "reviews/refused.html", {"problem": problem}, status=problem.status)


def is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def unfit(request: HttpRequest, form: Form) -> HttpResponse:
    """What does not fit in a form, in one sentence."""
    sentence = " ".join(f"{field}: {' '.join(map(str, faults))}" for field, faults in form.errors.items())
    if is_htmx(request):
        return alert(request, sentence, 422, "invalid")
    return render(request, "reviews/refused.html", {"problem": sentence}, status=422)


def alert(request: HttpRequest, sentence: str, status: int, code: str = "signed-out") -> HttpResponse:
    """A line in #alerts, whatever the request's own target was."""
    response = render(request, "reviews/alert.html", {"sentence": sentence}, status=status)
    response["HX-Retarget"], response["HX-Reswap"] = "#alerts", "innerHTML"
    response["Winnow-Code"] = code
    return response

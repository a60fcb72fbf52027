"""Getting in: by password, by a link that works once, by an invitation."""

from __future__ import annotations

from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from reviews import inviting
from reviews.errors import Invalid
from reviews.web.answers import person
from reviews.web.forms import SignUpForm

BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_GET
@never_cache
def enter(request: HttpRequest, secret: str) -> HttpResponse:
    """Sign in by a login link. The second time it answers 410 and says how to get another."""
    link = inviting.use_login_link(secret)
    login(request, link.user, backend=BACKEND)
    safe = link.next and url_has_allowed_host_and_scheme(link.next, allowed_hosts=None)
    return redirect(link.next if safe else "home")


@require_http_methods(["GET", "POST"])
@never_cache
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """What one is invited to, and a new account for whoever has none."""
    invited = inviting.invitation_of(secret)
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = inviting.sign_up(secret, form.cleaned_data["username"], form.cleaned_data["password"])
        except Invalid as refused:
            form.add_error(refused.field, str(refused))
        else:
            login(request, user, backend=BACKEND)
            return redirect("project", invited.project.slug)
    status = 422 if form.is_bound else 200
    return render(
        request,
        "reviews/invitation.html",
        {"invited": invited, "form": form, "secret": secret},
        status=status,
    )


@login_required
@require_POST
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """Join with the account that one is signed in to."""
    return redirect("project", inviting.accept_invitation(secret, person(request)).slug)

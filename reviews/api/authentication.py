"""Bearer tokens: whoever shows one acts as its user, within its project and role."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from reviews import inviting
from reviews.models import Token, User


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer winnow_…`"""

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        token = inviting.token_of(secret.strip())
        if token is None:
            raise AuthenticationFailed(
                "This token is unknown, revoked or has run out. Make a new one on your page."
            )
        token.user.token_used = token
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="winnow"'

"""What a verb refuses: a code for programs, an HTTP status, and a sentence for people.

One middleware (pages) and one handler (API) answer these; no view catches them.
"""

from __future__ import annotations

from django.utils.translation import gettext as _


class WinnowError(Exception):
    """Something was refused. `str` says what, why, and what to do now."""

    code = "refused"
    status = 422
    field: str | None = None


class NotAllowed(WinnowError):
    """The person may see it but not do this."""

    code, status = "not-allowed", 403

    def __init__(self, doing: str, roles: str) -> None:
        super().__init__(
            _("%(doing)s is for a %(roles)s of this project. Ask one of them, or ask to be given the role.")
            % {"doing": doing, "roles": _(str(roles))}
        )


class Invalid(WinnowError):
    """A value that cannot be taken; `field` names it."""

    code = "invalid"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class Unreadable(WinnowError):
    """A file or folder that a command cannot read at all."""

    code = "unreadable"


class Conflict(WinnowError):
    """Someone or something was there first."""

    code, status = "conflict", 409

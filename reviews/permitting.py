"""Who may do what: the one question that every verb asks of the person who acts."""

from __future__ import annotations

from django.utils.translation import gettext as _

from reviews.errors import NotAllowed
from reviews.models import Role, User


def require(by: User | None, project_id: int, *roles: Role, doing: str) -> None:
    """Raise NotAllowed unless `by` has one of `roles` in the project.

    by: None is whoever runs a command on the server itself, who could change the files anyway.
    """
    if by is not None and not by.roles_in(project_id) & set(roles):
        raise NotAllowed(doing, _(" or ").join(_(role.value) for role in roles))

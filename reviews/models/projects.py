"""Projects, the people in them, and the ways to be let in."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

HELD_OUT_BUCKETS = 10_000


class Role(models.TextChoices):
    REVIEWER = "reviewer"
    LEAD = "lead"
    AUDITOR = "auditor"
    TRAINER = "trainer"


class User(AbstractUser):
    """A person or a model that judges. Signed in with a token, they act within that token's project and role."""

    class Kind(models.TextChoices):
        HUMAN = "human"
        MODEL = "model"

    kind = models.CharField(max_length=8, choices=Kind, default=Kind.HUMAN)
    token_used: Token | None = None  # set by the API's authentication, never stored

    @property
    def shown_name(self) -> str:
        return self.get_full_name() or self.username

    @cached_property
    def _roles(self) -> dict[int, set[str]]:
        roles: dict[int, set[str]] = {}
        for project, role in Member.objects.filter(acting(self)).values_list("project", "role"):
            roles.setdefault(project, set()).add(role)
        return roles

    def roles_in(self, project_id: int) -> set[str]:
        """The roles this user has in a project; with a token, at most that token's role. One query a request at most."""
        return self._roles.get(project_id, set())


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The projects of which the user is a member, whatever the role."""
        return self.filter(pk__in=Member.objects.filter(acting(user)).values("project"))


class Project(models.Model):
    """A team's space: members, spec, rounds."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    # A prompt whose bucket is below this is held out. It only grows: a prompt held out once stays so.
    held_out_below = models.PositiveIntegerField(default=2000)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(held_out_below__lt=HELD_OUT_BUCKETS), name="project_holds_out_a_part"
            )
        ]

    def __str__(self) -> str:
        return self.slug


class Member(models.Model):
    """One role of one user in one project; a person may have several."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user", "role"], name="member_once_for_each_role")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} as {self.role} in {self.project_id}"


def acting(user: User | AnonymousUser, *roles: str) -> Q:
    """The memberships with which a user acts now, narrowed to `roles` where any are named.

    A token narrows them to its own project and role. Nobody signed in: none.
    """
    if not isinstance(user, User) or not user.is_active:
        return Q(pk__in=[])
    found = Q(user=user)
    if user.token_used:
        found &= Q(project=user.token_used.project_id, role=user.token_used.role)
    return found & Q(role__in=roles) if roles else found


def as_values(user: User | AnonymousUser) -> dict[str, int | str | None] | None:
    """What `acting` reads of a user, for a remembered query; `who_acts` is the way back. None for whoever may do nothing."""
    if not isinstance(user, User) or not user.is_active:
        return None
    token = user.token_used
    return {
        "reader": user.pk,
        "token_project": token.project_id if token else None,
        "token_role": token.role if token else None,
    }


def who_acts(reader: int, token_project: int | None, token_role: str | None) -> User:
    """A user who acts like the one whose `as_values` these are, and has no name."""
    user = User(pk=reader)
    if token_project is not None:
        user.token_used = Token(project_id=token_project, role=str(token_role))
    return user


def projects_of(user: User | AnonymousUser, *roles: str) -> models.QuerySet[Member, int]:
    """The ids of the projects where the user acts in one of `roles`: the subquery of every `visible_to`."""
    return Member.objects.filter(acting(user, *roles)).values_list("project_id", flat=True)


class Invitation(models.Model):
    """A link that makes whoever opens it a member, once."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role)
    hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"invitation as {self.role} to {self.project_id}"


class LoginLink(models.Model):
    """A link that signs one user in, once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    hash = models.CharField(max_length=64, unique=True)
    next = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"login link of {self.user_id}"


class TokenQuerySet(models.QuerySet["Token"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """A user's own tokens."""
        return self.filter(user=user.pk)


class Token(models.Model):
    """An API token of one user for one project and one role; only its hash is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    project = models.ForeignKey(Project, models.CASCADE, related_name="tokens")
    role = models.CharField(max_length=10, choices=Role)
    hash = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = TokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.prefix}… as {self.role}"

"""Letting people in: members, invitations, login links, tokens. Only hashes of secrets are kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from reviews import permitting
from reviews.errors import Invalid, NotAllowed, WinnowError
from reviews.models import Event, Invitation, LoginLink, Member, Project, Role, Token, User
from reviews.models.remembered import Remembered

INVITATION_DAYS = 14
LINK_HOURS = 24


class LinkSpent(WinnowError):
    """A link that works once was used, or its time is over."""

    code, status = "link-spent", 410


@transaction.atomic
def create_member(name: str, project: Project, role: str, *, by: User | None) -> User:
    """The user `name`, made where missing and without a password, with `role` in the project. Twice is once."""
    permitting.require(by, project.pk, Role.LEAD, doing=_("Adding members"))
    _check_role(role)
    try:
        AbstractUser.username_validator(name)
    except ValidationError:
        raise Invalid(
            "name",
            _("'%(name)s' cannot be a user's name: use letters, digits and @ . + - _.") % {"name": name},
        ) from None
    user, new = User.objects.get_or_create(username=name)
    if new:
        user.set_unusable_password()
        user.save()
    _member, joined = Member.objects.get_or_create(project=project, user=user, role=role)
    if joined:
        Event.objects.log(project.pk, "member.added", by, user, name=name, role=role)
    return user


@transaction.atomic
def remove_member(member: Member, *, by: User | None) -> None:
    """Take one role from someone, and revoke the tokens that they have for it. The last lead stays."""
    permitting.require(by, member.project_id, Role.LEAD, doing=_("Removing members"))
    leads = Member.objects.select_for_update().filter(project=member.project_id, role=Role.LEAD)
    if member.role == Role.LEAD and leads.count() == 1:
        raise Invalid("member", _("A project keeps one lead: make someone else lead first."))
    Token.objects.filter(
        user=member.user_id, project=member.project_id, role=member.role, revoked_at=None
    ).update(revoked_at=timezone.now())
    Event.objects.log(
        member.project_id, "member.removed", by, member.user, name=member.user.username, role=member.role
    )
    member.delete()


def make_login_link(user: User, *, next: str = "") -> str:
    """The path of a link that signs this user in once, for a day. Older ones that were not used stop working."""
    LoginLink.objects.filter(user=user, used_at=None).delete()
    secret = secrets.token_urlsafe(24)
    expires = timezone.now() + timedelta(hours=LINK_HOURS)
    LoginLink.objects.create(user=user, hash=_hash(secret), next=next, expires_at=expires)
    return f"/enter/{secret}"


@transaction.atomic
def use_login_link(secret: str) -> LoginLink:
    """The user and where to go. Raises LinkSpent for a link that was used, ran out, or never was."""
    now = timezone.now()
    used = LoginLink.objects.filter(
        hash=_hash(secret), used_at=None, expires_at__gt=now, user__is_active=True
    ).update(used_at=now)
    if not used:
        raise LinkSpent(
            _(
                "This login link was used, has run out, or was replaced by a newer one. Get a new one on the "
                "server: 'manage.py login_link NAME'."
            )
        )
    return LoginLink.objects.select_related("user").get(hash=_hash(secret))


@transaction.atomic
def invite(project: Project, role: str, *, by: User) -> str:
    """The path of a link that makes whoever opens it a member, once, within two weeks."""
    permitting.require(by, project.pk, Role.LEAD, doing=_("Inviting people"))
    _check_role(role)
    secret = secrets.token_urlsafe(24)
    invitation = Invitation.objects.create(
        project=project,
        role=role,
        hash=_hash(secret),
        invited_by=by,
        expires_at=timezone.now() + timedelta(days=INVITATION_DAYS),
    )
    Event.objects.log(project.pk, "member.invited", by, invitation, role=role)
    return f"/invitations/{secret}"


def invitation_of(secret: str) -> Invitation:
    """The invitation that can still be accepted. Raises LinkSpent."""
    usable = Invitation.objects.filter(hash=_hash(secret), used_at=None, expires_at__gt=timezone.now())
    invitation = usable.select_related("project", "invited_by").first()
    if invitation is None:
        raise LinkSpent(
            _(
                "This invitation was used, has run out, or was taken back. Ask the person who sent it for a "
                "new one."
            )
        )
    return invitation


@transaction.atomic
def accept_invitation(secret: str, user: User) -> Project:
    """Make `user` a member by an invitation. Raises LinkSpent."""
    invitation = invitation_of(secret)
    if not Invitation.objects.filter(pk=invitation.pk, used_at=None).update(
        used_at=timezone.now(), used_by=user
    ):
        raise LinkSpent(_("This invitation was just used by someone else."))
    Member.objects.get_or_create(project=invitation.project, user=user, role=invitation.role)
    Event.objects.log(invitation.project_id, "member.joined", user, invitation, role=invitation.role)
    return invitation.project


@transaction.atomic
def sign_up(secret: str, name: str, password: str) -> User:
    """A new user by an invitation. Raises LinkSpent, and Invalid for a name that is taken or a weak password."""
    invitation_of(secret)
    try:
        AbstractUser.username_validator(name)
        if not name or len(name) > 150:
            raise ValidationError("")
    except ValidationError:
        raise Invalid("username", _("A name has 1 to 150 letters, digits and @ . + - _.")) from None
    if User.objects.filter(username__iexact=name).exists():
        raise Invalid(
            "username",
            _("The name '%(name)s' is taken. If it is yours, sign in and open the invitation again.")
            % {"name": name},
        )
    try:
        validate_password(password, User(username=name))
    except ValidationError as weak:
        raise Invalid("password", " ".join(weak.messages)) from None
    user = User.objects.create_user(name, password=password)
    accept_invitation(secret, user)
    return user


@transaction.atomic
def make_token(user: User, project: Project, role: str, *, by: User | None) -> str:
    """A new API token of a user for one project and role; this is the only time it is seen. Raises NotAllowed."""
    if by is not None and by.pk != user.pk:
        raise NotAllowed(_("Making someone's token"), _("person whose token it is; nobody else"))
    _check_role(role)
    if not Member.objects.filter(user=user, project=project, role=role).exists():
        raise Invalid(
            "role",
            _("%(username)s is not %(role)s of '%(slug)s', so a token cannot be either.")
            % {"username": user.username, "role": role, "slug": project.slug},
        )
    secret = f"winnow_{secrets.token_urlsafe(32)}"
    token = Token.objects.create(
        user=user, project=project, role=role, hash=_hash(secret), prefix=secret[:12]
    )
    Event.objects.log(project.pk, "token.made", by or user, token, role=role, prefix=token.prefix)
    return secret


@transaction.atomic
def revoke_token(token: Token, *, by: User) -> None:
    """Stop a token from working. Twice is once."""
    if token.user_id != by.pk:
        raise NotAllowed(_("Revoking this token"), _("person whose token it is; nobody else"))
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        Event.objects.log(token.project_id, "token.revoked", by, token, prefix=token.prefix)


_WORKING_TOKEN: Remembered[Token] = Remembered(
    lambda *, hash: Token.objects.select_related("user").filter(
        hash=hash, revoked_at=None, user__is_active=True
    )
)


def token_of(secret: str) -> Token | None:
    """The token that this secret is, with its user, if it still works."""
    found = _WORKING_TOKEN.rows(hash=_hash(secret))
    token = found[0] if found else None
    return None if token is None or (token.expires_at and token.expires_at <= timezone.now()) else token


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_role(role: str) -> None:
    if role not in Role.values:
        raise Invalid(
            "role",
            _("A role is one of %(known)s; got '%(role)s'.")
            % {"known": ", ".join(Role.values), "role": role},
        )


def link_base() -> str:
    """Where links on this machine begin, as `serve` listens."""
    host = settings.HOST
    if host in ("0.0.0.0", "::"):  # noqa: S104  # everywhere is no address: a name under which Winnow answers is
        host = next((name for name in settings.ALLOWED_HOSTS if name != "*"), "localhost")
    if settings.HTTPS:
        return f"https://{host}"  # a proxy stands before it
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{host}:{settings.PORT}"

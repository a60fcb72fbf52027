"""Policies of a project: which one is in force, and publishing another."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from reviews import permitting
from reviews.errors import Invalid
from reviews.formats import canonical
from reviews.models import Event, PolicyVersion, Project, Role, Round, User
from reviews.policies import documents
from reviews.policies.documents import Change, Policy

FIRST = "pilot"  # small, and marked so


def in_force(round: Round) -> PolicyVersion:
    """The policy that drafts of a round are held against: the round's own, else the project's newest."""
    return round.policy_version or newest(round.project)


@transaction.atomic
def newest(project: Project) -> PolicyVersion:
    """The newest version; a project that has none begins under `pilot`."""
    if found := project.policy_versions.order_by("-number").first():
        return found
    Project.objects.select_for_update().get(pk=project.pk)
    if found := project.policy_versions.order_by("-number").first():
        return found
    return _write(project, documents.shipped(FIRST), number=1, reason="", by=None)


def of(version: PolicyVersion) -> Policy:
    """The lines of a stored version."""
    return documents.read(version.as_document)


@transaction.atomic
def publish(project: Project, policy: Policy, *, by: User | None, reason: str = "") -> PolicyVersion:
    """A new version, in force from now on. The same as the newest changes nothing.

    Raises Invalid where it is laxer than the one before and no reason of substance says why, NotAllowed.
    """
    permitting.require(by, project.pk, Role.LEAD, doing=_("Changing the policy"))
    before = newest(project)
    Project.objects.select_for_update().get(pk=project.pk)
    found = documents.changes(of(before), policy)
    if not found and before.name == policy.name:
        return before
    if laxer := [change.key for change in found if change.laxer]:
        require_substance(reason, _("This policy is laxer in %(keys)s") % {"keys": ", ".join(laxer)})
    last = project.policy_versions.aggregate(last=Max("number"))["last"]
    version = _write(project, policy, number=last + 1, reason=reason.strip(), by=by)
    Event.objects.log(
        project.pk,
        "policy.published",
        by,
        version,
        number=version.number,
        name=version.name,
        laxer=laxer,
        changes=[[change.key, _plain(change.before), _plain(change.after)] for change in found],
        reason=reason.strip(),
    )
    return version


def compare(before: PolicyVersion, after: PolicyVersion) -> list[Change]:
    """Every difference between two versions."""
    return documents.changes(of(before), of(after))


def require_substance(reason: str, what: str) -> None:
    """Raise Invalid unless a written reason says something: four different words and twenty characters at least."""
    words = {word.strip(".,;:!?").casefold() for word in reason.split()}
    if len(words - {""}) < 4 or len(reason.strip()) < 20:
        raise Invalid(
            "reason",
            _("%(what)s. Say why in a sentence of your own: it stays on record for ever.") % {"what": what},
        )


def _write(project: Project, policy: Policy, *, number: int, reason: str, by: User | None) -> PolicyVersion:
    return PolicyVersion.objects.create(
        project=project,
        number=number,
        name=policy.name,
        document=canonical.dump(policy.document),
        digest=policy.digest,
        reason=reason,
        by=by,
    )


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value

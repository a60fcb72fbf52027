"""Settling disputes: a lead's ruling replaces the decision, whatever the round's rule."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from reviews import permitting
from reviews.deriving import rederive, rederive_siblings
from reviews.errors import Conflict, Invalid
from reviews.models import Decision, Event, Member, Review, Role, StandIn, Trace, User, Verdict
from reviews.recording import same, write
from reviews.saying import Said


@transaction.atomic
def adjudicate(trace: Trace, said: Said, *, by: User, key: UUID) -> Review:
    """Settle a disputed trace. The ruling replaces the decision, whatever the round's rule.

    `bad-prompt` confirms that the prompt is bad: all its traces in the round drop. Who reviewed a trace does not
    settle it unless no other lead can. Raises NotAllowed, Conflict, Invalid.
    """
    permitting.require(by, trace.round.project_id, Role.LEAD, doing=_("Settling a dispute"))
    if (done := Review.objects.filter(reviewer=by, key=key).first()) is not None:
        return same(done, said, trace)
    if said.verdict not in (Verdict.ACCEPT, Verdict.REJECT, Verdict.BAD_PROMPT):
        raise Invalid("verdict", _("A dispute is settled by accept, reject or bad-prompt."))
    if StandIn.objects.filter(trace=trace).exists():
        raise Conflict(_("This trace repeats another one exactly. Settle the one that is read in its place."))
    decision = Decision.objects.select_for_update().get(trace=trace)
    if decision.state != Decision.State.DISPUTED and decision.why not in (
        Decision.Why.ADJUDICATED,
        Decision.Why.BAD_PROMPT,
    ):
        raise Conflict(
            _("This trace is %(state)s, so there is no dispute to settle. Someone may have been quicker.")
            % {"state": decision.state}
        )
    heads = list(trace.reviews.heads())
    if any(
        head.reviewer_id == by.pk and head.kind == Review.Kind.REVIEW and head.verdict != Verdict.WITHDRAWN
        for head in heads
    ) and _other_leads_can(trace, heads, by):
        raise Conflict(_("You reviewed this trace yourself; another lead of the project settles it."))
    own = next(
        (head for head in heads if head.reviewer_id == by.pk and head.kind == Review.Kind.ADJUDICATION), None
    )
    ruling = write(
        trace,
        said,
        by,
        key,
        Review.Origin.DESK,
        spec=trace.round.spec_version,
        slot=None,
        supersedes=own,
        kind=Review.Kind.ADJUDICATION,
    )
    rederive(trace)
    if Verdict.BAD_PROMPT in (said.verdict, own.verdict if own else None):
        rederive_siblings(trace)
    Event.objects.log(trace.round.project_id, "review.adjudicated", by, ruling, verdict=said.verdict)
    return ruling


def _other_leads_can(trace: Trace, heads: Sequence[Review], by: User) -> bool:
    reviewed = {head.reviewer_id for head in heads if head.kind == Review.Kind.REVIEW}
    leads = Member.objects.filter(
        project=trace.round.project_id, role=Role.LEAD, user__is_active=True
    ).exclude(user=by)
    return leads.exclude(user__in=reviewed).exists()

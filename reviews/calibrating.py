"""Gold: traces whose right decision is known, to see how readers judge and to train them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from reviews import permitting, saying
from reviews.errors import Conflict, Invalid
from reviews.models import Decision, Event, Gold, Review, Role, Round, StandIn, Trace, User, Verdict

QUALIFY_AFTER = 10
QUALIFY_SHARE = 0.8


@dataclass(frozen=True)
class Standing:
    """How far someone has come in a training round: right of judged, and of how many there are to judge."""

    right: int
    judged: int
    gold: int

    @property
    def wanted(self) -> int:
        return min(QUALIFY_AFTER, self.gold)

    @property
    def qualified(self) -> bool:
        return self.judged >= self.wanted and self.right >= QUALIFY_SHARE * self.judged


@transaction.atomic
def mark_gold(trace: Trace, verdict: str, clauses: tuple[str, ...], reason: str, *, by: User | None) -> Gold:
    """Say what the right decision of a trace is. Replaces what was said before. Raises Invalid, Conflict, NotAllowed."""
    permitting.require(by, trace.round.project_id, Role.LEAD, doing=_("Marking gold"))
    if verdict not in (Verdict.ACCEPT, Verdict.REJECT):
        raise Invalid("verdict", _("Gold is an accept or a reject; what is unsure cannot be gold."))
    if not reason.strip():
        raise Invalid("reason", _("Say why this is the right decision; readers in training see it."))
    saying.citations(saying.Said(verdict, clauses), saying.clauses_of(trace.round.spec_version), trace)
    if StandIn.objects.filter(trace=trace).exists():
        raise Conflict(_("This trace repeats another one exactly. Mark the one that is read in its place."))
    settled = Decision.objects.filter(
        trace=trace, state__in=[Decision.State.ACCEPTED, Decision.State.REJECTED]
    )
    if not trace.round.training and not settled.exists():
        raise Conflict(
            _(
                "Only a decided trace can be gold, because whoever meets it as gold does not read it for the "
                "round. Decide it first, or keep gold in a training round."
            )
        )
    return _write(trace, verdict, " ".join(clauses), reason, by)


@transaction.atomic
def retire_gold(trace: Trace, reason: str, *, by: User | None) -> Gold:
    """Give the trace out as gold no more; what was judged against it stays. Raises Conflict, NotAllowed."""
    permitting.require(by, trace.round.project_id, Role.LEAD, doing=_("Retiring gold"))
    if not Gold.objects.standing().filter(trace=trace).exists():
        raise Conflict(_("This trace is not gold, so there is nothing to retire."))
    return _write(trace, "", "", reason or "retired", by)


def _write(trace: Trace, verdict: str, clauses: str, reason: str, by: User | None) -> Gold:
    last = Gold.objects.filter(trace=trace, retired_by=None).first()
    gold = Gold.objects.create(
        trace=trace,
        verdict=verdict,
        clauses=clauses,
        reason=reason.replace("\0", ""),
        by=by,
        at=timezone.now(),
        retires=last,
    )
    kind = "gold.marked" if verdict else "gold.retired"
    Event.objects.log(trace.round.project_id, kind, by, trace, verdict=verdict, reason=gold.reason)
    return gold


def feedback(review: Review) -> Gold | None:
    """What the right decision was, for a verdict in a training round; None everywhere else."""
    if review.served != Review.Served.TRAINING:
        return None
    return Gold.objects.standing().filter(trace=review.trace_id).first()


def standing_in_training(reviewer: User, training: Round) -> Standing:
    """How far a reviewer has come in a training round, by the gold as it stands now."""
    gold = dict(Gold.objects.standing().filter(trace__round=training).values_list("trace", "verdict"))
    said = Review.objects.heads().filter(
        round=training, reviewer=reviewer, served=Review.Served.TRAINING, stage=Review.Stage.FINAL
    )
    judged = [
        (verdict, gold[trace])
        for trace, verdict in said.exclude(verdict=Verdict.WITHDRAWN).values_list("trace", "verdict")
        if trace in gold
    ]
    return Standing(sum(said == right for said, right in judged), len(judged), len(gold))

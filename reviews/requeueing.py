"""Putting traces first in the queue, or asking that they be read once more. There is no accepting in bulk."""

from __future__ import annotations

import time

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from reviews import deriving, permitting, prefiltering
from reviews.errors import Conflict, Invalid
from reviews.models import Assignment, Event, Requeue, Role, Round, User
from reviews.models.queue import FRONT_OF_THE_QUEUE
from reviews.models.traces import TraceQuerySet

AT_MOST = 1_000


class KeptByThePlan(Conflict):
    """What the plan keeps out of the queue stays out: read by hand, it would be selection that no figure sees."""

    code = "kept-by-the-plan"

    def __init__(self, kept_out: int, chosen: int) -> None:
        super().__init__(
            _(
                "%(kept_out)s of these %(chosen)s traces are kept out of the queue by the round's plan, its pre-filter "
                "or its random subset, and the plan is fixed. Choose only traces that are not dropped. Nothing was "
                "changed."
            )
            % {"kept_out": number_format(kept_out), "chosen": number_format(chosen)}
        )


@transaction.atomic
def requeue(round: Round, traces: TraceQuerySet, reason: str, *, once_more: bool, by: User | None) -> int:
    """Let traces be read next; with `once_more` by one reader more than so far. How many were put first.

    Those that stand in for nothing (exact repeats, withdrawn imports) are passed over. One that was decided is pending
    again until it was read once more. Raises Invalid, NotAllowed, and KeptByThePlan where the plan keeps one out.
    """
    permitting.require(by, round.project_id, Role.LEAD, doing=_("Putting traces first"))
    if not reason.strip():
        raise Invalid("reason", _("Say why these traces are to be read sooner; it goes into the log."))
    chosen = list(
        traces.filter(round=round, stand_in=None)
        .standing()
        .select_related("round", "batch__withdrawal")
        .defer("meta")
        .order_by("pk")[: AT_MOST + 1]
    )
    if len(chosen) > AT_MOST:
        raise Invalid(
            "traces",
            _("More than %(at_most)s traces fit; narrow the choice. Nothing was changed.")
            % {"at_most": number_format(AT_MOST)},
        )
    kept_out = prefiltering.left_out(round, chosen)
    if kept_out:
        raise KeptByThePlan(len(kept_out), len(chosen))
    now = timezone.now()
    Requeue.objects.bulk_create(
        Requeue(trace=trace, readings=int(once_more), reason=reason.replace("\0", ""), by=by, at=now)
        for trace in chosen
    )
    if once_more:
        for trace in chosen:
            deriving.rederive(trace)
    place = FRONT_OF_THE_QUEUE + int(time.time() * 1000)
    waiting = Assignment.objects.planned().open().filter(leased_by=None)
    moved = waiting.filter(trace__in=[trace.pk for trace in chosen])
    first = set(moved.values_list("trace", flat=True))
    moved.update(place=place)
    Round.objects.filter(pk=round.pk).update(epoch=F("epoch") + 1)
    Event.objects.log(
        round.project_id, "traces.requeued", by, round, traces=len(first), once_more=once_more, reason=reason
    )
    return len(first)

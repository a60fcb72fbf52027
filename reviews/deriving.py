"""Keeping decisions and slots in step with the reviews that they are derived from."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from reviews import deciding, drawing, prefiltering, slotting
from reviews.models import Decision, Review, RoundPrompt, StandIn, Trace, User, Verdict


def rederive(trace: Trace) -> None:
    """Derive a trace's decision and slots again from its reviews, in the caller's transaction."""
    derive(trace, list(trace.reviews.counting()), bool(bad_prompts({trace.round_prompt_id})))


def derive(trace: Trace, counting: Sequence[Review], prompt_is_bad: bool, slots: int | None = None) -> None:
    """Write what the counting heads of a trace come to. slots: how many it has, where that is known already.

    A stand-in mirrors the trace that is read in its place; nothing is derived for it.
    """
    if not counting and StandIn.objects.filter(trace=trace).exists():
        return
    round = trace.round
    planned = drawing.planned_readings(round, bytes(trace.digest)) + slotting.requeued(trace)
    outcome = deciding.of_reviews(round.rule, planned, counting)
    readings = sum(head.kind == Review.Kind.REVIEW for head in counting)
    if hasattr(trace.batch, "withdrawal"):
        outcome = deciding.Outcome(Decision.State.DROPPED, Decision.Why.BATCH_WITHDRAWN, 0)
    elif (kept_out := prefiltering.left_out(round, [trace]).get(trace.pk)) is not None:
        outcome = deciding.Outcome(Decision.State.DROPPED, kept_out, 0)
    elif prompt_is_bad and readings == len(counting):
        outcome = deciding.Outcome(Decision.State.DROPPED, Decision.Why.BAD_PROMPT, 0)
    decide(trace, outcome, readings)
    needed = max(outcome.needed, readings)
    if slots != needed:
        slotting.fit_slots(round, trace, needed)


def bad_prompts(round_prompt_ids: set[int]) -> set[int]:
    """Those of the prompts that a lead's standing ruling on any of their traces calls bad."""
    rulings = Review.objects.counting().filter(kind=Review.Kind.ADJUDICATION, verdict=Verdict.BAD_PROMPT)
    found = rulings.filter(trace__round_prompt__in=round_prompt_ids)
    return set(found.values_list("trace__round_prompt", flat=True))


def rederive_siblings(trace: Trace) -> None:
    for sibling in (
        RoundPrompt.objects.get(pk=trace.round_prompt_id)
        .traces.exclude(pk=trace.pk)
        .select_related("round", "batch__withdrawal")
    ):
        rederive(sibling)


def counting(heads: Sequence[Review]) -> list[Review]:
    """The same choice as Review.objects.counting(), on heads at hand."""
    return [
        head
        for head in heads
        if head.pass_number == 1
        and head.stage == Review.Stage.FINAL
        and head.served == Review.Served.NORMAL
        and head.reviewer_kind == User.Kind.HUMAN
        and head.verdict != Verdict.WITHDRAWN
    ]


def is_reading(head: Review) -> bool:
    """Whether a head is the one that a planned verdict of its reviewer supersedes."""
    return head.kind == Review.Kind.REVIEW and head.stage == Review.Stage.FINAL and head.pass_number == 1


def decide(trace: Trace, outcome: deciding.Outcome, readings: int, *, repeats: int | None = None) -> None:
    """Write a decision, also for the exact repeats that stand in. repeats: how many, where that is known."""
    values = {
        "state": outcome.state,
        "why": outcome.why,
        "readings": readings,
        "changed_at": timezone.now(),
    }
    Decision.objects.filter(trace=trace).update(**values)
    if repeats != 0:
        mirrors = StandIn.objects.filter(stands_for=trace).values("trace")
        Decision.objects.filter(trace__in=mirrors).update(**values)

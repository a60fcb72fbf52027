"""What the reviews of a trace come to: pure rules, and keeping decision and slots in step with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from reviews.models import Decision, Review, Round, Verdict

State, Why = Decision.State, Decision.Why


class Outcome(NamedTuple):
    """What a trace's reviews come to, and how many readings it needs for that."""

    state: str
    why: str
    needed: int


def outcome(rule: str, planned: int, verdicts: Sequence[str], adjudicated: str | None) -> Outcome:
    """The decision that a round's rule makes of the counting verdicts, in the order they were given.

    planned: how many readings the plan asks for. verdicts: accept, reject, unsure or bad-prompt, one a reviewer.
    adjudicated: the standing adjudication, which replaces whatever the rule says.
    """
    if adjudicated is not None:
        ruled = {
            Verdict.ACCEPT: State.ACCEPTED,
            Verdict.REJECT: State.REJECTED,
            Verdict.BAD_PROMPT: State.DROPPED,
        }
        why = Why.BAD_PROMPT if adjudicated == Verdict.BAD_PROMPT else Why.ADJUDICATED
        return Outcome(ruled[Verdict(adjudicated)], why, 0)
    unsure = sum(verdict == Verdict.UNSURE for verdict in verdicts)
    needed = planned + min(unsure, 1)  # the first unsure asks for one more reader, the second for the lead
    if Verdict.BAD_PROMPT in verdicts:
        return Outcome(State.DISPUTED, Why.BAD_PROMPT, planned)
    votes = [verdict for verdict in verdicts if verdict in (Verdict.ACCEPT, Verdict.REJECT)]
    if rule == Round.Rule.FIRST and votes:
        return Outcome(_decided(votes[0]), Why.NONE, needed)
    if unsure > 1:
        return Outcome(State.DISPUTED, Why.UNSURE, needed)
    if len(verdicts) < needed:
        return Outcome(State.PENDING, Why.NONE, needed)
    accepts = votes.count(Verdict.ACCEPT)
    rejects = len(votes) - accepts
    if rule == Round.Rule.MAJORITY and accepts != rejects:
        return Outcome(State.ACCEPTED if accepts > rejects else State.REJECTED, Why.NONE, needed)
    if accepts and rejects:
        return Outcome(State.DISPUTED, Why.SPLIT, needed)
    return Outcome(_decided(votes[0]), Why.NONE, needed)


def of_reviews(rule: str, planned: int, heads: Sequence[Review]) -> Outcome:
    """The same for the counting heads (Review.objects.counting()) of one trace."""
    ordered = sorted(heads, key=lambda review: (review.at, review.pk))
    verdicts = [review.verdict for review in ordered if review.kind == Review.Kind.REVIEW]
    rulings = [review.verdict for review in ordered if review.kind == Review.Kind.ADJUDICATION]
    return outcome(rule, planned, verdicts, rulings[-1] if rulings else None)


def _decided(verdict: str) -> str:
    return State.ACCEPTED if verdict == Verdict.ACCEPT else State.REJECTED

"""What a round's seed decides once for each trace and reader, so that neither a reload nor a rebuild draws anew."""

from __future__ import annotations

import hashlib
import hmac

from reviews.models import Round, Trace, User
from reviews.models.queue import BACK_OF_THE_QUEUE


def planned_readings(round: Round, trace_digest: bytes) -> int:
    """How many people the plan wants to read a trace: the overlap, or two for the share drawn by the round's seed."""
    drawn = draw(round.seed, "double", trace_digest) < round.double_share
    return max(round.overlap, 2 if drawn else 1)


def answer_first(round: Round, trace: Trace, reviewer: User) -> bool:
    """Whether this reader judges this trace by its answer alone first: drawn by the seed on the round's share."""
    if not trace.answer or not trace.answer.chars or not trace.reasoning.chars:
        return False
    return draw(round.seed, f"answer first {reviewer.pk}", bytes(trace.digest)) < round.answer_first_share


def every_clause(round: Round, trace: Trace, reviewer: User) -> bool:
    """Whether this reader judges each clause of this trace, holds or fails: drawn by the seed on the round's share."""
    return draw(round.seed, f"every clause {reviewer.pk}", bytes(trace.digest)) < round.full_clause_share


def place_of(round: Round, trace_digest: bytes, slot: int) -> int:
    """Where a planned slot stands in the queue: at random, before all that come back."""
    return int(draw(round.seed, f"place {slot}", bytes(trace_digest)) * BACK_OF_THE_QUEUE)


def draw(seed: str, what: str, digest: bytes) -> float:
    """A number from 0 to 1 that the round's seed fixes for each trace and purpose."""
    mark = hmac.new(seed.encode(), what.encode() + digest, hashlib.sha256).digest()
    return int.from_bytes(mark[:6]) / 2**48

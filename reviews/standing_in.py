"""Exact repeats of a sample: one is read, the others stand in for nothing but the count.

The first standing trace with the same prompt, sampler and texts is read; the later ones mirror its decision, so that
every share counts them by multiplicity. Nothing is removed: a repeat is exported like any other.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, Exists, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from reviews.models import Decision, ImportBatch, Review, Round, StandIn, Trace

Key = tuple[int, int, bytes]


def repeats(trace: str) -> Coalesce:
    """How many traces stand in for the one that `trace` refers to, as a column."""
    rows = StandIn.objects.filter(stands_for=OuterRef(trace)).order_by().values("stands_for")
    return Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)


def place(round: Round, new: Sequence[Trace]) -> list[Trace]:
    """Of new traces, those that are to be read; the others get their stand-in and the decision that they mirror."""
    first = _first_of(round, new)
    read, stand_ins = [], []
    for trace in new:
        stands_for = first.setdefault(_key(trace), trace.pk)
        if stands_for == trace.pk:
            read.append(trace)
        else:
            stand_ins.append(StandIn(trace=trace, stands_for_id=stands_for))
    StandIn.objects.bulk_create(stand_ins)
    decided = Decision.objects.in_bulk(
        {row.stands_for_id for row in stand_ins} - {trace.pk for trace in read}
    )
    Decision.objects.bulk_create(_mirrored(round, row, decided.get(row.stands_for_id)) for row in stand_ins)
    return read


def all_of(round: Round) -> dict[int, int]:
    """The stand-ins that the frozen tables alone call for: trace to the trace that is read in its place."""
    standing = Trace.objects.filter(round=round).standing().order_by()
    same = ("round_prompt", "sampler", "content_digest")
    again = standing.values(*same).annotate(n=Count("pk")).filter(n__gt=1)
    prompts = set(again.values_list("round_prompt", flat=True))
    judged = Exists(Review.objects.filter(trace=OuterRef("pk")))
    rows = standing.filter(round_prompt__in=prompts).annotate(judged=judged).order_by("pk")
    first: dict[Key, int] = {}
    found = {}
    for pk, prompt, sampler, content, has_reviews in rows.values_list("pk", *same, "judged").iterator():
        stands_for = first.setdefault((prompt, sampler, bytes(content)), pk)
        if stands_for != pk and not has_reviews:
            found[pk] = stands_for
    return found


def dissolve(traces: Sequence[int]) -> None:
    """These traces stand for themselves from now on: somebody judged them."""
    StandIn.objects.filter(trace__in=traces).delete()


def leave(batch: ImportBatch) -> list[Trace]:
    """Take a withdrawn batch's traces out of their groups. Returns those that are to be read in their place."""
    StandIn.objects.filter(trace__batch=batch).delete()
    orphans = StandIn.objects.filter(stands_for__batch=batch).select_related("trace").order_by("trace")
    promoted: dict[int, Trace] = {}
    for orphan in orphans:
        if orphan.stands_for_id in promoted:
            StandIn.objects.filter(pk=orphan.pk).update(stands_for=promoted[orphan.stands_for_id])
        else:
            promoted[orphan.stands_for_id] = orphan.trace
            orphan.delete()
    return list(promoted.values())


def _key(trace: Trace) -> Key:
    return trace.round_prompt_id, trace.sampler_id, bytes(trace.content_digest)


def _first_of(round: Round, new: Sequence[Trace]) -> dict[Key, int]:
    """The trace that is read of each group which the new ones may belong to."""
    contents = {bytes(trace.content_digest) for trace in new}
    before = (
        Trace.objects.filter(
            round_prompt__in={trace.round_prompt_id for trace in new}, content_digest__in=contents
        )
        .exclude(pk__in=[trace.pk for trace in new])
        .standing()
        .filter(stand_in=None)
        .order_by("pk")
    )
    found: dict[Key, int] = {}
    for pk, prompt, sampler, content in before.values_list("pk", "round_prompt", "sampler", "content_digest"):
        found.setdefault((prompt, sampler, bytes(content)), pk)
    return found


def _mirrored(round: Round, row: StandIn, of: Decision | None) -> Decision:
    if of is None:
        return Decision(trace_id=row.trace_id, round=round)
    return Decision(
        trace_id=row.trace_id,
        round=round,
        state=of.state,
        why=of.why,
        readings=of.readings,
        changed_at=of.changed_at,
    )

"""The queue: a slot for every reading that a trace waits for, and the leases on them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Self

from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q, Subquery

from reviews.models.frozen import Frozen
from reviews.models.projects import Role, User, projects_of
from reviews.models.rounds import Round
from reviews.models.traces import Trace

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

# Planned slots stand at random places below this; slots that come back stand behind all of them.
BACK_OF_THE_QUEUE = 2**40
FRONT_OF_THE_QUEUE = -(2**41)  # what a lead put first stands between here and 0
BESIDE_THE_PLAN = 1000


class Waiting(NamedTuple):
    """A slot that a reviewer holds (rank 0) or may take: one whose lease ran out (1), an open one (2)."""

    id: int
    trace_id: int
    prompt_id: int
    rank: int
    place: int


# Planned, not judged by this reviewer (a live verdict that was not withdrawn), not given back by them, and not waiting
# for the answer to a question of theirs.
_MAY_TAKE = """
  a.kind IN ('normal', 'extra')
  AND NOT EXISTS (SELECT 1 FROM reviews_review r WHERE r.trace_id = a.trace_id AND r.reviewer_id = %(reviewer)s
              AND r.verdict <> 'withdrawn' AND r.stage = 'final'
              AND NOT EXISTS (SELECT 1 FROM reviews_review s WHERE s.supersedes_id = r.id))
  AND NOT EXISTS (SELECT 1 FROM reviews_skip k WHERE k.trace_id = a.trace_id AND k.reviewer_id = %(reviewer)s)
  AND NOT EXISTS (SELECT 1 FROM reviews_question q WHERE q.trace_id = a.trace_id AND q.by_id = %(reviewer)s
              AND NOT EXISTS (SELECT 1 FROM reviews_question w WHERE w.answers_id = q.id))
"""
_WAITING = f"""
SELECT found.id, found.trace_id, t.round_prompt_id, found.grade, found.place FROM (
SELECT id, trace_id, 0 AS grade, place FROM (
  SELECT a.id, a.trace_id, ROW_NUMBER() OVER (ORDER BY a.leased_at, a.id) AS place FROM reviews_assignment a
  WHERE a.leased_by_id = %(reviewer)s AND a.round_id = %(round)s AND a.closed_by_id IS NULL
  ORDER BY a.leased_at, a.id LIMIT 2) held
UNION ALL
SELECT id, trace_id, 1 AS grade, place FROM (
  SELECT a.id, a.trace_id, a.place FROM reviews_assignment a
  WHERE a.closed_by_id IS NULL AND a.leased_by_id IS NOT NULL AND a.leased_by_id <> %(reviewer)s
    AND a.round_id = %(round)s AND a.leased_until <= %(now)s AND {_MAY_TAKE}
  ORDER BY a.leased_until, a.id LIMIT %(limit)s) expired
UNION ALL
SELECT id, trace_id, 2 AS grade, place FROM (
  SELECT a.id, a.trace_id, a.place FROM reviews_assignment a
  WHERE a.closed_by_id IS NULL AND a.leased_by_id IS NULL
    AND a.round_id = %(round)s AND a.place >= %(place)s AND {_MAY_TAKE}
  ORDER BY a.place, a.id LIMIT %(limit)s) open_ones
) found JOIN reviews_trace t ON t.id = found.trace_id
ORDER BY grade, place
"""  # noqa: S608  # put together from the constants above, never from what someone sent


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """A reviewer's own assignments and those whose lease they lost; in projects where they review."""
        return self.filter(round__project__in=projects_of(user, Role.REVIEWER))

    def open(self) -> Self:
        return self.filter(closed_by=None)

    def with_reading(self, reviewer: int, version: str) -> Self:
        """With all that the desk shows of a trace, in the same query. version: of the renderer.

        answered_alone: the verdict that this reader gave on the answer alone. asked: whether they asked the lead about it.
        rendered, rendered_split, rendered_answer, rendered_prompt: what the worker made of the texts, where it has.
        """
        from reviews.models.questions import Question
        from reviews.models.renderings import PromptRendering, Rendering
        from reviews.models.reviews import Review

        ready = Rendering.objects.filter(version=version).order_by("pk")
        of_reasoning = ready.filter(text=OuterRef("trace__reasoning"))
        of_answer = ready.filter(text=OuterRef("trace__answer"))
        of_prompt = PromptRendering.objects.filter(
            version=version, prompt=OuterRef("trace__round_prompt__prompt")
        )
        alone = Review.objects.heads().filter(
            trace=OuterRef("trace"), reviewer=reviewer, stage=Review.Stage.ANSWER_ONLY
        )
        asked = Question.objects.filter(trace=OuterRef("trace"), by=reviewer)
        return self.select_related(
            "trace__reasoning", "trace__answer", "trace__round_prompt__prompt", "trace__decision"
        ).annotate(
            answered_alone=Subquery(alone.values("verdict")[:1]),
            asked=Exists(asked),
            rendered=Subquery(of_reasoning.values("document")[:1]),
            rendered_split=Subquery(of_reasoning.values("split")[:1]),
            rendered_answer=Subquery(of_answer.values("document")[:1]),
            rendered_prompt=Subquery(of_prompt.values("documents")[:1]),
        )

    def planned(self) -> Self:
        """The slots of the plan, without gold and repeats."""
        return self.filter(kind__in=[Assignment.Kind.NORMAL, Assignment.Kind.EXTRA])

    def waiting_for(
        self, reviewer: User, round: Round, place: int, now: datetime, limit: int
    ) -> list[Waiting]:
        """What the reviewer holds and may take from `place` on, best first, in one query and in committed view.

        Rows that another transaction is just leasing still count as open here, so a reviewer's place never passes
        one that may yet come free.
        """
        with connection.cursor() as cursor:
            moment = connection.ops.adapt_datetimefield_value(now)
            cursor.execute(
                _WAITING,
                {"reviewer": reviewer.pk, "round": round.pk, "place": place, "limit": limit, "now": moment},
            )
            return [Waiting(*row) for row in cursor.fetchall()]


class Assignment(models.Model):
    """One slot of a trace: waiting, leased to someone, or closed by the review that filled it. Derived."""

    class Kind(models.TextChoices):
        NORMAL = "normal"
        EXTRA = "extra"
        # Given to one reader beside the plan; their slot numbers start at BESIDE_THE_PLAN.
        GOLD = "gold"
        REPEAT = "repeat"
        TRAINING = "training"

    round = models.ForeignKey(Round, models.CASCADE, related_name="assignments")
    trace = models.ForeignKey(Trace, models.CASCADE, related_name="assignments")
    slot = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.NORMAL)
    place = models.BigIntegerField()
    # No index of its own: PostgreSQL would walk every slot that was ever leased, instead of those leased now.
    leased_by = models.ForeignKey(User, models.CASCADE, null=True, related_name="+", db_index=False)
    leased_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    lease_key = models.UUIDField(null=True)
    # How far this reviewer had nothing to take when they leased it: from here their next search starts.
    searched_to = models.BigIntegerField(null=True)
    searched_epoch = models.PositiveIntegerField(null=True)
    closed_by = models.ForeignKey("reviews.Review", models.CASCADE, null=True, related_name="+")

    # Columns of the queries that read them, not of the table.
    answered_alone: str | None
    asked: bool
    rendered: bytes | None
    rendered_split: bytes | None
    rendered_answer: bytes | None
    rendered_prompt: bytes | None

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trace", "slot"], name="assignment_slot_once"),
            models.UniqueConstraint(
                fields=["trace", "leased_by"],
                condition=Q(closed_by=None),
                name="assignment_one_lease_a_reviewer",
            ),
            models.CheckConstraint(
                condition=Q(leased_by=None, leased_until=None)
                | Q(leased_by__isnull=False, leased_until__isnull=False),
                name="assignment_lease_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["round", "place", "id"],
                condition=Q(closed_by=None, leased_by=None),
                name="assignment_open",
            ),
            models.Index(
                fields=["round", "leased_until"],
                condition=Q(closed_by=None, leased_by__isnull=False),
                name="assignment_leased",
            ),
            models.Index(
                fields=["leased_by", "round", "leased_at", "id"],
                condition=Q(closed_by=None, leased_by__isnull=False),
                name="assignment_held",
            ),
            models.Index(
                F("leased_by"),
                F("round"),
                F("searched_epoch"),
                F("searched_to"),
                condition=Q(leased_by__isnull=False),
                name="assignment_searched",
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.slot} of {self.trace_id}"


class Skip(models.Model):
    """A trace given back unread or undecided, with a reason. It is not offered to that reviewer again."""

    frozen = Frozen()

    trace = models.ForeignKey(Trace, models.PROTECT, related_name="skips")
    slot = models.PositiveSmallIntegerField()
    reviewer = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["reviewer", "trace"], name="skip_by_reviewer")]

    def __str__(self) -> str:
        return f"skip of {self.trace_id} by {self.reviewer_id}"


class Requeue(models.Model):
    """A lead's wish for a trace: to be read sooner, and with `readings` by that many more."""

    frozen = Frozen()

    trace = models.ForeignKey(Trace, models.PROTECT, related_name="requeues")
    readings = models.PositiveSmallIntegerField(default=0)
    reason = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"requeue of {self.trace_id}"

"""Reviews and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from reviews.models.comparisons import Comparison
from reviews.models.fields import DigestField
from reviews.models.frozen import Frozen
from reviews.models.projects import Role, User, projects_of
from reviews.models.rounds import Round
from reviews.models.specs import Clause, SpecVersion
from reviews.models.traces import Trace

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


ENOUGH_SHOWN = 0.6
FASTEST_READING = 1000  # words a minute


class Verdict(models.TextChoices):
    ACCEPT = "accept"
    REJECT = "reject"
    UNSURE = "unsure"
    BAD_PROMPT = "bad-prompt"
    WITHDRAWN = "withdrawn"


class ReviewQuerySet(models.QuerySet["Review"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """All of a project's for leads and auditors; their own for reviewers."""
        return self.filter(
            Q(round__project__in=projects_of(user, Role.LEAD, Role.AUDITOR))
            | Q(round__project__in=projects_of(user, Role.REVIEWER), reviewer=user.pk)
        )

    def heads(self) -> Self:
        """The live ones: those that no later review supersedes."""
        return self.filter(superseded_by=None)

    def standing(self) -> Self:
        """The live verdicts of readers as the plan asked for them: whole ones, first pass, not taken back."""
        return (
            self.heads()
            .filter(
                kind=Review.Kind.REVIEW,
                stage=Review.Stage.FINAL,
                served=Review.Served.NORMAL,
                pass_number=1,
            )
            .exclude(verdict=Verdict.WITHDRAWN)
        )

    def counting(self) -> Self:
        """The heads that decide: whole verdicts of people on what the plan gave them, not taken back.

        Never gold, repeats, the answer alone, or a model's.
        """
        return (
            self.heads()
            .filter(
                pass_number=1,
                reviewer_kind=User.Kind.HUMAN,
                stage=Review.Stage.FINAL,
                served=Review.Served.NORMAL,
            )
            .exclude(verdict=Verdict.WITHDRAWN)
        )


class Review(models.Model):
    """One reviewer's decision on one trace. A change supersedes; an undo is the verdict `withdrawn`."""

    frozen = Frozen()

    class Kind(models.TextChoices):
        REVIEW = "review"
        ADJUDICATION = "adjudication"

    class Stage(models.TextChoices):
        FINAL = "final"
        ANSWER_ONLY = "answer-only"

    class Served(models.TextChoices):
        """Why the reviewer was given the trace. Only what the plan gave decides."""

        NORMAL = "normal"
        GOLD = "gold"
        REPEAT = "repeat"
        TRAINING = "training"

    class Origin(models.TextChoices):
        DESK = "desk"
        API = "api"
        IMPORTED = "imported"

    round = models.ForeignKey(Round, models.PROTECT, related_name="reviews")
    trace = models.ForeignKey(Trace, models.PROTECT, related_name="reviews")
    slot = models.PositiveSmallIntegerField(null=True)
    reviewer = models.ForeignKey(User, models.PROTECT, related_name="reviews")
    reviewer_kind = models.CharField(max_length=8, choices=User.Kind, default=User.Kind.HUMAN)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.REVIEW)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.DESK)
    stage = models.CharField(max_length=11, choices=Stage, default=Stage.FINAL)
    served = models.CharField(max_length=8, choices=Served, default=Served.NORMAL)
    pass_number = models.PositiveSmallIntegerField(default=1)
    verdict = models.CharField(max_length=10, choices=Verdict)
    spec_version = models.ForeignKey(SpecVersion, models.PROTECT, null=True, related_name="+")
    comment = models.TextField(blank=True)
    other = models.BooleanField(default=False)  # rejected for what no clause says; the comment says what
    # Made without knowing what others said. Only whoever brings verdicts in from elsewhere can say that it was not.
    blind = models.BooleanField(default=True, db_default=True)
    every_clause = models.BooleanField(default=False)  # each clause was judged, not only the first that fails
    comparison = models.ForeignKey(Comparison, models.PROTECT, null=True, related_name="reviews")
    seconds = models.FloatField(null=True)
    shown_share = models.FloatField(null=True)  # how much of the text was on screen, by characters, 0 to 1
    words_a_minute = models.FloatField(null=True)  # of what was on screen
    key = models.UUIDField()
    body_digest = DigestField()
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, related_name="superseded_by")
    at = models.DateTimeField()

    # Set by the verb that recorded it, not stored: what the trace's reviews came to with this one.
    came_to: str = ""

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reviewer", "key"], name="review_one_per_key"),
            models.UniqueConstraint(
                fields=["trace", "reviewer", "kind", "stage", "pass_number"],
                condition=Q(supersedes=None),
                name="review_one_chain",
            ),
        ]
        indexes = [
            models.Index(fields=["reviewer", "trace", "pass_number"], name="review_by_reviewer"),
            models.Index(fields=["round", "reviewer", "at"], name="review_of_round"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.reviewer_id} on {self.trace_id}"

    @property
    def hasty(self) -> bool:
        """An accept that was asked about: little of the text was on screen, or it went by too fast to be read."""
        return self.verdict == Verdict.ACCEPT and (
            (self.shown_share is not None and self.shown_share < ENOUGH_SHOWN)
            or (self.words_a_minute is not None and self.words_a_minute > FASTEST_READING)
        )


class Citation(models.Model):
    """A clause that a review cites, with the span that shows it where one was marked. Offsets are code points."""

    frozen = Frozen()

    class Held(models.TextChoices):
        FAILS = "fails"
        HOLDS = "holds"
        REMARK = "remark"

    class Part(models.TextChoices):
        PROMPT = "prompt"
        REASONING = "reasoning"
        ANSWER = "answer"

    review = models.ForeignKey(Review, models.PROTECT, related_name="citations")
    clause = models.ForeignKey(Clause, models.PROTECT, related_name="citations")
    held = models.CharField(max_length=6, choices=Held, default=Held.FAILS)
    part = models.CharField(max_length=9, choices=Part, blank=True)
    start = models.PositiveIntegerField(null=True)
    end = models.PositiveIntegerField(null=True)
    quote = models.BinaryField(null=True)

    def __str__(self) -> str:
        return f"{self.clause_id} {self.held}"


class StepLabel(models.Model):
    """What a reader says of one step of a chain. Offsets are code points of the reasoning."""

    frozen = Frozen()

    class Label(models.TextChoices):
        GOOD = "good"
        NEUTRAL = "neutral"
        BAD = "bad"

    review = models.ForeignKey(Review, models.PROTECT, related_name="step_labels")
    step = models.PositiveIntegerField()
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    label = models.CharField(max_length=7, choices=Label)

    class Meta:
        ordering = ["review", "step"]
        constraints = [models.UniqueConstraint(fields=["review", "step"], name="step_label_once")]

    def __str__(self) -> str:
        return f"step {self.step} {self.label}"


class DecisionQuerySet(models.QuerySet["Decision"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Not for reviewers: a decision tells what others said."""
        return self.filter(round__project__in=projects_of(user, Role.LEAD, Role.AUDITOR))


class Decision(models.Model):
    """What the reviews of a trace come to under its round's rule. Derived; `rebuild` makes it again."""

    class State(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        DISPUTED = "disputed"
        DROPPED = "dropped"

    class Why(models.TextChoices):
        NONE = ""
        SPLIT = "split"
        UNSURE = "unsure"
        BAD_PROMPT = "bad-prompt"
        BATCH_WITHDRAWN = "batch-withdrawn"
        ADJUDICATED = "adjudicated"
        FILTERED = "filtered"  # by the plan, before anyone read it: no checker calls the answer right
        OUTSIDE_SUBSET = "outside-subset"  # not drawn by the plan's seed: on neither side of any figure

    trace = models.OneToOneField(Trace, models.CASCADE, primary_key=True, related_name="decision")
    round = models.ForeignKey(Round, models.CASCADE, related_name="decisions")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    why = models.CharField(max_length=16, choices=Why, blank=True)
    readings = models.PositiveSmallIntegerField(default=0)
    changed_at = models.DateTimeField(null=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["round", "state", "why"], name="decision_by_state")]

    def __str__(self) -> str:
        return self.state

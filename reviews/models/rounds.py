"""Rounds: one pass of rejection sampling, with its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce

from reviews.models.policies import PolicyVersion
from reviews.models.projects import Member, Project, Role, User, acting, as_values, projects_of, who_acts
from reviews.models.remembered import Remembered
from reviews.models.specs import SpecVersion

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def _count(rows: models.QuerySet[Any]) -> Coalesce:
    """The number of rows of a correlated query, as a column."""
    counted = rows.order_by().values("round").annotate(n=models.Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=models.IntegerField()), 0)


class RoundQuerySet(models.QuerySet["Round"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Rounds of the user's projects; a trainer sees data sets only."""
        return self.filter(project__in=projects_of(user, Role.REVIEWER, Role.LEAD, Role.AUDITOR))

    def for_reader(self, user: User | AnonymousUser) -> Self:
        """With what the desk asks of a round, in the same query.

        reads_here: whether the user may judge in it. searched: how far their last search of the queue got, this epoch.
        last_prompt: the prompt of the trace that they judged last. served, held: how many verdicts of theirs stand in it
        and how many leases they hold, where gold or repeats are mixed in by that count.
        """
        from reviews.models.queue import Assignment
        from reviews.models.reviews import Review

        mine = Assignment.objects.filter(
            leased_by=user.pk,
            round=OuterRef("pk"),
            searched_epoch=OuterRef("epoch"),
            searched_to__isnull=False,
        )
        reviewer = Member.objects.filter(acting(user, Role.REVIEWER), project=OuterRef("project"))
        judged = Review.objects.filter(round=OuterRef("pk"), reviewer=user.pk).order_by("-at")
        counted = Review.objects.heads().filter(
            round=OuterRef("pk"), reviewer=user.pk, kind="review", stage="final"
        )
        counted = counted.exclude(verdict="withdrawn")
        open_ones = Assignment.objects.open().filter(round=OuterRef("pk"), leased_by=user.pk)
        mixes = Q(gold_rate__gt=0) | Q(repeat_rate__gt=0) | Q(training=True)
        return self.select_related("spec_version", "project").annotate(
            reads_here=Exists(reviewer),
            searched=Subquery(mine.order_by("-searched_to").values("searched_to")[:1]),
            last_prompt=Subquery(judged.values("trace__round_prompt")[:1]),
            served=Case(When(mixes, then=_count(counted)), default=0, output_field=models.IntegerField()),
            held=Case(When(mixes, then=_count(open_ones)), default=0, output_field=models.IntegerField()),
        )

    def to_judge(self, user: User | AnonymousUser, pk: int) -> Round:
        """The round with `for_reader`, from a remembered query. Raises DoesNotExist where the user may not see it."""
        values = as_values(user)
        found = [] if values is None else _TO_JUDGE.rows(round=pk, **values)
        if not found:
            raise Round.DoesNotExist
        return found[0]


def _to_judge(*, round: int, **values: Any) -> models.QuerySet[Round]:
    user = who_acts(**values)
    return Round.objects.visible_to(user).for_reader(user).filter(pk=round)


_TO_JUDGE: Remembered[Round] = Remembered(_to_judge)


class Round(models.Model):
    """Prompts, K samples each, a spec version, and who reads what how often."""

    class State(models.TextChoices):
        OPEN = "open"
        PAUSED = "paused"
        CLOSED = "closed"

    class Rule(models.TextChoices):
        AGREE = "agree"
        MAJORITY = "majority"
        FIRST = "first"

    class Mode(models.TextChoices):
        """How a reader judges: each trace by itself, its steps too, or the samples of one prompt beside each other."""

        ABSOLUTE = "absolute"
        STEPS = "steps"
        FIRST_WRONG = "first-wrong"
        SIDE_BY_SIDE = "side-by-side"
        PICK_BEST = "pick-best"

    class Prefilter(models.TextChoices):
        NONE = ""
        CORRECT = "correct"  # only traces whose answer a checker calls right are queued

    project = models.ForeignKey(Project, models.PROTECT, related_name="rounds")
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    spec_version = models.ForeignKey(SpecVersion, models.PROTECT, null=True, related_name="rounds")
    # None: the project's newest.
    policy_version = models.ForeignKey(PolicyVersion, models.PROTECT, null=True, related_name="rounds")
    overlap = models.PositiveSmallIntegerField(default=1)
    double_share = models.FloatField(default=0.2)
    rule = models.CharField(max_length=8, choices=Rule, default=Rule.AGREE)
    k = models.PositiveIntegerField(null=True)
    mode = models.CharField(max_length=12, choices=Mode, default=Mode.ABSOLUTE)
    # Shares of readings, drawn by the seed: judged by the answer alone first; every clause judged one by one.
    answer_first_share = models.FloatField(default=0)
    full_clause_share = models.FloatField(default=0)
    # Shares of what a reader is given beside the plan: traces whose decision is known, and their own once more.
    gold_rate = models.FloatField(default=0)
    repeat_rate = models.FloatField(default=0)
    repeat_after_days = models.PositiveSmallIntegerField(default=7)
    training = models.BooleanField(default=False)  # all of it gold, with feedback
    qualify_in = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    shows_reference = models.BooleanField(default=False)
    shows_outcome = models.BooleanField(default=False)
    shows_own_figures = models.BooleanField(default=True)
    seed = models.CharField(max_length=64)
    # What was done to the traces before they were queued: a filter that selects is priced as pressure on the outcome.
    prefilter = models.CharField(max_length=12, choices=Prefilter, blank=True)
    subset_share = models.FloatField(default=1)  # of what was sampled, drawn at random: not priced
    lease_minutes = models.PositiveSmallIntegerField(default=20)
    # Raised whenever slots may have appeared before a place that a reviewer has already passed.
    epoch = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    reads_here: bool  # set by for_reader
    searched: int | None
    last_prompt: int | None
    served: int
    held: int

    objects = RoundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="round_name_once"),
            models.CheckConstraint(
                condition=Q(overlap__gte=1, overlap__lte=20), name="round_overlap_1_to_20"
            ),
            models.CheckConstraint(
                condition=Q(double_share__gte=0, double_share__lte=1), name="round_share_0_to_1"
            ),
            models.CheckConstraint(
                condition=Q(answer_first_share__gte=0, answer_first_share__lte=1)
                & Q(full_clause_share__gte=0, full_clause_share__lte=1)
                & Q(gold_rate__gte=0, repeat_rate__gte=0)
                & Q(gold_rate__lte=0.5, repeat_rate__lte=0.5),
                name="round_rates_in_bounds",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def beside(self) -> bool:
        """Whether samples of one prompt are shown side by side."""
        return self.mode in (self.Mode.SIDE_BY_SIDE, self.Mode.PICK_BEST)

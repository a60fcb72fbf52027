"""Shapes in and out. Rules are the verbs'."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from reviews.models import Assignment, Dataset, Decision, Job, Project, Review, Round, Target, Verdict


class ProjectSerializer(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ["slug", "name"]


class RoundSerializer(serializers.ModelSerializer[Round]):
    project = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    spec_version = serializers.IntegerField(source="spec_version.number", default=None, allow_null=True)

    class Meta:
        model = Round
        fields = [
            "id",
            "project",
            "name",
            "state",
            "spec_version",
            "overlap",
            "double_share",
            "rule",
            "k",
            "prefilter",
            "subset_share",
        ]


class MemberSerializer(serializers.Serializer[Any]):
    project = serializers.CharField()
    role = serializers.CharField()


class MeSerializer(serializers.Serializer[Any]):
    user = serializers.CharField()
    roles = MemberSerializer(many=True)


class MessageSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    content = serializers.CharField()


class TraceSerializer(serializers.Serializer[Any]):
    digest = serializers.CharField()
    prompt = MessageSerializer(many=True)
    reasoning = serializers.CharField()
    answer = serializers.CharField(allow_null=True)


class ClauseSerializer(serializers.Serializer[Any]):
    """A clause as a reviewer sees it: without purpose and relation."""

    key = serializers.CharField()
    title = serializers.CharField()


class LeasedSerializer(serializers.Serializer[Any]):
    assignment = serializers.IntegerField()
    expires_at = serializers.DateTimeField()
    trace = TraceSerializer()
    clauses = ClauseSerializer(many=True)


class SpanSerializer(serializers.Serializer[Any]):
    clause = serializers.CharField(max_length=20)
    part = serializers.ChoiceField(["reasoning", "answer"])
    start = serializers.IntegerField(min_value=0)
    end = serializers.IntegerField(min_value=1)
    quote = serializers.CharField(trim_whitespace=False)


class StepMarkSerializer(serializers.Serializer[Any]):
    """What is said of one step of the reasoning; offsets count code points."""

    step = serializers.IntegerField(min_value=1)
    start = serializers.IntegerField(min_value=0)
    end = serializers.IntegerField(min_value=1)
    label = serializers.ChoiceField(["good", "neutral", "bad"])  # type: ignore[assignment]


class SaidSerializer(serializers.Serializer[Any]):
    """One decision."""

    verdict = serializers.ChoiceField([value for value in Verdict.values if value != Verdict.WITHDRAWN])
    clauses = serializers.ListField(child=serializers.CharField(max_length=20), default=list, max_length=100)
    remarks = serializers.ListField(child=serializers.CharField(max_length=20), default=list, max_length=100)
    spans = SpanSerializer(many=True, default=list)
    comment = serializers.CharField(allow_blank=True, default="", max_length=20_000, trim_whitespace=False)
    seconds = serializers.FloatField(min_value=0, max_value=1e7, allow_null=True, default=None)
    holds = serializers.ListField(
        child=serializers.CharField(max_length=20),
        default=list,
        max_length=100,
        help_text="the clauses that hold, where each was judged",
    )
    other = serializers.BooleanField(default=False, help_text="rejected for a reason that the comment says")
    steps = StepMarkSerializer(many=True, default=list)


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(allow_blank=True, default="", max_length=2000)


class ReviewSerializer(serializers.ModelSerializer[Review]):
    trace = serializers.SerializerMethodField()
    reviewer = serializers.CharField(source="reviewer.username")
    clauses = serializers.SerializerMethodField()

    class Meta:
        model = Review
        fields = [
            "id",
            "trace",
            "reviewer",
            "reviewer_kind",
            "kind",
            "verdict",
            "clauses",
            "comment",
            "seconds",
            "at",
        ]

    def get_trace(self, review: Review) -> str:
        return review.trace.digest_hex

    def get_clauses(self, review: Review) -> list[str]:
        return sorted(
            {citation.clause.key for citation in review.citations.all() if citation.held == "fails"}
        )


class RecordedSerializer(serializers.Serializer[Any]):
    review = serializers.IntegerField()
    decision = serializers.CharField(help_text="what the reviews of the trace come to now")


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    trace = serializers.SerializerMethodField()

    class Meta:
        model = Decision
        fields = ["trace", "state", "why", "readings"]

    def get_trace(self, decision: Decision) -> str:
        return decision.trace.digest_hex


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
    assignment = serializers.IntegerField(source="pk")
    expires_at = serializers.DateTimeField(source="leased_until")

    class Meta:
        model = Assignment
        fields = ["assignment", "expires_at"]


class JobSerializer(serializers.ModelSerializer[Job]):
    rate = serializers.FloatField(allow_null=True, help_text="units a second")
    seconds_left = serializers.FloatField(allow_null=True)

    class Meta:
        model = Job
        fields = ["id", "kind", "state", "done", "total", "unit", "rate", "seconds_left", "error"]


class LinesSerializer(serializers.Serializer[Any]):
    """The four written lines of a draft."""

    matters = serializers.CharField(default="", allow_blank=True)
    not_outcomes = serializers.CharField(default="", allow_blank=True)
    expected = serializers.CharField(default="", allow_blank=True)
    stop_when = serializers.CharField(default="", allow_blank=True)


class DraftSerializer(serializers.Serializer[Any]):
    round = serializers.PrimaryKeyRelatedField(queryset=Round.objects.none())
    format = serializers.CharField(default="sft", max_length=200)
    arm = serializers.ChoiceField(Dataset.Arm.choices, default=Dataset.Arm.SELECTED)
    options = serializers.DictField(default=dict, help_text="prompts, domains_out, cap, mix")
    overrides = serializers.DictField(
        child=serializers.CharField(), default=dict, help_text="a written reason for each gate"
    )
    lines = LinesSerializer(default=dict)
    target = serializers.PrimaryKeyRelatedField(queryset=Target.objects.none(), default=None, allow_null=True)
    max_length = serializers.IntegerField(default=None, allow_null=True, min_value=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if request := self.context.get("request"):
            self.fields["round"].queryset = Round.objects.visible_to(request.user)
            self.fields["target"].queryset = Target.objects.visible_to(request.user)


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    job = serializers.SerializerMethodField()
    digest = serializers.SerializerMethodField()
    files = serializers.SerializerMethodField()
    formats = serializers.SerializerMethodField()

    class Meta:
        model = Dataset
        fields = ["id", "name", "state", "arm", "formats", "rows", "digest", "verdict", "files", "job"]

    def get_job(self, dataset: Dataset) -> dict[str, Any] | None:
        job = Job.objects.filter(kind=Job.Kind.BUILD_DATASET, subject=dataset.pk).order_by("-pk").first()
        return JobSerializer(job).data if job else None

    def get_digest(self, dataset: Dataset) -> str | None:
        return bytes(dataset.digest).hex() if dataset.digest else None

    def get_formats(self, dataset: Dataset) -> list[str]:
        return dataset.formats.split(",")

    def get_files(self, dataset: Dataset) -> list[str]:
        return dataset.files

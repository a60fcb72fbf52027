"""What a trainer reports back: checkpoints, what became of a data set, results of probes."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from reviews import permitting
from reviews.api import ndjson
from reviews.api.idempotency import claim, idempotent, key_of
from reviews.api.views import EITHER, KEY, caller
from reviews.errors import Invalid
from reviews.lineages import booking, probing, registering
from reviews.models import Checkpoint, Dataset, ProbeResult, Project, Role, UseReport


class OwnProjectField(serializers.SlugRelatedField):
    """A project by its slug, of those that the caller may see."""

    def get_queryset(self) -> Any:
        request = self.context.get("request")
        return Project.objects.visible_to(request.user) if request else Project.objects.none()


class OwnDatasetField(serializers.PrimaryKeyRelatedField):
    """A data set by its number, of those that the caller may see."""

    def get_queryset(self) -> Any:
        request = self.context.get("request")
        return Dataset.objects.visible_to(request.user) if request else Dataset.objects.none()


class CheckpointSerializer(serializers.ModelSerializer[Checkpoint]):
    project = OwnProjectField(slug_field="slug", queryset=Project.objects.none())
    name = serializers.CharField(max_length=200)
    parent = serializers.CharField(  # type: ignore[assignment]
        max_length=200,
        allow_null=True,
        default=None,
        source="parent.name",
        help_text="the name of the checkpoint that it was trained from; without one its history is unknown",
    )
    weights_digest = serializers.CharField(
        max_length=150, allow_blank=True, default="", help_text="of its weights: who it is, in any project"
    )

    class Meta:
        model = Checkpoint
        fields = [
            "id",
            "project",
            "name",
            "parent",
            "stage",
            "fraction",
            "weights_digest",
            "rl_steps",
            "arm",
            "note",
        ]
        validators: list[Any] = []  # the same name again is the verb's question


class UseReportSerializer(serializers.ModelSerializer[UseReport]):
    dataset = OwnDatasetField(queryset=Dataset.objects.none())
    checkpoint = serializers.CharField(
        max_length=200,
        allow_null=True,
        default=None,
        source="checkpoint.name",
        help_text="the child that came of it",
    )

    class Meta:
        model = UseReport
        fields = [
            "id",
            "dataset",
            "used",
            "checkpoint",
            "epochs",
            "tokens",
            "learning_rate",
            "stage_samples",
            "note",
        ]


class CheckpointViewSet(viewsets.GenericViewSet[Checkpoint]):
    serializer_class = CheckpointSerializer
    queryset = Checkpoint.objects.none()

    @extend_schema(responses={201: CheckpointSerializer, 200: CheckpointSerializer}, parameters=[KEY])
    @idempotent
    def create(self, request: Request) -> Response:
        """Register a checkpoint: 201 where it is new, 200 where the very same is registered already."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        project, parent = said.pop("project"), said.pop("parent", {}).get("name")
        made, new = registering.register(
            project,
            said.pop("name"),
            by=caller(request),
            parent=registering.named(project, parent, "parent") if parent else None,
            **said,
        )
        return Response(self.get_serializer(made).data, status=201 if new else 200)


class UseReportViewSet(viewsets.GenericViewSet[UseReport]):
    serializer_class = UseReportSerializer
    queryset = UseReport.objects.none()

    @extend_schema(responses={201: UseReportSerializer}, parameters=[KEY])
    @idempotent
    def create(self, request: Request) -> Response:
        """Report what was done with a data set: which child came of it, or that it was not used."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        dataset, child = said.pop("dataset"), said.pop("checkpoint", {}).get("name")
        made = booking.report_use(
            dataset,
            by=caller(request),
            checkpoint=registering.named(dataset.project, child) if child else None,
            **said,
        )
        return Response(self.get_serializer(made).data, status=201)


class ProbeResultViewSet(viewsets.GenericViewSet[ProbeResult]):
    queryset = ProbeResult.objects.none()
    parser_classes = [ndjson.LinesParser]
    renderer_classes = EITHER

    @extend_schema(
        request={"application/x-ndjson": OpenApiTypes.BINARY},
        responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY},
        parameters=[KEY, OpenApiParameter("project", str, required=True, description="the project's slug")],
    )
    def create(self, request: Request) -> HttpResponse:
        """Bring results of probes in as NDJSON. The answer has a line for each line: `new`, `known` or `refused`."""
        projects = Project.objects.visible_to(caller(request))
        project = get_object_or_404(projects, slug=request.query_params.get("project", ""))
        permitting.require(
            caller(request), project.pk, Role.LEAD, Role.TRAINER, doing="Recording probe results"
        )
        upload = request.data
        if not isinstance(upload, ndjson.Upload):
            raise Invalid("body", "Send the results as NDJSON, one object a line; the body was empty.")
        key = key_of(request)
        if key is not None:
            mine = claim(caller(request), key, request.get_full_path(), upload.sha256)
            if isinstance(mine, Response):
                return mine
        landed: list[probing.Landed] = []
        try:
            with upload.path.open("rb") as file:
                probing.record(project, probing.parsed(file), by=caller(request), answer=landed.append)
        except Exception:
            if key is not None:
                mine.delete()
            raise
        finally:
            upload.path.unlink(missing_ok=True)
        rows = [
            {
                name: getattr(row, name)
                for name in ("line", "state", "field", "reason")
                if getattr(row, name) != ""
            }
            for row in landed
        ]
        if key is not None:
            mine.status, mine.answer = 200, json.dumps(rows).encode()
            mine.save(update_fields=["status", "answer"])
        return ndjson.answer(iter(rows))

"""The API: the second face of the verbs. A serializer checks the shape, the verb the rule."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from reviews import (
    assigning,
    drafting,
    governing,
    importing,
    jobs,
    landing,
    permitting,
    reviewing,
    saying,
    serving,
    tasks,
)
from reviews.api import filters, ndjson, serializers
from reviews.api.idempotency import claim, idempotent, key_of, key_required
from reviews.audit import kept
from reviews.checking import drafts
from reviews.checking import report as gates
from reviews.errors import Invalid
from reviews.formats import spec_markdown
from reviews.models import Assignment, Dataset, Decision, Job, Member, Project, Review, Role, Round, User
from reviews.models.projects import acting

EITHER = [JSONRenderer, ndjson.LinesRenderer]
KEY = OpenApiParameter(
    "Idempotency-Key", OpenApiTypes.UUID, OpenApiParameter.HEADER, description="A new one for each write."
)
KEY_REQUIRED = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.UUID,
    OpenApiParameter.HEADER,
    required=True,
    description="A new one for each decision.",
)


def caller(request: Request) -> User:
    return cast(User, request.user)


class MeView(APIView):
    @extend_schema(responses=serializers.MeSerializer)
    def get(self, request: Request) -> Response:
        """Who you are here, and your roles."""
        mine = (
            Member.objects.filter(acting(caller(request)))
            .select_related("project")
            .order_by("project__slug", "role")
        )
        roles = [{"project": member.project.slug, "role": member.role} for member in mine]
        return Response({"user": caller(request).username, "roles": roles})


class ProjectViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Project]):
    serializer_class = serializers.ProjectSerializer
    lookup_field = "slug"
    queryset = Project.objects.none()

    def get_queryset(self) -> Any:
        return Project.objects.visible_to(self.request.user)

    @extend_schema(responses=serializers.RoundSerializer(many=True))
    @action(detail=True)
    def rounds(self, request: Request, slug: str) -> Response:
        """The rounds of a project."""
        rounds = Round.objects.visible_to(caller(request)).filter(project=self.get_object())
        page = self.paginate_queryset(rounds.select_related("project", "spec_version"))
        return self.get_paginated_response(serializers.RoundSerializer(page, many=True).data)


class RoundViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Round]):
    serializer_class = serializers.RoundSerializer
    queryset = Round.objects.none()

    def get_queryset(self) -> Any:
        return Round.objects.visible_to(self.request.user).select_related("project", "spec_version")

    @extend_schema(
        request=None,
        responses={200: serializers.LeasedSerializer, 204: None},
        parameters=[
            OpenApiParameter("ahead", bool, description="also lease the one after, and give that one")
        ],
    )
    @action(detail=True, methods=["post"])
    def next(self, request: Request, pk: str) -> Response:
        """Lease the next trace for you; with `ahead=1` the second one, to prefetch."""
        try:
            round = Round.objects.to_judge(caller(request), int(pk))
        except (Round.DoesNotExist, ValueError):
            raise Http404 from None
        ahead = request.query_params.get("ahead") in ("1", "true")
        found = serving.next_for(caller(request), round, ahead=ahead)
        if ahead and len(found.assignments) < 2:
            found = assigning.Leased([], found.empty or "nothing more after the one that you hold")
        if not found.assignments:
            return Response(status=204, headers={"Winnow-Empty": found.empty})
        assignment = found.assignments[-1]
        trace = assignment.trace
        spec = spec_markdown.parse(round.spec_version.text)
        return Response(
            {
                "assignment": assignment.pk,
                "expires_at": assignment.leased_until,
                "trace": {
                    "digest": trace.digest_hex,
                    "prompt": trace.round_prompt.prompt.as_messages,
                    "reasoning": trace.reasoning.as_text,
                    "answer": trace.answer.as_text if trace.answer else None,
                },
                "clauses": [{"key": clause.key, "title": clause.title} for clause in spec.clauses],
            }
        )

    @extend_schema(
        request={"application/x-ndjson": OpenApiTypes.BINARY},
        responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY},
        parameters=[KEY],
    )
    @action(detail=True, methods=["post"], parser_classes=[ndjson.LinesParser], renderer_classes=EITHER)
    def traces(self, request: Request, pk: str) -> HttpResponse:
        """Bring traces in as NDJSON. The answer has a line for each line: `new`, `known` or `refused` and why."""
        round = self.get_object()
        permitting.require(caller(request), round.project_id, Role.LEAD, doing="Importing traces")
        upload = request.data
        if not isinstance(upload, ndjson.Upload):
            raise Invalid("body", "Send the traces as NDJSON, one object a line; the body was empty.")
        key = key_of(request)
        if key is not None:
            mine = claim(caller(request), key, request.path, upload.sha256)
            if isinstance(mine, Response):
                return mine
        landed: list[landing.Landed] = []
        try:
            batch = importing.begin(
                round, upload.path, by=caller(request), name=f"api-{upload.sha256.hex()[:12]}.jsonl"
            )
            importing.run(batch, answer=landed.append)
        except Exception:
            if key is not None:
                mine.delete()
            raise
        finally:
            upload.path.unlink(missing_ok=True)
        rows = [
            {
                name: value
                for name in ("line", "state", "digest", "field", "reason", "warning")
                if (value := getattr(row, name)) != ""
            }
            for row in landed
        ]
        if key is not None:
            mine.status, mine.answer = 200, json.dumps(rows).encode()
            mine.save(update_fields=["status", "answer"])
        return ndjson.answer(iter(rows))

    @extend_schema(
        responses=serializers.DecisionSerializer(many=True), parameters=filters.DECISION_PARAMETERS
    )
    @action(detail=True, renderer_classes=EITHER)
    def decisions(self, request: Request, pk: str) -> Any:
        """What the reviews of each trace come to. As NDJSON where `Accept: application/x-ndjson` asks for it."""
        round = self.readable(request)
        rows = filters.decisions(
            Decision.objects.visible_to(caller(request)).filter(round=round), request.query_params
        )
        return self.listed(request, rows.select_related("trace"), serializers.DecisionSerializer)

    @extend_schema(responses=serializers.ReviewSerializer(many=True), parameters=filters.REVIEW_PARAMETERS)
    @action(detail=True, renderer_classes=EITHER)
    def reviews(self, request: Request, pk: str) -> Any:
        """The reviews of a round, superseded ones too. As NDJSON where `Accept: application/x-ndjson` asks for it."""
        round = self.readable(request)
        rows = filters.reviews(
            Review.objects.visible_to(caller(request)).filter(round=round), request.query_params
        )
        rows = rows.select_related("trace", "reviewer").prefetch_related("citations__clause")
        return self.listed(request, rows, serializers.ReviewSerializer)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def agreement(self, request: Request, pk: str) -> Response:
        """The numbers of the audit, as its pages and the `agreement` command give them."""
        return Response(kept.coefficients(self.readable(request)))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def policy(self, request: Request, pk: str) -> Response:
        """Every gate for what `export_dataset` would write now. Whoever reads the figures has looked: it counts once."""
        round = self.readable(request)
        version = governing.in_force(round)
        found = gates.of(round, by=caller(request))
        policy = {"name": version.name, "version": version.number, "digest": bytes(version.digest).hex()}
        return Response({**found.document, "policy": policy})

    def readable(self, request: Request) -> Round:
        round: Round = self.get_object()
        permitting.require(
            caller(request), round.project_id, Role.LEAD, Role.AUDITOR, doing="Reading what others decided"
        )
        return round

    def listed(self, request: Request, rows: Any, serializer: Any) -> Any:
        if isinstance(request.accepted_renderer, ndjson.LinesRenderer):
            return ndjson.answer(serializer(row).data for row in rows.order_by("pk").iterator(chunk_size=500))
        return self.get_paginated_response(serializer(self.paginate_queryset(rows), many=True).data)


class AssignmentViewSet(viewsets.GenericViewSet[Assignment]):
    serializer_class = serializers.SaidSerializer
    queryset = Assignment.objects.none()

    def get_queryset(self) -> Any:
        return Assignment.objects.visible_to(self.request.user).select_related("round", "trace")

    @extend_schema(responses={201: serializers.RecordedSerializer}, parameters=[KEY_REQUIRED])
    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str) -> Response:
        """Record your decision on the trace that you hold. The lease ends with it."""
        body = serializers.SaidSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key = key_required(request)
        done = reviewing.record(
            whole_number(pk), said(body.validated_data), by=caller(request), key=key, origin=Review.Origin.API
        )
        return Response({"review": done.pk, "decision": done.came_to}, status=201)

    @extend_schema(request=serializers.ReasonSerializer, responses={204: None}, parameters=[KEY])
    @action(detail=True, methods=["post"])
    @idempotent
    def skip(self, request: Request, pk: str) -> Response:
        """Give the trace back with a reason."""
        body = serializers.ReasonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        assigning.skip(self.get_object(), body.validated_data["reason"], by=caller(request))
        return Response(status=204)

    @extend_schema(request=None, responses=serializers.AssignmentSerializer)
    @action(detail=True, methods=["post"])
    def renew(self, request: Request, pk: str) -> Response:
        """Hold a long read: the lease runs its full time again."""
        return Response(
            serializers.AssignmentSerializer(assigning.renew(self.get_object(), by=caller(request))).data
        )


class ReviewViewSet(viewsets.GenericViewSet[Review]):
    serializer_class = serializers.ReviewSerializer
    queryset = Review.objects.none()

    def get_queryset(self) -> Any:
        return Review.objects.visible_to(self.request.user)

    @extend_schema(request=None, responses=serializers.RecordedSerializer, parameters=[KEY])
    @action(detail=True, methods=["post"])
    @idempotent
    def withdraw(self, request: Request, pk: str) -> Response:
        """Undo your verdict; the trace comes back to you."""
        undone = reviewing.withdraw(self.get_object(), by=caller(request))
        return Response({"review": undone.pk, "decision": undone.came_to})


class DatasetViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Dataset]):
    serializer_class = serializers.DatasetSerializer
    queryset = Dataset.objects.none()

    def get_queryset(self) -> Any:
        return Dataset.objects.visible_to(self.request.user).select_related("project")

    @extend_schema(
        request=serializers.DraftSerializer, responses={202: serializers.DatasetSerializer}, parameters=[KEY]
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Draft a data set of what a round accepted and start the job that writes it."""
        body = serializers.DraftSerializer(data=request.data, context={"request": request})
        body.is_valid(raise_exception=True)
        said = body.validated_data
        dataset = drafting.draft(
            said["round"],
            said["format"],
            by=caller(request),
            configuration=drafts.read({**said["options"], "arm": said["arm"]}),
            lines=drafting.Lines(**said["lines"]),
            target=said["target"],
            max_length=said["max_length"],
        )
        drafting.override(dataset, said["overrides"], by=caller(request))
        job = jobs.start(
            Job.Kind.BUILD_DATASET, dataset.project_id, dataset.pk, by=caller(request), unit="rows"
        )
        tasks.ring(job)
        return Response(self.get_serializer(dataset).data, status=202)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, url_path="files/(?P<name>.+)")
    def files(self, request: Request, pk: str, name: str) -> Any:
        """One file of a finished data set; `Range` is honoured."""
        dataset = self.get_object()
        if name not in dataset.files:
            raise Http404
        return ranged(request, Path(dataset.folder) / name)


class JobViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Job]):
    serializer_class = serializers.JobSerializer
    queryset = Job.objects.none()

    def get_queryset(self) -> Any:
        return Job.objects.visible_to(self.request.user)

    @extend_schema(request=None, responses=serializers.JobSerializer, parameters=[KEY])
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: str) -> Response:
        """Ask a job to stop after its present piece."""
        return Response(self.get_serializer(jobs.cancel(self.get_object(), by=caller(request))).data)


def whole_number(text: str) -> int:
    """An id from a path; what cannot be one is not there. Raises Http404."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Http404
    return int(text)


def said(data: dict[str, Any]) -> saying.Said:
    """The verb's words for a validated body."""
    spans = tuple(saying.Span(**span) for span in data.pop("spans"))
    steps = tuple(saying.StepMark(**mark) for mark in data.pop("steps"))
    lists = {name: tuple(data[name]) for name in ("clauses", "remarks", "holds")}
    return saying.Said(**{**data, **lists}, spans=spans, steps=steps)


def ranged(request: Request, path: Path) -> HttpResponse | StreamingHttpResponse | FileResponse:
    """A file, or the one range of it that the request asks for."""
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except OSError:
        raise Http404 from None
    asked = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", request.headers.get("Range", ""))
    if asked is None or asked.groups() == ("", ""):
        whole = FileResponse(
            file, as_attachment=True, filename=path.name, content_type="application/octet-stream"
        )
        whole.headers["Accept-Ranges"] = "bytes"
        return whole
    first = int(asked[1]) if asked[1] else max(size - int(asked[2]), 0)
    last = min(int(asked[2]), size - 1) if asked[1] and asked[2] else size - 1
    if first > last:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    part = StreamingHttpResponse(
        pieces(file, first, last), status=206, content_type="application/octet-stream"
    )
    for name, value in {
        "Content-Range": f"bytes {first}-{last}/{size}",
        "Content-Length": str(last - first + 1),
        "Accept-Ranges": "bytes",
    }.items():
        part.headers[name] = value
    return part


def pieces(file: Any, first: int, last: int) -> Iterator[bytes]:
    with file:
        file.seek(first)
        left = last - first + 1
        while left and (piece := file.read(min(2**16, left))):
            left -= len(piece)
            yield piece

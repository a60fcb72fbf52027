"""Starting the job that writes a data set, for every page that can."""

from __future__ import annotations

from django.http import HttpRequest

from reviews import jobs, tasks
from reviews.models import Dataset, Job
from reviews.web.answers import person


def start_building(request: HttpRequest, dataset: Dataset) -> None:
    """Start the job that writes a data set, and ring for a worker."""
    tasks.ring(
        jobs.start(Job.Kind.BUILD_DATASET, dataset.project_id, dataset.pk, by=person(request), unit="rows")
    )

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from reviews.api import lineages, schema, views
from reviews.api.browsing import browse

router = SimpleRouter(trailing_slash=False)
router.register("projects", views.ProjectViewSet, "api-project")
router.register("rounds", views.RoundViewSet, "api-round")
router.register("assignments", views.AssignmentViewSet, "api-assignment")
router.register("reviews", views.ReviewViewSet, "api-review")
router.register("datasets", views.DatasetViewSet, "api-dataset")
router.register("jobs", views.JobViewSet, "api-job")
router.register("checkpoints", lineages.CheckpointViewSet, "api-checkpoint")
router.register("use-reports", lineages.UseReportViewSet, "api-use-report")
router.register("probe-results", lineages.ProbeResultViewSet, "api-probe-result")

urlpatterns = [
    path("me", views.MeView.as_view(), name="api-me"),
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("", browse, name="api"),
    path("", include(router.urls)),
]
__all__ = ["schema", "urlpatterns"]

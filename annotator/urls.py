from django.urls import include, path

from annotator import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/v1/", include("reviews.api.urls")),
    path("", include("reviews.web.urls")),
]

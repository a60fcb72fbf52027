from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ReviewsConfig(AppConfig):
    name = "reviews"

    def ready(self) -> None:
        from reviews.models import checks, frozen

        post_migrate.connect(frozen.install_after_migrate, sender=self)
        checks.register()

"""The keys that a reader chose for the desk. Data, never markup."""

from __future__ import annotations

from django.db import models

from reviews.models.projects import User


class KeyBinding(models.Model):
    """One action of the desk under another key than its own."""

    user = models.ForeignKey(User, models.CASCADE, related_name="key_bindings")
    action = models.CharField(max_length=20)
    key = models.CharField(max_length=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "action"], name="binding_one_an_action"),
            models.UniqueConstraint(fields=["user", "key"], name="binding_one_a_key"),
        ]

    def __str__(self) -> str:
        return f"{self.key} for {self.action}"

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:  # rest_framework.views loads this module while it is itself being loaded
    from rest_framework.request import Request
    from rest_framework.views import APIView


class PerCaller(SimpleRateThrottle):
    """Far above what a team does: it stops a loop that ran away, nothing else."""

    scope = "caller"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return f"throttle:{request.user.pk}" if request.user else None

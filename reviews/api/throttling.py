from rest_framework.throttling import SimpleRateThrottle


class PerCaller(SimpleRateThrottle):
    """Far above what a team does: it stops a loop that ran away, nothing else."""

    scope = "caller"

    def get_cache_key(self, request, view):
        return f"throttle:{request.user.pk}" if request.user else None

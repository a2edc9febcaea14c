"""Per-user rate limiting."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rest_framework.throttling import UserRateThrottle

if TYPE_CHECKING:  # DRF's settings import this module while DRF's views are being imported
    from rest_framework.request import Request
    from rest_framework.views import APIView


class PerUserThrottle(UserRateThrottle):
    """Counts the requests of each user in Django's default cache.

    Source: docs/contract.md, "Errors" (429).
    """

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return a key with a hash of the user id, which may contain characters invalid in keys."""
        ident = hashlib.sha256(str(request.user.pk).encode()).hexdigest()
        return self.cache_format % {"scope": self.scope, "ident": ident}

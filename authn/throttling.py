"""How often one user may call."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rest_framework.throttling import UserRateThrottle

if TYPE_CHECKING:  # DRF reads its settings, and so this module, while its views are imported
    from rest_framework.request import Request
    from rest_framework.views import APIView


class PerUserThrottle(UserRateThrottle):
    """Counts the requests of each user, in the cache that Django is configured with.

    Source: docs/contract.md, "Errors", 429; issue "Nothing lost, nothing twice", rate limit.
    """

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Name a user by a digest: an id may hold what no cache takes in a key."""
        ident = hashlib.sha256(str(request.user.pk).encode()).hexdigest()
        return self.cache_format % {"scope": self.scope, "ident": ident}

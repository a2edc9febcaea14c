"""How often one user may call."""

import hashlib

from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView


class PerUserThrottle(UserRateThrottle):
    """Counts the requests of each user, in the cache that Django is configured with.

    Source: contract.md "Errors", 429; issue "Nothing lost, nothing twice", rate limit.
    """

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Name a user by a digest: an id may hold what no cache takes in a key."""
        ident = hashlib.sha256(str(request.user.pk).encode()).hexdigest()
        return self.cache_format % {"scope": self.scope, "ident": ident}

"""The permission that requires the path's user to be the token's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission

if TYPE_CHECKING:  # DRF's settings import this module while DRF's views are being imported
    from rest_framework.request import Request
    from rest_framework.views import APIView


class IsPathUser(BasePermission):
    """Allows a request if the ``user_id`` in its path equals the token's exactly.

    Runs no query. Denies every request to a path without a ``user_id``.

    Source: docs/contract.md, "Authentication"; FR-003, FR-005.
    """

    message = "Access forbidden: user_id mismatch"
    code = "user_mismatch"

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the path's user is the token's user."""
        return bool(view.kwargs.get("user_id") == request.user.id)

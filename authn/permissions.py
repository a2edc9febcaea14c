"""Is this path yours?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission

if TYPE_CHECKING:  # DRF reads its settings, and so this module, while its views are imported
    from rest_framework.request import Request
    from rest_framework.views import APIView


class IsPathUser(BasePermission):
    """The ``user_id`` in the path must be the token's, character for character.

    Only compares: no query, no change to the request. It closes the door on a path that names no
    user at all.

    Source: docs/contract.md, "Who may come in"; FR-003, FR-005.
    """

    message = "Access forbidden: user_id mismatch"
    code = "user_mismatch"

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Compare the path's user with the token's."""
        return bool(view.kwargs.get("user_id") == request.user.id)

"""The user of a request. Users are not stored here: Better Auth stores them."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Principal:
    """An immutable user, made from the claims of a verified token without a query.

    Args:
        id: the user's id, 1 to 255 characters.

    Source: docs/contract.md, "Authentication"; FR-002.
    """

    id: str

    is_authenticated: ClassVar[bool] = True  # DRF and Django read both
    is_active: ClassVar[bool] = True

    @property
    def pk(self) -> str:
        """The id, under the name that DRF's throttles use."""
        return self.id

"""The user that a token names. Users are not stored here: Better Auth has them."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose token was verified.

    It is made from the claims alone, without a query, and cannot be changed.

    Args:
        id: the user's id, 1 to 255 characters.

    Source: docs/contract.md, "Who may come in"; FR-002.
    """

    id: str

    is_authenticated: ClassVar[bool] = True  # what DRF and Django ask of a user
    is_active: ClassVar[bool] = True

    @property
    def pk(self) -> str:
        """The id under the name that DRF's throttles look for."""
        return self.id

"""The time that a request may spend waiting for the database.

Only a client-side deadline is reliable: a pooler in transaction mode refuses startup options and
shares a ``SET`` with other clients, and a frozen server enforces no ``statement_timeout``.

Source: docs/decisions/0007-database-deadline.md.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

# With up to one second for cancelling, still less than the six seconds that a client waits.
DATABASE_SECONDS = 4.5


@dataclass
class _Deadline:
    seconds: float
    ends_at: float | None = None  # a time.monotonic() value, set at the first use of the database


_deadline: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def database_deadline(seconds: float = DATABASE_SECONDS) -> Iterator[None]:
    """Limit the total time that the block waits for the database.

    The clock starts at the first use of the database, because a client may take longer than the
    limit to send its body. Outside the block, as in a migration or a command, there is no limit.

    Source: docs/contract.md, "Errors" (503: "or too slow").
    """
    token = _deadline.set(_Deadline(seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def restart_deadline() -> None:
    """Restart the clock at the next use of the database."""
    deadline = _deadline.get()
    if deadline is not None:
        deadline.ends_at = None


def remaining_seconds() -> float | None:
    """Return the time left, never below zero, or ``None`` if there is no limit."""
    deadline = _deadline.get()
    if deadline is None:
        return None
    now = time.monotonic()
    if deadline.ends_at is None:
        deadline.ends_at = now + deadline.seconds
    return max(0.0, deadline.ends_at - now)

"""How long a request may wait for the database.

Only a deadline on our side answers in time: a pooler in transaction mode refuses start-up options
and shares a ``SET`` with other clients, and a frozen database watches no ``statement_timeout``.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

# With the second that it may take to cancel what has begun, below the six that a client waits.
DATABASE_SECONDS = 4.5


@dataclass
class _Deadline:
    seconds: float
    ends_at: float | None = None  # by time.monotonic(), once the database is used


_deadline: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def database_deadline(seconds: float = DATABASE_SECONDS) -> Iterator[None]:
    """Limit all waiting for the database inside the block together.

    The time runs from where the database is first used: a client may take longer than that to send
    its body. Outside of the block, in a migration or a command, there is no limit.

    Source: docs/contract.md, "Errors" (503: "or too slow").
    """
    token = _deadline.set(_Deadline(seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def begin_deadline_anew() -> None:
    """Let the time run from the next use of the database, after something that took long."""
    deadline = _deadline.get()
    if deadline is not None:
        deadline.ends_at = None


def remaining_seconds() -> float | None:
    """Return the time left, never below zero; ``None`` where there is no limit."""
    deadline = _deadline.get()
    if deadline is None:
        return None
    now = time.monotonic()
    if deadline.ends_at is None:
        deadline.ends_at = now + deadline.seconds
    return max(0.0, deadline.ends_at - now)

"""The deadline for a request's use of the database.

Only a client-side deadline is reliable: a pooler in transaction mode refuses startup options and
shares a ``SET`` with other clients, and a frozen server enforces no ``statement_timeout``.

Source: docs/decisions/0007-database-deadline.md.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

# With up to one second for cancelling, a client gets its 503 within six seconds.
DATABASE_SECONDS = 4.5


@dataclass
class _Deadline:
    seconds: float
    ends_at: float | None = None  # a time.monotonic() value, or None until the clock starts


_deadline: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def database_deadline(
    seconds: float = DATABASE_SECONDS, started_at: float | None = None
) -> Iterator[None]:
    """Set a deadline for the use of the database inside the block.

    Outside such a block, as in a migration or a command, there is no limit.

    Args:
        seconds: the time until the deadline.
        started_at: the ``time.monotonic()`` value at which the clock started; by default it starts
            at the first use of the database.

    Source: docs/contract.md, "Errors" (503: "or too slow").
    """
    ends_at = None if started_at is None else started_at + seconds
    token = _deadline.set(_Deadline(seconds, ends_at))
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
    """Return the time left, at least zero, or ``None`` without a deadline.

    The first call starts the clock.
    """
    deadline = _deadline.get()
    if deadline is None:
        return None
    now = time.monotonic()
    if deadline.ends_at is None:
        deadline.ends_at = now + deadline.seconds
    return max(0.0, deadline.ends_at - now)

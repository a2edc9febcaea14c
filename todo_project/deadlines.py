"""The deadline for a request's use of the database.

Only a client-side deadline is reliable: a pooler in transaction mode refuses startup options and
shares a ``SET`` with other clients, and a frozen server enforces no ``statement_timeout``.

Source: docs/decisions/0007-database-deadline.md.
"""

import time
from contextvars import ContextVar

# With up to one second for cancelling, a client gets its 503 within six seconds.
DATABASE_SECONDS = 4.5


class _Deadline:
    """A deadline, which applies inside its ``with`` block. ``@contextmanager`` adds 1.7 µs."""

    __slots__ = ("_token", "ends_at", "seconds")

    def __init__(self, seconds: float, ends_at: float | None) -> None:
        self.seconds = seconds
        self.ends_at = ends_at  # a time.monotonic() value, or None until the clock starts

    def __enter__(self) -> None:
        self._token = _deadline.set(self)

    def __exit__(self, *error: object) -> None:
        _deadline.reset(self._token)


_deadline: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


def database_deadline(
    seconds: float = DATABASE_SECONDS, started_at: float | None = None
) -> _Deadline:
    """Return a context manager with a deadline for the use of the database inside its block.

    Outside such a block, as in a migration or a command, there is no limit.

    Args:
        seconds: the time until the deadline.
        started_at: the ``time.monotonic()`` value at which the clock started; by default it starts
            at the first use of the database.

    Source: docs/contract.md, "Errors" (503: "or too slow").
    """
    return _Deadline(seconds, None if started_at is None else started_at + seconds)


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

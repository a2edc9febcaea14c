"""How long a request may wait for the database.

Only a deadline on our side answers in time: a pooler in transaction mode refuses start-up options
and shares a ``SET`` with other clients, and a frozen database watches no ``statement_timeout``.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

DATABASE_SECONDS = 5.0

_moment: ContextVar[float | None] = ContextVar("moment", default=None)


@contextmanager
def database_deadline(seconds: float = DATABASE_SECONDS) -> Iterator[None]:
    """Limit all waiting for the database inside the block together.

    Outside of it, in a migration or a command, there is no limit.

    Source: contract.md "Errors" (503: "or too slow").
    """
    token = _moment.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _moment.reset(token)


def remaining_seconds() -> float | None:
    """Return the time left, never below zero; ``None`` where there is no limit."""
    moment = _moment.get()
    return None if moment is None else max(0.0, moment - time.monotonic())

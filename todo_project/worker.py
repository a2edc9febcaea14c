"""gunicorn's threads, which stay with a client for a moment."""

import select
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

# How long a thread waits for a client's next request before it gives the connection back.
STAY_MILLISECONDS = 20


class Worker(ThreadWorker):  # type: ignore[misc]  # of a package without types
    """Answers the requests of a client that sends one after the other in the same thread.

    gunicorn hands a connection back to its main thread after each: two switches of threads.
    """

    def handle(self, conn: Any) -> Any:
        """Answer requests until the client pauses or leaves."""
        while (kept := super().handle(conn)) is True and self.alive:
            if not (conn.parser.unreader.buf.getvalue() or _readable(conn.sock)):
                break
        return kept


def _readable(sock: Any) -> bool:
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(STAY_MILLISECONDS))

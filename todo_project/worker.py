"""gunicorn's threads, but for how long one stays with a client, and for how a process ends."""

import select
import socket
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

# How long a thread waits for a client's next request before it gives the connection back.
STAY_MILLISECONDS = 20


class Worker(ThreadWorker):
    """Stays with a client for a moment, and answers all who have connected before it stops.

    gunicorn's own hands a connection back to its main thread after each request: two switches of
    threads. And it leaves its socket open until the last answer is sent. Meanwhile the kernel goes
    on connecting clients, whom nobody accepts, and who are cut off at the end with their requests
    sent: a proxy may not give such a POST to another instance. One that is refused, it may.

    Source: issues "Faster than FastAPI", "Documents, logs, metrics, deployment", rolling updates.
    """

    def handle(self, conn: Any) -> Any:
        """Answer requests until the client pauses or leaves, or the process stops."""
        while (kept := super().handle(conn)) is True and self.alive:
            if self.tpool._work_queue.qsize():  # noqa: SLF001 - others wait for a thread
                break
            if not (conn.parser.unreader.buf.getvalue() or _readable(conn.sock)):
                break
        return kept

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Accept connections, or no more of them for now; when it stops, for good."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        while self.sockets:
            listener = self.sockets.pop()
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()


def _readable(sock: socket.socket) -> bool:
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(STAY_MILLISECONDS))

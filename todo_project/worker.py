"""How a process of gunicorn's stops accepting."""

import select

from gunicorn.workers.gthread import ThreadWorker


class Worker(ThreadWorker):
    """Answers everybody who has connected before it stops, and then refuses connections.

    gunicorn's own leaves its socket open until the last answer is sent. Meanwhile the kernel goes
    on connecting clients, whom nobody accepts, and who are cut off at the end with their requests
    sent: a proxy may not give such a POST to another instance. One that is refused, it may.

    Source: issue "Documents, logs, metrics, deployment", rolling updates.
    """

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

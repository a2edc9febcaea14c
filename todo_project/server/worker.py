"""gunicorn's threads, but for what each request costs them, and for how a process ends."""

import select
from contextlib import suppress
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.body import LengthReader
from gunicorn.workers.gthread import ThreadWorker


class Worker(ThreadWorker):
    """Waits for nobody, and answers all who have connected before it stops.

    gunicorn's own waits in its main thread, up to two seconds, for each client to close what it was
    told is closed; meanwhile nobody else is heard. When it stops, it leaves its socket open until
    the last answer is sent, and the kernel goes on connecting clients, whom nobody accepts, and who
    are cut off at the end with their requests sent: a proxy may not give such a POST to another
    instance. One that is refused, it may.

    Source: issues "Faster than FastAPI", "Documents, logs, metrics, deployment", rolling updates.
    """

    def init_process(self) -> None:
        """Read the settings once; gunicorn looks them up anew, 25 µs in each request."""
        vars(self.cfg).update({name: each.get() for name, each in self.cfg.settings.items()})
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """Answer a request; where it is the last, take leave of the client in its own thread."""
        kept = super().handle(conn)
        if kept is False:
            with suppress(OSError):  # it has left already
                conn.close(graceful=True)
            conn.close = lambda graceful=False: None  # the main thread only counts
        return kept

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Drain the request's body, where anything of it is left.

        gunicorn's own sets time-outs to find out: calls at each of which Python lets another thread
        go first.
        """
        if keepalive and _is_read(conn.parser.mesg):
            conn.parser.mesg = None
            return True
        return bool(super()._keepalive_after(conn, keepalive))  # type: ignore[misc]  # no stub

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


class Response(wsgi.Response):
    """Sends the headers with the body, where that is there in one piece: one packet, one call."""

    def write(self, arg: bytes) -> None:
        """Send a part of the body, before the first one the headers."""
        whole = len(arg) == self.response_length
        if self.headers_sent or self._omits_body or not whole:  # type: ignore[attr-defined]  # no stub
            super().write(arg)
            return
        lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers)]
        self.headers_sent = True
        self.sent = len(arg)
        self.sock.sendall("".join((*lines, "\r\n")).encode("latin-1") + arg)


wsgi.Response = Response  # type: ignore[misc]  # nothing lets a worker name another


def _is_read(req: Any) -> bool:
    """Tell whether nothing of a request's body is left."""
    reader = req.body.reader
    return type(reader) is LengthReader and reader.length == 0

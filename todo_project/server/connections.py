"""A client's connection: its socket, and what remains to be read and sent."""

import fcntl
import socket
import termios
from array import array
from threading import Lock

from todo_project.server.requests import RefusedError, RequestReader
from todo_project.server.responses import Response

NEVER = float("inf")
# Below this size, copying a body behind its head costs less than a second buffer.
MAX_COPIED_BYTES = 16 * 1024


class Connection:
    """A client's socket and its state. Only the thread that has acquired ``owner`` changes it.

    Args:
        sock: a non-blocking socket.
        reader: parses what the client sends.
        deadline: the ``time.monotonic()`` value at which the client is late.
    """

    __slots__ = (
        *("sock", "number", "reader", "owner", "deadline", "waits_for", "has_news", "is_drained"),
        *("is_half_closed", "is_late", "is_closing", "is_watched_for_writing", "refused"),
        *("response", "unsent", "unread_bytes", "queued_bytes"),
    )

    def __init__(self, sock: socket.socket, reader: RequestReader, deadline: float) -> None:
        self.sock = sock
        self.number = sock.fileno()
        self.reader = reader
        self.owner = Lock()
        self.deadline = deadline
        # What the client must do before the deadline: send a "head" or a "body", read ("send"),
        # close its side ("close"), or send another request ("idle")
        self.waits_for = "head"
        self.has_news = False  # an event has arrived since the owner last looked
        self.is_drained = False  # there was no more to read when the owner last looked
        self.is_half_closed = False  # the client sends no more
        self.is_late = False  # the deadline has passed
        self.is_closing = False  # no further request is served
        self.is_watched_for_writing = False
        self.refused: RefusedError | None = None
        self.response: Response | None = None  # if it is not complete
        self.unsent: list[memoryview] = []
        self.queued_bytes = 0  # sent, but not received by the client
        self.unread_bytes = 0  # discarded while closing

    def has_progress(self) -> bool:
        """Return whether the client has received anything since the last call.

        The kernel keeps megabytes for the client, and says only that there is room for more when a
        third of them is gone.
        """
        queued = array("i", [0])
        try:
            fcntl.ioctl(self.sock, termios.TIOCOUTQ, queued)
        except (OSError, ValueError):  # disconnected, or closed by another thread
            return False
        before, self.queued_bytes = self.queued_bytes, queued[0]
        return queued[0] < before

    def send(self, head: bytes, body: bytes = b"") -> None:
        """Send bytes, and keep in ``unsent`` what the client does not take yet.

        Raises:
            OSError: the client has disconnected.
        """
        if self.unsent or len(body) > MAX_COPIED_BYTES:
            self.unsent += [memoryview(part) for part in (head, body) if part]
            self.flush()
            return
        data = head + body
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self.unsent = [memoryview(data)[sent:]]

    def flush(self) -> bool:
        """Send what is unsent; return whether the client has taken any of it.

        Raises:
            OSError: the client has disconnected.
        """
        has_progress = False
        while self.unsent:
            try:
                sent = self.sock.sendmsg(self.unsent)
            except BlockingIOError:
                break
            has_progress = True
            while self.unsent and sent >= len(self.unsent[0]):
                sent -= len(self.unsent.pop(0))
            if sent:
                self.unsent[0] = self.unsent[0][sent:]
        return has_progress

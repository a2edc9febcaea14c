"""Standard output for a log that never waits for its reader.

Source: docs/decisions/0022-log-without-waiting.md.
"""

import os
import select
import stat
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

# Per process; a line that would exceed it is dropped.
MAX_WAITING_BYTES = 1024 * 1024
# Seconds that the end of the process waits for lines
CLOSE_SECONDS = 1.0


class Output:
    """Writes to a pipe, a terminal or a socket, and keeps what its reader does not take.

    What is kept is written by a thread, once there is room. Above ``MAX_WAITING_BYTES``, lines are
    dropped and counted.

    Args:
        descriptor: the open file.
        dropped_line: returns the line that says how many lines were dropped.
    """

    def __init__(self, descriptor: int, dropped_line: Callable[[int], str]) -> None:
        self._descriptor = descriptor
        self._dropped_line = dropped_line
        # Opened anew, because other processes share the descriptor and expect it to wait.
        self._without_waiting: int | None = None
        with suppress(OSError):  # a socket, another user's pipe, or not Linux: the thread waits
            name = f"/proc/self/fd/{descriptor}"
            self._without_waiting = os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """Start without a thread and without lines: those are the parent process's."""
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = self._dropped = 0
        self._is_waiting = threading.Event()
        self._is_empty = threading.Event()
        self._is_empty.set()
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> None:
        """Write a line, or keep or drop it.

        Raises:
            OSError: nobody will read it.
        """
        data = text.encode(errors="backslashreplace")
        with self._lock:
            if self._without_waiting is not None and not self._waiting:
                with suppress(BlockingIOError):
                    data = data[os.write(self._without_waiting, data) :]
            if data:
                self._keep(data)

    def flush(self) -> None:
        """Do nothing: there is no other buffer."""

    def finish(self) -> None:
        """Wait a moment for the thread, at the end of the process."""
        self._is_empty.wait(CLOSE_SECONDS)

    def _keep(self, data: bytes) -> None:
        """Keep a line, or drop it; called with the lock."""
        if self._waiting_bytes + len(data) > MAX_WAITING_BYTES:
            self._dropped += 1
            return
        self._append_dropped_line()
        self._append(data)
        if self._thread is None:
            self._thread = threading.Thread(target=self._drain, name="log", daemon=True)
            self._thread.start()

    def _append(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._is_empty.clear()
        self._is_waiting.set()

    def _append_dropped_line(self) -> None:
        if self._dropped:
            self._append(self._dropped_line(self._dropped).encode())
            self._dropped = 0

    def _drain(self) -> None:
        """Write what has been kept; the main function of the thread."""
        while True:
            self._is_waiting.wait()
            sent = self._send(self._waiting[0])
            with self._lock:
                rest = self._waiting.popleft()[sent:]
                self._waiting_bytes -= sent
                if rest:
                    self._waiting.appendleft(rest)
                elif not self._waiting:
                    self._append_dropped_line()
                if not self._waiting:
                    self._is_waiting.clear()
                    self._is_empty.set()

    def _send(self, data: bytes) -> int:
        """Wait until there is room, and return how many bytes were written."""
        try:
            if self._without_waiting is None:
                return os.write(self._descriptor, data)
            poller = select.poll()
            poller.register(self._without_waiting, select.POLLOUT)
            poller.poll()
            return os.write(self._without_waiting, data)
        except BlockingIOError:  # another process was faster
            return 0
        except OSError:  # nobody will read it
            return len(data)


def without_waiting(stream: TextIO, dropped_line: Callable[[int], str]) -> Any:
    """Return an ``Output`` for a stream; a file, or a buffer in memory, needs none."""
    try:
        descriptor = stream.fileno()
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except (AttributeError, OSError):
        return stream
    return stream if is_file else Output(descriptor, dropped_line)

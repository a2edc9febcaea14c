"""Standard output for a log that never waits for its reader.

Source: docs/decisions/0022-log-without-waiting.md.
"""

import atexit
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
# By descriptor, device and inode
_outputs: dict[tuple[int, int, int], "Output"] = {}


class Output:
    """Writes to a pipe, a terminal or a socket, and keeps what its reader does not take.

    What is kept is written by a thread, which may wait. Above ``MAX_WAITING_BYTES``, lines are
    dropped and counted.

    Args:
        descriptor: the open file.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.dropped_line: Callable[[int], str] = "{} log lines were dropped\n".format
        # Opened anew, because other processes share the descriptor and expect it to wait.
        self._without_waiting: int | None = None
        with suppress(
            OSError
        ):  # a socket, another user's pipe, or not Linux: the thread writes all
            name = f"/proc/self/fd/{descriptor}"
            self._without_waiting = os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        self._reset()
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.finish)

    def _reset(self) -> None:
        """Start without a thread and without lines: those are the parent process's."""
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = self._dropped = 0
        self._is_waiting = threading.Event()
        self._is_empty = threading.Event()
        self._is_empty.set()
        self._has_thread = False

    def write(self, text: str) -> None:
        """Write a line, or keep or drop it.

        Raises:
            OSError: nobody will read it.
        """
        data = text.encode(errors="backslashreplace")
        with self._lock:
            # Only up to PIPE_BUF bytes, a line is written whole or not at all (pipe(7)).
            is_short = len(data) <= select.PIPE_BUF
            if self._without_waiting is not None and is_short and not self._waiting:
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
        if self._waiting_bytes + len(data) > MAX_WAITING_BYTES or not self._start_thread():
            self._dropped += 1
            return
        self._append_dropped_line()
        self._append(data)

    def _start_thread(self) -> bool:
        """Start the thread if it does not run; return whether it runs."""
        if not self._has_thread:
            thread = threading.Thread(target=self._drain, name="log", daemon=True)
            with suppress(RuntimeError):  # too many threads: the next line tries again
                thread.start()
                self._has_thread = True
        return self._has_thread

    def _append(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._is_empty.clear()
        self._is_waiting.set()

    def _append_dropped_line(self) -> None:
        if self._dropped:
            self._append(self.dropped_line(self._dropped).encode())
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
            return os.write(self._descriptor, data)
        except BlockingIOError:  # the descriptor itself does not wait
            poller = select.poll()
            poller.register(self._descriptor, select.POLLOUT)
            poller.poll()
            return 0
        except OSError:  # nobody will read it
            return len(data)


def without_waiting(stream: TextIO) -> Any:
    """Return an ``Output`` for a stream; a file, or a buffer in memory, needs none.

    There is one for each open file, also when the log is configured anew.
    """
    try:
        descriptor = stream.fileno()
        status = os.fstat(descriptor)
    except (AttributeError, OSError):
        return stream
    if stat.S_ISREG(status.st_mode):
        return stream
    key = descriptor, status.st_dev, status.st_ino
    return _outputs.get(key) or _outputs.setdefault(key, Output(descriptor))

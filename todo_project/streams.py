"""Standard streams that are closed, full, or not read to the end."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# The errors of a standard stream: closed, a terminal that is gone, a full disk, a closed pipe
WRITE_ERRORS = (errno.EBADF, errno.EIO, errno.ENOSPC, errno.EPIPE)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Run a command with all three standard streams; flush standard output at its end.

    Raises:
        SystemExit: standard output cannot be written, with a message that says why; or the
            command's own, if the command has failed before that.
    """
    _open_closed_streams()
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in WRITE_ERRORS or error.filename is not None:
            raise
        # otherwise Python flushes again at exit and prints a traceback
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        failed = error.__context__
        if isinstance(failed, SystemExit) and failed.code:
            raise failed from None
        sys.exit(f"Cannot write to standard output: {error.strerror}.")


def _open_closed_streams() -> None:
    """Replace each closed stream, for which Python has ``None``.

    Input is empty, and errors are discarded. Output fails when it is written, so that no command
    succeeds whose result is lost. Otherwise the descriptor would be that of the next file or
    connection that is opened.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")

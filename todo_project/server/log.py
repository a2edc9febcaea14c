"""gunicorn's own log lines, in the format of the application's."""

import logging
import re
import sys
import threading
from typing import Any

from gunicorn.glogging import Logger

INVALID_REQUEST = re.compile(r"Invalid request from ip=(\S*): ")


def log_failed_thread(failure: threading.ExceptHookArgs) -> None:
    """Log a thread's uncaught exception as one line; a ``threading.excepthook``."""
    logging.getLogger(__name__).error("A thread has failed", exc_info=failure.exc_value)


class ServerLogger(Logger):
    """Logs gunicorn's messages, but no requests, through the handlers of ``logconfig_dict``."""

    def access(self, *args: Any) -> None:
        """Do nothing: the application logs requests."""

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a warning.

        For a malformed request, log only the client's address and the name of the exception: the
        message may contain a token.
        """
        if invalid := INVALID_REQUEST.match(str(msg)):
            msg, args = "Invalid request from %s: %s", (invalid[1], type(sys.exception()).__name__)
        super().warning(msg, *args, **kwargs)

"""gunicorn's own log lines, in the format of the application's."""

import logging
import threading
from typing import Any

from gunicorn.glogging import Logger


def log_failed_thread(failure: threading.ExceptHookArgs) -> None:
    """Log a thread's uncaught exception as one line; a ``threading.excepthook``."""
    logging.getLogger(__name__).error("A thread has failed", exc_info=failure.exc_value)


class ServerLogger(Logger):
    """Logs gunicorn's messages, but no requests, through the handlers of ``logconfig_dict``."""

    def access(self, *args: Any) -> None:
        """Do nothing: the application logs requests."""

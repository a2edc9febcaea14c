"""The web server's own lines, in the form of all others."""

import logging
import re
import sys
import threading
from typing import Any

from gunicorn.glogging import Logger

REFUSED = re.compile(r"Invalid request from ip=(\S*): ")


def log_failed_thread(failure: threading.ExceptHookArgs) -> None:
    """Log what a thread did not catch; Python would write it in many lines to standard error."""
    logging.getLogger(__name__).error("A thread has failed", exc_info=failure.exc_value)


class ServerLogger(Logger):
    """Writes what gunicorn says of itself, and leaves the requests to the application.

    ``logconfig_dict`` gives it the handlers of the settings.
    """

    def access(self, *args: Any) -> None:
        """Write nothing: the application has logged the request."""

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Write a warning; of a request that cannot be read only what is wrong with it.

        gunicorn quotes what was sent, with whatever token is in it.
        """
        if refused := REFUSED.match(str(msg)):
            msg, args = "Invalid request from %s: %s", (refused[1], type(sys.exception()).__name__)
        super().warning(msg, *args, **kwargs)

"""The web server's own lines, in the form of all others."""

import re
import sys
from typing import Any

from gunicorn.glogging import Logger

REFUSED = re.compile(r"Invalid request from ip=(\S*): ")


class ServerLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Writes what gunicorn says of itself, and leaves the requests to the application.

    ``logconfig_dict`` gives it the handlers of the settings.
    """

    def access(self, *args: Any) -> None:
        """Write nothing: the application has logged the request."""

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Write a warning; of a request that cannot be read only what is wrong with it.

        gunicorn quotes what was sent, with whatever token is in it.
        """
        if refused := REFUSED.match(msg):
            msg, args = "Invalid request from %s: %s", (refused[1], type(sys.exception()).__name__)
        super().warning(msg, *args, **kwargs)

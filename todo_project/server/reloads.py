"""Reloading (SIGHUP) that an invalid setting or a broken release does not turn into an outage."""

import os
import subprocess
import sys
from typing import Any

# Seconds for another process to load the settings and the application; the workers serve meanwhile.
CHECK_SECONDS = 25


def guard_reloads(server: Any, *, without: str) -> None:
    """Let a server reload only what another process has been able to load.

    gunicorn itself would load the settings in the main process, which ends if they are invalid, and
    stop when a new worker cannot load the application.

    Args:
        server: gunicorn's arbiter; its ``reload`` method is replaced.
        without: an environment variable that the other process must not have.
    """
    reload = server.reload

    def reload_if_valid() -> None:
        if reason := _refusal(without):
            server.log.error("Not reloaded; the workers go on with what they have: %s", reason)
        else:
            reload()

    server.reload = reload_if_valid


def _refusal(without: str) -> str:
    """Return why the service would not start now; an empty string if it would."""
    environment = {name: value for name, value in os.environ.items() if name != without}
    try:
        check = subprocess.run(  # noqa: S603 - this server's own command
            [sys.executable, "-m", "gunicorn", "--check-config", *sys.argv[1:]],
            env=environment,
            capture_output=True,
            text=True,
            timeout=CHECK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the check failed ({type(error).__name__})"
    return check.stderr.strip() or "unknown" if check.returncode else ""

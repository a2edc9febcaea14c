"""Reloading (SIGHUP) that an invalid setting or a broken release does not turn into an outage."""

import os
import signal
import subprocess
import sys
import threading
from typing import Any

# Seconds for another process to load the settings and the application; the workers serve meanwhile.
CHECK_SECONDS = 30
# The child process; gunicorn may collect the exit code of its own children, so it is printed.
CHECK = "import subprocess, sys; print(subprocess.run(sys.argv[1:]).returncode)"


def guard_reloads(server: Any, *, without: str) -> None:
    """Let a server reload only what another process has been able to load.

    gunicorn itself would load the settings in the main process, which ends if they are invalid, and
    stop when a new worker cannot load the application.

    Args:
        server: gunicorn's arbiter; its ``reload`` method is replaced.
        without: an environment variable that the other process must not have.
    """
    server.reload = _Reloads(server, without).request


class _Reloads:
    """Checks in the background, so that the server goes on handling signals and workers."""

    def __init__(self, server: Any, without: str) -> None:
        self._server = server
        self._reload = server.reload
        self._without = without
        self._lock = threading.Lock()
        self._is_checking = self._is_repeated = self._is_valid = False

    def request(self) -> None:
        """Begin a check; after a successful one, reload."""
        with self._lock:
            is_valid, self._is_valid = self._is_valid, False
            if not is_valid and self._is_checking:
                self._is_repeated = True  # something may have changed since the check began
            elif not is_valid:
                self._is_checking = True
                threading.Thread(target=self._check, daemon=True).start()
        if is_valid:
            self._reload()

    def _check(self) -> None:
        reason = _refusal(self._without)
        with self._lock:
            if self._is_repeated:
                self._is_repeated = False
                threading.Thread(target=self._check, daemon=True).start()
                return
            self._is_checking, self._is_valid = False, not reason
        if reason:
            self._server.log.error(
                "Not reloaded; the workers go on with what they have: %s", reason
            )
        else:
            os.kill(os.getpid(), signal.SIGHUP)  # the main thread reloads


def _refusal(without: str) -> str:
    """Return why the service would not start now; an empty string if it would."""
    environment = {name: value for name, value in os.environ.items() if name != without}
    gunicorn = [sys.executable, "-m", "gunicorn", "--check-config", *sys.argv[1:]]
    try:
        check = subprocess.run(  # noqa: S603 - this server's own command
            [sys.executable, "-c", CHECK, *gunicorn],
            env=environment,
            capture_output=True,
            text=True,
            timeout=CHECK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the check failed ({type(error).__name__})"
    is_valid = check.stdout.splitlines()[-1:] == ["0"]
    return "" if is_valid else check.stderr.strip() or "unknown"

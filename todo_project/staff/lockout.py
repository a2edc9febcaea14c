"""Counts logins before their passwords are checked, and refuses too many of them."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import User
from django.db.models import F
from django.http import HttpRequest

logger = logging.getLogger(__name__)

# Seconds from the arrival of a login until its password must be being checked. A check is
# deliberately slow: without this limit, a flood of logins would occupy the threads of the admin.
MAX_WAIT_SECONDS = 2.0
BUSY_SECONDS = 1  # until a client may try again
USERNAME_MAX_LENGTH = int(User._meta.get_field("username").max_length or 0)
LOCKED_SECONDS = int(settings.AXES_COOLOFF_TIME.total_seconds())

_slot = threading.Lock()  # of the process for checking a password


class TooManyLoginsError(Exception):
    """A login is refused without looking at its password.

    Args:
        seconds: when to try again.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


class LoginForm(AdminAuthenticationForm):
    """The login form, which checks one password at a time."""

    def clean(self) -> dict[str, Any]:
        """Check the password.

        Raises:
            TooManyLoginsError: the address is locked, or others are logging in.
        """
        if not {"username", "password"} <= self.cleaned_data.keys():  # nothing is checked
            return super().clean()
        if len(self.cleaned_data["username"]) > USERNAME_MAX_LENGTH:  # nobody's
            raise self.get_invalid_login_error()
        request: Any = self.request
        with _turn(request):
            _count(request, self.cleaned_data["username"])
            return super().clean()


class LockoutHandler(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Neither counts a failed login, which ``LoginForm`` has done, nor forgets those of others."""

    def user_login_failed(
        self, sender: Any, credentials: Any, request: Any = None, **kwargs: Any
    ) -> None:
        """Note whether the address is locked now."""
        if request is None:  # not a login to the admin
            return
        request.axes_locked_out = self.is_locked(request, credentials)
        is_last = " and locked it" if request.axes_locked_out else ""
        logger.warning("A login from %s failed%s", request.axes_ip_address, is_last)

    def reset_user_attempts(self, request: Any, credentials: Any = None) -> int:
        """Forget the attempts of the user who has logged in, from this address only."""
        [attempts] = self.filter_user_attempts(request, credentials)
        username = credentials["username"]
        return int(attempts.filter(username=username).delete()[0])


@contextmanager
def _turn(request: HttpRequest) -> Iterator[None]:
    """Wait until no other password is being checked in this process."""
    now = time.monotonic()
    waited = now - request.META.get("todo_project.received_at", now)
    remaining = MAX_WAIT_SECONDS - waited
    if remaining < 0 or not _slot.acquire(timeout=remaining):
        raise TooManyLoginsError(BUSY_SECONDS)
    try:
        yield
    finally:
        _slot.release()


def _count(request: Any, username: str) -> None:
    """Count a login of an address.

    Each increment is visible to the sums that follow it. So of any number of simultaneous logins,
    in any number of processes, no more than ``AXES_FAILURE_LIMIT`` see a sum within the limit.
    """
    key = {
        "username": username,
        "ip_address": request.axes_ip_address,
        "user_agent": request.axes_user_agent,
    }
    handler = LockoutHandler()
    handler.clean_expired_user_attempts(request)
    attempts = AccessAttempt.objects.filter(**key)
    if not handler.is_locked(request):
        if not attempts.exists():
            first = AccessAttempt(**key, failures_since_start=0, path_info=request.path_info[:255])
            AccessAttempt.objects.bulk_create([first], ignore_conflicts=True)
        attempts.update(
            failures_since_start=F("failures_since_start") + 1,
            attempt_time=request.axes_attempt_time,
        )
        if handler.get_failures(request) <= settings.AXES_FAILURE_LIMIT:
            return
        attempts.update(failures_since_start=F("failures_since_start") - 1)  # it is not tried
    # Others have been counted since this request began, and one of them may be successful.
    raise TooManyLoginsError(BUSY_SECONDS)

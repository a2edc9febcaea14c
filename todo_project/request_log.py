"""The request's id, on every line of the log."""

import logging
import re
import secrets
from contextvars import ContextVar

ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")


def request_id(sent: str) -> str:
    """Return the id that a client sent, if it is one, or a fresh one.

    Source: contract.md "What goes beyond the plan", request ids.
    """
    return sent if ACCEPTED_REQUEST_ID.fullmatch(sent) else secrets.token_hex(16)


class RequestIdFilter(logging.Filter):
    """Gives each record the id of the request that is being answered, or ``-``."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set ``record.request_id`` and keep the record."""
        record.request_id = current_request_id.get()
        return True

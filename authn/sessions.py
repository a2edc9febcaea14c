"""Better Auth's opaque session tokens. Imported only if ``BETTER_AUTH_SESSIONS`` is on.

Unlike a JWT, a session can be revoked at once: each request looks for it in Better Auth's table,
which must be in the same database as the tasks.

Source: docs/decisions/0024-sessions-in-the-table.md; Better Auth, "Database", core schema, and
"Bearer Token Authentication".
"""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from django.db import OperationalError, ProgrammingError, connection
from django.utils import timezone

from authn.tokens import ExpiredTokenError, InvalidTokenError, UnverifiableError

# A session's token, alone or with the signature of the cookie, whose base64 may be percent-encoded.
# No JWT matches: it has two dots.
SESSION_TOKEN = re.compile(
    r"(?P<token>[A-Za-z0-9]{32})(?:\.(?P<signature>[\w+/%-]{43,140}=?))?", re.ASCII
)
# The end of the session, by vendor: a Unix time, or as it is stored. As text, a time of PostgreSQL
# would depend on ``DateStyle``.
EXPIRY = {
    "postgresql": 'CAST(extract(epoch FROM s."expiresAt") AS double precision)',
    "sqlite": 'CAST(s."expiresAt" AS text)',
}
# Better Auth's unique index on the token serves it. Ids have a type that depends on the ORM. SQLite
# would take an unknown name in quotes for a string, but not after an alias.
STATEMENT = 'SELECT CAST(s."userId" AS text), {} FROM "session" AS s WHERE s."token" = %s'
# In SQLite, some ORMs write numbers: Unix times in seconds or, from this value on, in milliseconds.
FIRST_MILLISECONDS = 10**11


def session_claims(token: str, secrets: Sequence[str]) -> Mapping[str, Any]:
    """Return the claims of a session token: ``sub`` is its user, ``exp`` the end of the session.

    Args:
        token: a text that ``SESSION_TOKEN`` matches.
        secrets: the accepted secrets, one of which must have signed a signed token.

    Raises:
        InvalidTokenError: the signature is wrong, or there is no such session.
        ExpiredTokenError: the session has expired.
        UnverifiableError: the table is missing or unreadable.
        DatabaseError: the database does not answer.
    """
    parts = SESSION_TOKEN.fullmatch(token)
    if parts is None:
        raise InvalidTokenError("malformed")
    if parts["signature"]:
        _check_signature(parts["token"], parts["signature"], secrets)
    row = _read(parts["token"])
    if row is None:
        raise InvalidTokenError("unknown_session")
    user_id, stored = row
    expires_at = _time(stored)
    if expires_at <= timezone.now():
        raise ExpiredTokenError("expired")
    return {"sub": user_id, "exp": expires_at.timestamp()}


def table_is_readable() -> bool:
    """Return whether Better Auth's table of sessions is in the database and can be read.

    Raises:
        DatabaseError: the database does not answer.
    """
    try:
        _read("")
    except UnverifiableError:
        return False
    return True


def _check_signature(token: str, signature: str, secrets: Sequence[str]) -> None:
    given = unquote(signature).rstrip("=").replace("-", "+").replace("_", "/")
    for secret in secrets:
        digest = hmac.digest(secret.encode(), token.encode(), "sha256")
        if hmac.compare_digest(base64.b64encode(digest).rstrip(b"="), given.encode()):
            return
    raise InvalidTokenError("wrong_signature")


def _read(token: str) -> tuple[str, str | float | None] | None:
    statement = STATEMENT.format(EXPIRY[connection.vendor])
    try:
        if getattr(connection, "can_skip_cursor", False):  # todo_project/postgresql/base.py
            rows = connection.fetch_all(statement, [token], prepare=True)  # type: ignore[attr-defined]
        else:
            with connection.cursor() as cursor:
                cursor.execute(statement, [token])
                rows = cursor.fetchall()
    except (ProgrammingError, OperationalError) as error:
        # SQLite reports a missing table or column as an OperationalError, like an outage.
        if isinstance(error, OperationalError) and "no such" not in str(error):
            raise
        raise UnverifiableError("no_session_table") from None
    return rows[0] if rows else None


def _time(stored: str | float | None) -> datetime:
    """Parse a stored time; one without an offset is in UTC.

    Raises:
        InvalidTokenError: it is not a time.
    """
    try:
        with suppress(ValueError):
            number = float(stored or "")
            seconds = number / 1000 if number >= FIRST_MILLISECONDS else number
            return datetime.fromtimestamp(seconds, UTC)
        time = datetime.fromisoformat(str(stored))
    except (ValueError, OverflowError, OSError):
        raise InvalidTokenError("bad_expiry") from None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)

"""Better Auth's table of sessions, in the tests' database."""

import base64
import hmac
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from conftest import SECRET

TOKEN = "q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5H6"
COLUMNS = {
    "postgresql": '"userId" {} NOT NULL, "expiresAt" timestamptz',
    "sqlite": '"userId" {} NOT NULL, "expiresAt" date',
}


def execute(statement: str, *parameters: Any) -> None:
    """Execute SQL directly."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def create_table(id_type: str = "text") -> None:
    """Create the table like Better Auth's own migration, but allow an unknown end."""
    columns = COLUMNS[connection.vendor].format(id_type)
    execute(f'CREATE TABLE "session" ("token" text NOT NULL UNIQUE, {columns})')


def add(user_id: object = "alice", token: str = TOKEN, expires: Any = None) -> None:
    """Add a session, by default one that expires in an hour."""
    expires = expires or (timezone.now() + timedelta(hours=1)).isoformat()
    execute('INSERT INTO "session" VALUES (%s, %s, %s)', token, user_id, expires)


def signed(token: str = TOKEN, secret: str = SECRET) -> str:
    """Sign a token as Better Auth signs its cookie."""
    digest = hmac.digest(secret.encode(), token.encode(), "sha256")
    return f"{token}.{base64.b64encode(digest).decode()}"

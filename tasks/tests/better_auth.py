"""Create and fill Better Auth's user table in the test database."""

from django.db import connection

# name: (the SQL type, Alice's id, Bob's id)
IDS = {
    "text": ("text", "alice", "bob"),
    "uuid": (
        "uuid",
        "0d9c5b8e-6b5e-4c52-9f5e-5d0b3f1f8a01",
        "0d9c5b8e-6b5e-4c52-9f5e-5d0b3f1f8a02",
    ),
    "integer": ("integer", "1", "2"),
}


def execute(statement: str, *parameters: str) -> None:
    """Execute SQL directly."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def create_table(id_type: str = "text", columns: str = "name text,") -> None:
    """Create a user table like Better Auth 1.7's, including columns that must not be read."""
    execute(
        f'CREATE TABLE "user" (id {id_type} PRIMARY KEY, {columns} email text NOT NULL,'
        ' "emailVerified" boolean NOT NULL DEFAULT false, image text)'
    )


def add_user(user_id: str, email: str, name: str = "") -> None:
    """Insert a user."""
    execute('INSERT INTO "user" (id, name, email) VALUES (%s, %s, %s)', user_id, name, email)

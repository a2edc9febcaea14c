"""Better Auth's table of users in the tests' database, in the shapes that it comes in."""

from django.db import connection

# what an id is: (its type, alice's, bob's)
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
    """Run a statement past the models, as another program does."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def create_table(id_type: str = "text", columns: str = "name text,") -> None:
    """Make the table as Better Auth 1.7 does, with secrets that nobody here may read."""
    execute(
        f'CREATE TABLE "user" (id {id_type} PRIMARY KEY, {columns} email text NOT NULL,'
        ' "emailVerified" boolean NOT NULL DEFAULT false, image text)'
    )


def add_user(user_id: str, email: str, name: str = "") -> None:
    """Sign somebody up."""
    execute('INSERT INTO "user" (id, name, email) VALUES (%s, %s, %s)', user_id, name, email)

"""Databases as they are before this back end comes: their tables, and what is in them."""

from typing import Any

from django.core.management import call_command
from django.db import connection

from tasks.tests.jsonl import LINE

# By hand, from the plan's description
PLAN = """
CREATE TABLE task (
    id SERIAL PRIMARY KEY,
    user_id VARCHAR NOT NULL,
    title VARCHAR(200) NOT NULL,
    description VARCHAR(1000),
    completed BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITHOUT TIME ZONE NOT NULL
);
CREATE INDEX ix_task_user_id ON task (user_id);
"""
# As SQLModel emits it for a back end that keeps the zones
SQLMODEL = """
CREATE TABLE task (
    title VARCHAR(200) NOT NULL,
    description VARCHAR(1000),
    completed BOOLEAN NOT NULL,
    id SERIAL NOT NULL,
    user_id VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_task_user_id ON task (user_id);
"""
# By hand and without care: no lengths, hardly a NOT NULL, defaults of the server's, more columns
LOOSE = """
CREATE TABLE task (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id TEXT,
    title TEXT,
    description TEXT,
    completed BOOLEAN,
    created_at TIMESTAMP DEFAULT (now() AT TIME ZONE 'utc'),
    updated_at TIMESTAMP DEFAULT (now() AT TIME ZONE 'utc'),
    priority INTEGER NOT NULL DEFAULT 3,
    due_date DATE
);
"""
# By hand, with less room than this back end needs
TIGHT = """
CREATE TABLE task (
    id BIGSERIAL PRIMARY KEY,
    user_id VARCHAR(36) NOT NULL,
    title VARCHAR(80) NOT NULL,
    description VARCHAR(100) NOT NULL,
    completed BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ(0) NOT NULL,
    updated_at TIMESTAMP(3) NOT NULL
);
"""
# What Better Auth's own migration emits, with the jwt plugin
BETTER_AUTH = """
create table "user" ("id" text not null primary key, "name" text not null, "email" text not null
    unique, "emailVerified" boolean not null, "image" text, "createdAt" timestamptz default
    CURRENT_TIMESTAMP not null, "updatedAt" timestamptz default CURRENT_TIMESTAMP not null);
create table "session" ("id" text not null primary key, "expiresAt" timestamptz not null, "token"
    text not null unique, "createdAt" timestamptz default CURRENT_TIMESTAMP not null, "updatedAt"
    timestamptz not null, "ipAddress" text, "userAgent" text, "userId" text not null references
    "user" ("id") on delete cascade);
create table "account" ("id" text not null primary key, "accountId" text not null, "providerId" text
    not null, "userId" text not null references "user" ("id") on delete cascade, "accessToken" text,
    "refreshToken" text, "idToken" text, "accessTokenExpiresAt" timestamptz,
    "refreshTokenExpiresAt" timestamptz, "scope" text, "password" text, "createdAt" timestamptz
    default CURRENT_TIMESTAMP not null, "updatedAt" timestamptz not null);
create table "verification" ("id" text not null primary key, "identifier" text not null, "value"
    text not null, "expiresAt" timestamptz not null, "createdAt" timestamptz default
    CURRENT_TIMESTAMP not null, "updatedAt" timestamptz default CURRENT_TIMESTAMP not null);
create table "jwks" ("id" text not null primary key, "publicKey" text not null, "privateKey" text
    not null, "createdAt" timestamptz not null, "expiresAt" timestamptz, "alg" text, "crv" text);
create index "session_userId_idx" on "session" ("userId");
create index "account_userId_idx" on "account" ("userId");
create index "verification_identifier_idx" on "verification" ("identifier");
insert into "user" values ('alice', 'Alice', 'alice@example.com', true);
insert into "session" values ('s1', now(), 'token', now(), now(), null, null, 'alice');
"""
# ids, owners, titles; in an order that is not that of the ids
ROWS = """
INSERT INTO task (id, user_id, title, description, completed, created_at, updated_at)
    OVERRIDING SYSTEM VALUE VALUES
    (7, 'alice', 'Buy milk', NULL, false,
        '2026-01-06 15:30:00.123456+00', '2026-01-06 15:30:00.123456+00'),
    (2, 'alice', 'Höhe: 5 % \N{PILE OF POO}', '', true,
        '2025-07-01 00:00:00+00', '2025-07-01 23:59:59.999999+00'),
    (5, 'bob', ' ', 'Text', false, '2026-03-29 02:30:00+00', '2026-03-29 02:30:00+00');
"""
ALICE = [
    LINE
    | {
        "id": 2,
        "title": "Höhe: 5 % \N{PILE OF POO}",
        "description": "",
        "completed": True,
        "created_at": "2025-07-01T00:00:00.000000Z",
        "updated_at": "2025-07-01T23:59:59.999999Z",
    },
    LINE,
]


def execute(*scripts: str) -> list[tuple[Any, ...]]:
    """Run these statements as they are, and return what the last of them yields."""
    with connection.cursor() as cursor:
        for script in scripts:
            cursor.execute(script)
        return cursor.fetchall() if cursor.description else []


def empty() -> None:
    """Take everything away, for another old database."""
    execute("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")


def migrate(*arguments: str, **options: Any) -> None:
    """Run `manage.py migrate`, by default for the app's own migrations."""
    call_command("migrate", *(arguments or ["tasks"]), verbosity=0, **options)


def column(name: str) -> tuple[Any, ...]:
    """Return a column's type, and whether it refuses NULL."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
            " WHERE attrelid = 'task'::regclass AND attname = %s",
            [name],
        )
        found: tuple[Any, ...] = cursor.fetchone()
    return found


def snapshot() -> dict[str, Any]:
    """Read all relations by their names: columns, constraints, indexes, and what is in them."""
    relations = execute(
        "SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace"
        " ON pg_namespace.oid = relnamespace WHERE relkind IN ('r', 'v', 'S')"
        " AND nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
    )
    return {
        name: [
            execute(statement.format(name=name))
            for statement in (
                "SELECT attname, format_type(atttypid, atttypmod), attnotnull,"
                " pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef"
                " ON adrelid = attrelid AND adnum = attnum"
                " WHERE attrelid = '{name}'::regclass AND attnum > 0 ORDER BY attnum",
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE conrelid = '{name}'::regclass ORDER BY 1",
                "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
                " WHERE indrelid = '{name}'::regclass ORDER BY 1",
                "SELECT * FROM {name} ORDER BY 1",
            )
        ]
        for (name,) in relations
    }

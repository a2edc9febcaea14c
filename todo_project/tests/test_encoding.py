"""Databases that cannot hold every text (docs/contract.md, "A task")."""

import io
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.checks import Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connections
from django.db.utils import ConnectionHandler
from psycopg import sql

from conftest import ApiClient
from todo_project.configuration.database_url import database_settings
from todo_project.status import encoding, health, startup
from todo_project.status.encoding import REMEDY, encoding_problem

SENTENCE = "the encoding of the database is {}, not UTF8"


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def other(
    request: pytest.FixtureRequest, admin: psycopg.Connection[Any], tmp_path: Path
) -> Iterator[Any]:
    """Create a database with another encoding, and yield Django's connection to it."""
    name = f"encoding_{uuid.uuid4().hex}"
    admin.execute(
        sql.SQL(
            "CREATE DATABASE {} ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        ).format(sql.Identifier(name), sql.Literal(request.param))
    )
    settings = database_settings("DATABASE_URL", os.environ["NEON_DATABASE_URL"], tmp_path)
    other: Any = ConnectionHandler({"default": {**settings, "NAME": name}})["default"]
    yield other
    other.close()
    other.close_pool()
    admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def encoding_of(other: Any) -> str:
    """Return the name of a database's encoding."""
    with other.cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        [name] = cursor.fetchone()
    return str(name)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_database_of_another_encoding_is_reported(
    other: Any, anonymous: ApiClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``migrate`` must refuse it in one line, the server not be ready, and the log give advice."""
    problem = SENTENCE.format(encoding_of(other))
    monkeypatch.setattr(encoding, "connections", {"default": other})
    monkeypatch.setattr(health, "connection", other)
    monkeypatch.setattr(startup, "connection", other)

    with pytest.raises(ImproperlyConfigured) as refusal:
        call_command("migrate", skip_checks=False, verbosity=0)
    response = anonymous.send("GET", "/health/ready")
    startup.report_database()

    assert str(refusal.value) == f"T{problem[1:]}. {REMEDY}"
    assert other.introspection.table_names() == []
    assert response.status_code == 503
    assert f"Not ready: {problem}; {REMEDY}" in log.getvalue()
    assert f"answers, but {problem}. {REMEDY}" in log.getvalue()


@pytest.mark.django_db
def test_the_encoding_of_the_tests_is_right() -> None:
    """UTF8 and SQLite's encoding must be accepted, without a query."""
    default = connections["default"]
    default.ensure_connection()

    assert encoding_problem(default) == ""
    assert run_checks(tags=[Tags.database], databases=["default"]) == []
    assert run_checks(tags=[Tags.database]) == []


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_pooler_that_does_not_pass_the_encoding_on_is_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An unknown encoding must not stop a service that works."""
    default = connections["default"]
    default.ensure_connection()
    monkeypatch.setattr(type(default.connection.info), "parameter_status", lambda info, name: None)

    assert encoding_problem(default) == ""

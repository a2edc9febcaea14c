"""Better Auth's session tokens, with ``BETTER_AUTH_SESSIONS`` (docs/contract.md, "Authentication").

``examples/tests/test_sessions.py`` tests them with the real Better Auth.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from authn.sessions import table_is_readable
from authn.tests.session_table import TOKEN, add, create_table, execute, signed
from conftest import SECRET, ApiClient
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db

TASKS = "/api/alice/tasks"
OTHER_SECRET = "another-secret-of-these-tests-0123456789"


def list_tasks(token: str) -> tuple[int, Any]:
    """Return the status and the body of Alice's list."""
    response = ApiClient(token=token).send("GET", TASKS)
    return response.status_code, response.json()


def detail(token: str) -> tuple[int, str]:
    """Return the status and the detail of a refusal."""
    status, body = list_tasks(token)
    return status, body["detail"]


INVALID = (401, "Invalid or malformed token")


@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize(
    "token",
    [
        *(TOKEN, signed(), signed().rstrip("="), quote(signed()), quote(signed(), safe="")),
        signed().replace("+", "-").replace("/", "_"),
    ],
    ids=["alone", "signed", "without padding", "encoded", "all encoded", "base64url"],
)
def test_a_session_token_opens_its_users_tasks(token: str) -> None:
    """The token and the cookie's value must open what a JWT of the user opens, and no more."""
    add()
    TaskFactory.create(user_id="alice", title="Mine")
    TaskFactory.create(user_id="bob")

    status, tasks = list_tasks(token)
    others = ApiClient(token=token).send("GET", "/api/bob/tasks")

    assert (status, [task["title"] for task in tasks]) == (200, ["Mine"])
    assert others.status_code == 403


@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize(
    "token",
    [
        *(TOKEN[:-1] + "x", TOKEN.lower(), TOKEN[:-1], f"{TOKEN}x", f"{TOKEN}.", f".{TOKEN}"),
        *(f"{TOKEN}%00", "\u0661" * 32, signed(secret=OTHER_SECRET), f"{signed()}x"),
        *(signed()[:-5], signed().swapcase(), f"{TOKEN}.{'A' * 43}=", f"{TOKEN}.{'%' * 43}"),
        signed("x" * 32),
    ],
    ids=ascii,
)
def test_any_other_token_is_invalid(token: str) -> None:
    """A forged, cut or unknown token must be a 401 that changes nothing (FR-004)."""
    add()
    before = rows()
    client = ApiClient(token=token)

    response = client.send("POST", TASKS, {"title": "New"})

    assert (response.status_code, response.json()["detail"]) == INVALID
    assert rows() == before


@pytest.mark.usefixtures("sessions")
def test_a_revoked_session_is_refused_at_once() -> None:
    """A session that is no longer in the table must not be accepted from a cache."""
    add()
    assert list_tasks(TOKEN)[0] == 200

    execute('DELETE FROM "session"')

    assert detail(TOKEN) == INVALID


@pytest.mark.usefixtures("sessions")
def test_an_expired_session_is_refused() -> None:
    """The row of an expired session must not count, even before Better Auth deletes it."""
    add(expires=(timezone.now() - timedelta(microseconds=1)).isoformat())

    assert detail(TOKEN) == (401, "Token has expired")


@pytest.mark.usefixtures("sessions")
def test_a_jwt_is_accepted_beside_sessions() -> None:
    """The setting must not change how JWTs are verified."""
    assert ApiClient("alice").send("GET", TASKS).status_code == 200
    assert detail("a.b.c") == INVALID


@pytest.mark.usefixtures("sessions")
def test_every_accepted_secret_may_have_signed_the_cookie(settings: Settings) -> None:
    """The old secret must count until it is removed, as for JWTs."""
    add()
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRETS": (SECRET, OTHER_SECRET)}

    assert list_tasks(signed(secret=OTHER_SECRET))[0] == 200


def test_sessions_are_refused_without_the_setting() -> None:
    """By default a session token must be an invalid token, without a look at the table."""
    create_table()
    add()

    assert [detail(token) for token in (TOKEN, signed())] == [INVALID] * 2


@pytest.mark.parametrize(("id_type", "user_id"), [("integer", "1"), ("text", "1")])
def test_an_id_may_have_any_type(settings: Settings, id_type: str, user_id: str) -> None:
    """Better Auth's ids may be integers, which paths contain in decimal digits."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SESSIONS": True}
    create_table(id_type)
    add(int(user_id) if id_type == "integer" else user_id)

    assert ApiClient(token=TOKEN).send("GET", "/api/1/tasks").status_code == 200


@pytest.mark.usefixtures("sessions")
def test_a_session_without_an_end_is_refused() -> None:
    """A session that may never expire must not be accepted."""
    execute('INSERT INTO "session" VALUES (%s, %s, NULL)', TOKEN, "alice")

    assert detail(TOKEN) == INVALID


@pytest.mark.postgresql
@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize("style", ["ISO, MDY", "German", "SQL, DMY", "Postgres"])
def test_a_session_is_accepted_with_any_date_style(style: str) -> None:
    """The database's form of times as text must not matter."""
    add()
    execute(f"SET datestyle TO {style}")

    assert list_tasks(TOKEN)[0] == 200
    execute("RESET datestyle")


@pytest.mark.sqlite
@pytest.mark.usefixtures("sessions")
def test_a_time_may_have_the_form_of_any_orm() -> None:
    """Times in SQLite may be text or numbers, in seconds or milliseconds."""
    now = datetime.now(UTC).replace(microsecond=0)
    past, future = now - timedelta(hours=1), now + timedelta(hours=1)
    forms: list[Callable[[datetime], Any]] = [
        lambda time: time.isoformat().replace("+00:00", ".000Z"),
        lambda time: time.replace(tzinfo=None).isoformat(" "),
        lambda time: int(time.timestamp()),
        lambda time: int(time.timestamp() * 1000),
        lambda time: time.timestamp() * 1000,
    ]
    for number, form in enumerate(forms):
        for state, time in {"past": past, "future": future}.items():
            token = f"{state}{number}".ljust(32, "0")
            add(token=token, expires=form(time))
            assert list_tasks(token)[0] == (401 if state == "past" else 200), form(time)
    for number, wrong in enumerate(["soon", 10**18, b"\0"]):
        token = f"wrong{number}".ljust(32, "0")
        add(token=token, expires=wrong)
        assert detail(token) == INVALID


@pytest.mark.django_db(transaction=True)
def test_a_missing_table_is_a_503(settings: Settings) -> None:
    """Without the table, nobody can be told apart: no 401, which would sign users out."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SESSIONS": True}

    assert detail(TOKEN) == (503, "Service temporarily unavailable")


def test_an_outage_is_a_503(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage during authentication must be like any other."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SESSIONS": True}

    def fail(*_: Any) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(connection, "cursor", fail)

    assert detail(TOKEN) == (503, "Service temporarily unavailable")
    with pytest.raises(DatabaseError):
        table_is_readable()


def test_the_table_can_be_looked_for() -> None:
    """The start must be able to tell whether the table is there."""
    create_table()

    assert table_is_readable()


@pytest.mark.sqlite
@pytest.mark.parametrize("column", ["token", "userId", "expiresAt"])
def test_another_name_of_a_column_is_noticed(column: str) -> None:
    """SQLite must not take the name of a missing column for a string."""
    create_table()
    execute(f'ALTER TABLE "session" RENAME COLUMN "{column}" TO "other"')

    assert not table_is_readable()


@pytest.mark.django_db(transaction=True)
def test_a_missing_table_is_noticed() -> None:
    """The start must be able to tell whether the table is missing."""
    assert not table_is_readable()

"""Better Auth's session tokens, with its tables in the API's database (docs/better-auth.md)."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from conftest import SECRET
from examples.tests.better_auth import (
    PASSWORD,
    BetterAuth,
    Deployment,
    User,
    create_task,
    list_tasks,
    running_better_auth,
    sign_up,
    stored_tasks,
)
from todo_project.tests.live_server import (
    GUNICORN,
    LiveServer,
    copy_project,
    free_port,
    fresh_database,
    run,
)

pytestmark = pytest.mark.postgresql

INVALID = (401, "Invalid or malformed token")
EXPIRED = (401, "Token has expired")
UNAVAILABLE = (503, "Service temporarily unavailable")
APP_LOAD_ERROR = 4  # gunicorn's exit code
NEEDS_TABLE = "BETTER_AUTH_SESSIONS needs Better Auth's table"


@dataclass(frozen=True)
class Shared:
    """Better Auth and the API, with one database.

    Args:
        better_auth: Better Auth with the ``bearer`` plugin.
        api: the API, which accepts session tokens.
        deployment: the API's code and variables.
    """

    better_auth: BetterAuth
    api: LiveServer
    deployment: Deployment

    def execute(self, statement: str, *parameters: str) -> int:
        """Execute SQL in the database, and return the number of rows."""
        url = self.deployment.variables["NEON_DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as wire:
            return wire.execute(statement.encode(), parameters).rowcount


@pytest.fixture(scope="module")
def deployment(front_end: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Copy the project, and migrate a database in which Better Auth has no tables yet."""
    folder: Path = tmp_path_factory.mktemp("sessions")
    project = copy_project(folder / "project")
    with fresh_database(folder) as database_url:
        variables = {
            "BETTER_AUTH_SECRET": SECRET,
            "BETTER_AUTH_SESSIONS": "true",
            "BETTER_AUTH_URL": front_end,
            "NEON_DATABASE_URL": database_url,
            "WEB_CONCURRENCY": "1",
        }
        migrated = run(project, "manage.py", "migrate", "--verbosity=0", **variables)
        assert migrated.returncode == 0, migrated.stderr
        yield Deployment(project, variables, folder)


@pytest.fixture(scope="module")
def shared(node: None, deployment: Deployment, front_end: str) -> Iterator[Shared]:
    """Let Better Auth create its tables in the API's database, and serve both."""
    port = str(free_port())
    variables = {
        "API_URL": f"http://127.0.0.1:{port}",  # deletes the tasks of a deleted account
        "TEST_BEARER": "1",
        "TEST_DATABASE_URL": deployment.variables["NEON_DATABASE_URL"],
    }
    with (
        running_better_auth(front_end, **variables) as process,
        deployment.serving(PORT=port) as api,
    ):
        yield Shared(process.serving(), api, deployment)


@pytest.fixture
def user(shared: Shared) -> Iterator[User]:
    """Sign up a user."""
    with shared.better_auth.client() as client:
        yield sign_up(client)


def outcome(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the detail of a refusal."""
    return response.status_code, response.json()["detail"]


def refusal(shared: Shared, user: User, token: str) -> tuple[int, str]:
    """Try to create a task; return the status and the detail, and assert that nothing changed."""
    before = stored_tasks(shared.api, user.id)
    answer = outcome(create_task(shared.api, user.id, token))
    assert stored_tasks(shared.api, user.id) == before
    return answer


def sign_in(user: User) -> httpx.Response:
    """Sign a user in again, which begins another session."""
    account = {"email": user.email, "password": PASSWORD}
    return user.client.post("/api/auth/sign-in/email", json=account).raise_for_status()


def post(user: User, path: str, **body: str) -> None:
    """Call an endpoint of Better Auth as this user."""
    user.client.post(f"/api/auth/{path}", json=body).raise_for_status()


def sign_out(user: User) -> None:
    """End the session as a front end does."""
    post(user, "sign-out")


def revoke_session(user: User) -> None:
    """Revoke one session by its token."""
    post(user, "revoke-session", token=user.session_token)


def revoke_sessions(user: User) -> None:
    """Revoke all sessions, as after a lost device."""
    post(user, "revoke-sessions")


def delete_account(user: User) -> None:
    """Delete the account, which deletes its sessions."""
    post(user, "delete-user", password=PASSWORD)


def test_every_form_of_a_session_token_is_accepted(shared: Shared, user: User) -> None:
    """The token of the sign-in, the cookie's value and the bearer plugin's header must work."""
    signed_in = sign_in(user)
    tokens = {
        "at sign-up": user.session_token,
        "at sign-in": signed_in.json()["token"],
        "cookie": user.cookies["better-auth.session_token"],
        "bearer plugin": signed_in.headers["set-auth-token"],
    }
    created = create_task(shared.api, user.id, user.session_token).json()

    answers = {name: list_tasks(shared.api, user.id, token) for name, token in tokens.items()}

    assert (created["user_id"], "%" in tokens["cookie"]) == (user.id, True)
    listed = {name: answer.json() for name, answer in answers.items()}
    assert listed == {name: [created] for name in tokens}


def test_another_users_path_is_forbidden(shared: Shared, user: User) -> None:
    """A session must open its own user's path only (FR-003, FR-005)."""
    with shared.better_auth.client() as client:
        other = sign_up(client)

    answer = create_task(shared.api, other.id, user.session_token)

    assert outcome(answer) == (403, "Access forbidden: user_id mismatch")
    assert stored_tasks(shared.api, other.id) == []


def test_a_forged_signature_is_refused(shared: Shared, user: User) -> None:
    """The signature must be checked even if the session exists."""
    token, signature = user.cookies["better-auth.session_token"].split(".")
    changed = signature.translate(str.maketrans("ABab", "BAba"))

    forged = [f"{token}.{changed[::-1]}", f"{token}.{'A' * 43}%3D", f"{token[::-1]}.{signature}"]

    assert [refusal(shared, user, each) for each in forged] == [INVALID] * 3


@pytest.mark.parametrize("end", [sign_out, revoke_session, revoke_sessions, delete_account])
def test_an_ended_session_is_refused_at_once(
    shared: Shared, user: User, end: Callable[[User], None]
) -> None:
    """The first request after the end must be a 401, and its log line must have the reason."""
    assert list_tasks(shared.api, user.id, user.session_token).status_code == 200

    end(user)

    for token in (user.session_token, user.cookies["better-auth.session_token"]):
        assert refusal(shared, user, token) == INVALID
    shared.api.wait_for_log('"reason":"unknown_session"')


def test_an_expired_session_is_refused(shared: Shared, user: User) -> None:
    """The page must be able to tell an expired session from an invalid token."""
    past = """UPDATE "session" SET "expiresAt" = now() - interval '1 ms' WHERE token = %s"""
    assert shared.execute(past, user.session_token) == 1

    assert refusal(shared, user, user.session_token) == EXPIRED


def test_a_jwt_is_accepted_beside_sessions(shared: Shared, user: User) -> None:
    """A JWT must last until its ``exp``, even without its session."""
    token = user.client.get("/api/auth/api-token").json()["token"]

    sign_out(user)

    assert list_tasks(shared.api, user.id, token).json() == []


def test_session_tokens_are_refused_without_the_setting(shared: Shared, user: User) -> None:
    """The tables alone must not change what the API accepts."""
    tokens = (user.session_token, user.cookies["better-auth.session_token"])

    with shared.deployment.serving(BETTER_AUTH_SESSIONS="") as api:
        answers = [outcome(list_tasks(api, user.id, token)) for token in tokens]

    assert answers == [INVALID] * 2


def refused_start(deployment: Deployment) -> str:
    """Start gunicorn, which must fail, and return its log."""
    variables = {**deployment.variables, "HOST": "127.0.0.1", "PORT": str(free_port())}
    stopped = run(deployment.project, *GUNICORN[1:], **variables)
    assert stopped.returncode == APP_LOAD_ERROR, stopped.stdout
    assert "Traceback" not in stopped.stdout + stopped.stderr
    return stopped.stdout


def test_a_missing_table_stops_the_start(shared: Shared, user: User) -> None:
    """The log must say what is missing. If that happens later, requests must get a 503."""
    shared.execute('ALTER TABLE "session" RENAME TO "session_away"')
    try:
        answers = [
            refusal(shared, user, token)
            for token in (user.session_token, user.cookies["better-auth.session_token"])
        ]
        log = refused_start(shared.deployment)
    finally:
        shared.execute('ALTER TABLE "session_away" RENAME TO "session"')

    assert answers == [UNAVAILABLE] * 2
    shared.api.wait_for_log('"reason":"no_session_table"')
    assert NEEDS_TABLE in log
    assert list_tasks(shared.api, user.id, user.session_token).json() == []


def test_an_unreadable_table_stops_the_start(shared: Shared) -> None:
    """A user of the database without the right to read sessions must be noticed at the start."""
    role = f"reader_{uuid.uuid4().hex}"
    shared.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'reader'")
    try:
        log = refused_start(as_user(shared.deployment, role))
        shared.execute(f'GRANT SELECT ON "session" TO {role}')
        with as_user(shared.deployment, role).serving() as api:
            assert outcome(list_tasks(api, "ada", "x" * 32)) == INVALID
    finally:
        shared.execute(f"DROP OWNED BY {role}")
        shared.execute(f"DROP ROLE {role}")

    assert NEEDS_TABLE in log


def as_user(deployment: Deployment, role: str) -> Deployment:
    """Let the API log in to the database as another user."""
    url = urlsplit(deployment.variables["NEON_DATABASE_URL"])
    url = url._replace(netloc=f"{role}:reader@{url.netloc.rpartition('@')[2]}")
    variables = {**deployment.variables, "NEON_DATABASE_URL": url.geturl()}
    return replace(deployment, variables=variables)

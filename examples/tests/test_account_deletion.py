"""Deleting an account in Better Auth (docs/recipes.md, "Deleting an account")."""

from collections.abc import Iterator

import pytest

from examples.tests.better_auth import (
    PASSWORD,
    BetterAuth,
    Deployment,
    User,
    create_task,
    running_better_auth,
    sign_up,
    stored_tasks,
)
from todo_project.tests.live_server import LiveServer, free_port, run

PAGE = 100  # tasks that are deleted at a time


@pytest.fixture(scope="module")
def connected(node: None, front_end: str, api: LiveServer) -> Iterator[BetterAuth]:
    """Run Better Auth with the address of the API."""
    with running_better_auth(front_end, API_URL=api.address) as process:
        yield process.serving()


def delete_account(user: User, password: str = PASSWORD) -> int:
    """Delete the account of a user, and return the status."""
    body = {"password": password}
    return user.client.post("/api/auth/delete-user", json=body).status_code


def token_of(user: User) -> str:
    """Return a token of the user for the API."""
    token: str = user.client.get("/api/auth/api-token").json()["token"]
    return token


def test_deleting_an_account_deletes_the_tasks_of_its_user_only(
    connected: BetterAuth, api: LiveServer
) -> None:
    """All pages of tasks must be deleted, and no task of another user."""
    with connected.client() as client, connected.client() as other_client:
        user, other = sign_up(client), sign_up(other_client)
        token = token_of(user)
        created = [create_task(api, user.id, token).status_code for _ in range(PAGE + 1)]
        kept = create_task(api, other.id, token_of(other)).json()

        assert created == [201] * (PAGE + 1)
        assert delete_account(user) == 200
        assert stored_tasks(api, user.id) == []
        assert stored_tasks(api, other.id) == [kept]


def test_a_refused_deletion_deletes_no_task(connected: BetterAuth, api: LiveServer) -> None:
    """The tasks must remain as long as the account does."""
    with connected.client() as client:
        user = sign_up(client)
        kept = create_task(api, user.id, token_of(user)).json()

        assert delete_account(user, password="wrong password") == 400
        assert stored_tasks(api, user.id) == [kept]


def test_without_the_api_the_log_says_how_to_delete_the_tasks(
    node: None,
    front_end: str,
    api: LiveServer,
    deployment: Deployment,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The account must be deleted, and the command in the log must delete the tasks."""
    away = f"http://127.0.0.1:{free_port()}"
    with (
        running_better_auth(front_end, API_URL=away) as process,
        process.serving().client() as client,
    ):
        user = sign_up(client)
        create_task(api, user.id, token_of(user))

        assert delete_account(user) == 200
        assert client.get("/api/auth/get-session").json() is None
    command = f"manage.py cleanup_tasks --user {user.id}"
    assert f"Tasks remain. Run: {command} (Error: GET: 503)" in capfd.readouterr().err
    assert len(stored_tasks(api, user.id)) == 1

    cleaned = run(deployment.project, *command.split(), "--no-input", **deployment.variables)

    assert (cleaned.returncode, cleaned.stderr) == (0, "")
    assert stored_tasks(api, user.id) == []

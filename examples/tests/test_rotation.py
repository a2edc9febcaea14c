"""Replacing the secret, on both sides, as the README says."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.tests.better_auth import (
    PASSWORD,
    Deployment,
    create_task,
    list_tasks,
    running_better_auth,
    sign_up,
)
from todo_project.tests.live_server import LiveServer

OLD = "1:the-old-secret-that-everybody-has-seen-by-now"
NEW = "2:the-new-secret-that-nobody-has-seen-so-far"


@dataclass(frozen=True)
class Signed:
    """One user's two tokens, of before and after the rotation."""

    user_id: str
    old: str
    new: str


@pytest.fixture(scope="module")
def signed(node: None, front_end: str, tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """Sign up under the old secret; rotate, with the same accounts; sign in under the new one."""
    state: Path = tmp_path_factory.mktemp("better-auth") / "state.json"
    before = {"BETTER_AUTH_SECRETS": OLD, "TEST_STATE_FILE": str(state)}
    after = {"BETTER_AUTH_SECRETS": f"{NEW},{OLD}", "TEST_STATE_FILE": str(state)}
    with running_better_auth(front_end, **before) as running, running.visitor() as browser:
        person = sign_up(browser)
        old = browser.get("/api/auth/api-token").json()["token"]
    account = {"email": person.email, "password": PASSWORD}
    with running_better_auth(front_end, **after) as running, running.visitor() as browser:
        signed_in = browser.post("/api/auth/login", json=account).json()["data"]
    assert signed_in["user"]["id"] == person.id
    return Signed(person.id, old, signed_in["token"])


@pytest.fixture
def rotating_api(deployment: Deployment, request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    """Serve the API with the list of secrets that the parameter is, and no other secret."""
    with deployment.serving(BETTER_AUTH_SECRET="", BETTER_AUTH_SECRETS=request.param) as live:
        yield live


@pytest.mark.parametrize(
    ("rotating_api", "old", "new"),
    [
        pytest.param(OLD, 200, 401, id="before the rotation"),
        pytest.param(f"{NEW},{OLD}", 200, 200, id="while both are listed"),
        pytest.param(NEW, 401, 200, id="when the old one is removed"),
    ],
    indirect=["rotating_api"],
)
def test_a_token_is_good_as_long_as_its_secret_is_listed(
    rotating_api: LiveServer, signed: Signed, old: int, new: int
) -> None:
    """A secret must be replaceable without signing anybody out (contract.md "Who may come in")."""
    assert list_tasks(rotating_api, signed.user_id, signed.old).status_code == old
    assert list_tasks(rotating_api, signed.user_id, signed.new).status_code == new


@pytest.mark.parametrize("rotating_api", [NEW], indirect=True)
def test_a_token_of_a_removed_secret_changes_nothing(
    rotating_api: LiveServer, signed: Signed
) -> None:
    """A token of a removed secret must be no token at all (contract.md "Who may come in")."""
    refused = create_task(rotating_api, signed.user_id, signed.old)

    assert (refused.status_code, refused.json()["detail"]) == (401, "Invalid or malformed token")
    assert list_tasks(rotating_api, signed.user_id, signed.new).json() == []

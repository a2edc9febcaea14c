"""Replacing the secret on both sides, as docs/better-auth.md describes."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from conftest import ApiClient
from examples.tests.better_auth import PASSWORD, running_better_auth, sign_up
from tasks.models import Task
from todo_project.tests.settings_loader import load

OLD = "1:an-old-secret-of-at-least-32-bytes-0123"
NEW = "2:a-new-secret-of-at-least-32-bytes-0123"

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class IssuedTokens:
    """One user's tokens: two from before the rotation, one from after it."""

    user_id: str
    old: str
    old_of_plugin: str
    new: str


@pytest.fixture(scope="module")
def issued(node: None, front_end: str, tmp_path_factory: pytest.TempPathFactory) -> IssuedTokens:
    """Sign up with the old secret; rotate, keeping the accounts; sign in with the new one."""
    state: Path = tmp_path_factory.mktemp("better-auth") / "state.json"
    before = {"BETTER_AUTH_SECRETS": OLD, "TEST_STATE_FILE": str(state)}
    after = {"BETTER_AUTH_SECRETS": f"{NEW},{OLD}", "TEST_STATE_FILE": str(state)}
    with (
        running_better_auth(front_end, **before) as better_auth,
        better_auth.serving().client() as client,
    ):
        user = sign_up(client)
        old = client.get("/api/auth/api-token").json()["token"]
        old_of_plugin = client.get("/api/auth/token").json()["token"]
    account = {"email": user.email, "password": PASSWORD}
    with (
        running_better_auth(front_end, **after) as better_auth,
        better_auth.serving().client() as client,
    ):
        signed_in = client.post("/api/auth/login", json=account).json()["data"]
    assert signed_in["user"]["id"] == user.id
    return IssuedTokens(user.id, old, old_of_plugin, signed_in["token"])


@pytest.fixture(autouse=True)
def accepted_secrets(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Configure the API with the parameter as its list of secrets."""
    read = load(monkeypatch, BETTER_AUTH_SECRET="", BETTER_AUTH_SECRETS=request.param)
    settings.BETTER_AUTH = read["BETTER_AUTH"]


@pytest.mark.parametrize(
    ("accepted_secrets", "old", "new"),
    [
        pytest.param(OLD, 200, 401, id="before the rotation"),
        pytest.param(f"{NEW},{OLD}", 200, 200, id="while both are listed"),
        pytest.param(NEW, 401, 200, id="when the old one is removed"),
    ],
    indirect=["accepted_secrets"],
)
def test_a_token_is_valid_while_its_secret_is_listed(
    issued: IssuedTokens, old: int, new: int
) -> None:
    """A rotation must not sign anyone out (docs/contract.md, "Authentication")."""
    expected = {issued.old: old, issued.old_of_plugin: old, issued.new: new}
    path = f"/api/{issued.user_id}/tasks"
    statuses = [ApiClient(token=token).send("GET", path).status_code for token in expected]

    assert statuses == list(expected.values())


@pytest.mark.parametrize("accepted_secrets", [NEW], indirect=True)
@pytest.mark.parametrize("kind", ["old", "old_of_plugin"])
def test_a_token_signed_with_a_removed_secret_changes_nothing(
    issued: IssuedTokens, kind: str
) -> None:
    """A removed secret must no longer be accepted (docs/contract.md, "Authentication")."""
    client = ApiClient(token=getattr(issued, kind))
    rejected = client.send("POST", f"/api/{issued.user_id}/tasks", {"title": "Buy milk"})

    assert (rejected.status_code, rejected.json()["detail"]) == (401, "Invalid or malformed token")
    assert not Task.objects.filter(user_id=issued.user_id).exists()

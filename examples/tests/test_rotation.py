"""Replacing the secret on both sides, as docs/better-auth.md describes."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from conftest import ApiClient
from examples.tests.better_auth import PASSWORD, running_better_auths, sign_up
from tasks.models import Task
from todo_project.tests.settings_loader import load

OLD = "1:the-old-secret-that-everybody-has-seen-by-now"
NEW = "2:the-new-secret-that-nobody-has-seen-so-far"

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Signed:
    """One user's tokens: two of before the rotation, one of after it."""

    user_id: str
    old: str
    old_of_plugin: str
    new: str


@pytest.fixture(scope="module")
def signed(node: None, front_end: str, tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """Sign up under the old secret; rotate, with the same accounts; sign in under the new one."""
    state: Path = tmp_path_factory.mktemp("better-auth") / "state.json"
    before = {"BETTER_AUTH_SECRETS": OLD, "TEST_STATE_FILE": str(state)}
    after = {"BETTER_AUTH_SECRETS": f"{NEW},{OLD}", "TEST_STATE_FILE": str(state)}
    with running_better_auths(front_end, **before) as auths, auths.serving().visitor() as browser:
        person = sign_up(browser)
        old = browser.get("/api/auth/api-token").json()["token"]
        old_of_plugin = browser.get("/api/auth/token").json()["token"]
    account = {"email": person.email, "password": PASSWORD}
    with running_better_auths(front_end, **after) as auths, auths.serving().visitor() as browser:
        signed_in = browser.post("/api/auth/login", json=account).json()["data"]
    assert signed_in["user"]["id"] == person.id
    return Signed(person.id, old, old_of_plugin, signed_in["token"])


@pytest.fixture(autouse=True)
def accepted_secrets(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give the API the list of secrets that the parameter is, and no other secret."""
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
def test_a_token_is_good_as_long_as_its_secret_is_listed(
    signed: Signed, old: int, new: int
) -> None:
    """A secret must be replaceable without signing anybody out (contract.md "Who may come in")."""
    tokens = {signed.old: old, signed.old_of_plugin: old, signed.new: new}
    path = f"/api/{signed.user_id}/tasks"
    seen = [ApiClient(token=token).send("GET", path).status_code for token in tokens]

    assert seen == list(tokens.values())


@pytest.mark.parametrize("accepted_secrets", [NEW], indirect=True)
@pytest.mark.parametrize("kind", ["old", "old_of_plugin"])
def test_a_token_of_a_removed_secret_changes_nothing(signed: Signed, kind: str) -> None:
    """A token of another secret must be no token at all (contract.md "Who may come in")."""
    client = ApiClient(token=getattr(signed, kind))
    refused = client.send("POST", f"/api/{signed.user_id}/tasks", {"title": "Buy milk"})

    assert (refused.status_code, refused.json()["detail"]) == (401, "Invalid or malformed token")
    assert not Task.objects.filter(user_id=signed.user_id).exists()

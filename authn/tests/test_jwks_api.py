"""Key pairs through the whole API (issue "Real Better Auth", JWKS)."""

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from authn.authentication import configured_verifier
from authn.tests.jwks_server import ISSUER, KEY_PAIRS, Issuer, KeyPair, good, key_pair
from conftest import ApiClient, mint
from tasks.tests.factories import TaskFactory, rows

ROUTES = (
    ("GET", "/api/alice/tasks"),
    ("POST", "/api/alice/tasks"),
    ("GET", "/api/alice/tasks/{id}"),
    ("PUT", "/api/alice/tasks/{id}"),
    ("DELETE", "/api/alice/tasks/{id}"),
    ("PATCH", "/api/alice/tasks/{id}/complete"),
)


@pytest.fixture(autouse=True)
def _configured(settings: Settings, issuer: Issuer) -> None:
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "JWKS": (issuer.url, ISSUER, ISSUER)}


def ask(token: str, path: str = "/api/alice/tasks") -> Any:
    """Ask for tasks with this token."""
    return ApiClient(token=token).send("GET", path)


@pytest.mark.django_db
@pytest.mark.parametrize("alg", KEY_PAIRS)
def test_a_key_pairs_token_opens_its_own_users_path_only(issuer: Issuer, alg: str) -> None:
    """It must be worth as much as one signed with the secret, and no more (FR-003)."""
    issuer.publish(pair := key_pair(alg))
    answers = [ask(pair.sign(), f"/api/{user_id}/tasks") for user_id in ("alice", "bob")]

    assert [answer.status_code for answer in answers] == [200, 403]


@pytest.mark.django_db
def test_tokens_of_the_secret_are_served_while_the_issuer_is_away(issuer: Issuer) -> None:
    """HS256 must not depend on anybody's key set."""
    issuer.status = 500

    assert ask(mint()).status_code == 200
    assert issuer.fetches == 0


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        (good(iss="https://elsewhere.example"), "Invalid or malformed token"),
        (good(exp=1), "Token has expired"),
        (good(sub=None), "Token missing user identifier"),
    ],
)
def test_a_key_pairs_token_is_refused_in_the_same_words(
    pair: KeyPair, payload: dict[str, Any], detail: str
) -> None:
    """The contract's details must not depend on the algorithm (FR-004)."""
    answer = ask(pair.sign(payload))

    assert (answer.status_code, answer.json()["detail"]) == (401, detail)


@pytest.mark.django_db
def test_without_keys_every_endpoint_answers_503_and_changes_nothing(
    issuer: Issuer, pair: KeyPair, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Whoever cannot be told from a stranger must be asked to come back, not to sign in."""
    issuer.status = 500
    task = TaskFactory.create(user_id="alice")
    before = rows()
    client = ApiClient(token=pair.sign())

    with django_assert_num_queries(0):
        answers = [
            client.send(method, path.format(id=task.id), {"title": "x"}) for method, path in ROUTES
        ]

    sentence = "Service temporarily unavailable"
    assert [answer.status_code for answer in answers] == [503] * 6
    assert answers[0].json() == {"detail": sentence, "error": sentence}
    assert {answer["Retry-After"] for answer in answers} == {"2"}
    assert not any(answer.has_header("WWW-Authenticate") for answer in answers)
    assert rows() == before


def test_a_503_is_logged_once_with_its_reason_and_the_cause(
    issuer: Issuer, pair: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator must see why, and nothing of the token (SC-009, FR-017)."""
    issuer.status = 500
    token = pair.sign()
    ask(token)

    assert caplog.messages == [
        "BETTER_AUTH_JWKS_URL gives no keys: 'HTTP Error 500: Internal Server Error'",
        "503 jwks_unavailable",
    ]
    assert not [part for part in token.split(".") if part in caplog.text]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"kid": "made-up"}, "unknown_key"),
        ({"typ": "better-auth.session-cache+jwt"}, "wrong_type"),
        ({"alg": "ES256"}, "wrong_algorithm"),
    ],
)
def test_a_401_is_logged_with_its_reason(
    pair: KeyPair, log: io.StringIO, header: dict[str, str], reason: str
) -> None:
    """Each failure must be logged under a code that does not change (SC-009)."""
    assert ask(pair.sign(header={**pair.header, **header})).status_code == 401

    assert json.loads(log.getvalue())["reason"] == reason


def test_requests_that_come_first_and_together_share_one_set_of_keys(
    issuer: Issuer, pair: KeyPair
) -> None:
    """The start of a worker must cause one fetch, not one for each of its threads."""
    together = threading.Barrier(8)

    def first(_: int) -> str:
        together.wait()
        return str(configured_verifier().claims(pair.sign())["sub"])

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(first, range(8))) == {"alice"}
    assert issuer.fetches == 1

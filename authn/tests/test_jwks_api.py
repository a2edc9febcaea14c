"""Key pairs through the whole API (docs/contract.md, "Who may come in")."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from authn.authentication import _verifier, configured_verifier
from authn.tests.jwks_server import ISSUER, KEY_PAIRS, Issuer, KeyPair, good, key_pair
from conftest import ApiClient
from tasks.tests.endpoints import ENDPOINTS
from tasks.tests.factories import TaskFactory, rows


@pytest.fixture(autouse=True)
def _configured(settings: Settings, issuer: Issuer) -> None:
    _verifier.cache_clear()  # an earlier issuer may have had the same port
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


def test_a_key_pairs_token_is_refused_in_the_same_words(pair: KeyPair) -> None:
    """The contract's details must not depend on the algorithm (FR-004)."""
    details = {
        "Invalid or malformed token": good(iss="https://elsewhere.example"),
        "Token has expired": good(exp=1),
        "Token missing user identifier": good(sub=None),
    }

    answers = [ask(pair.sign(payload)) for payload in details.values()]

    assert [answer.status_code for answer in answers] == [401] * 3
    assert [answer.json()["detail"] for answer in answers] == [*details]


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
            client.send(each.method, each.path.format(user="alice", task=task.id), each.body)
            for each in ENDPOINTS
        ]

    sentence = "Service temporarily unavailable"
    assert [answer.status_code for answer in answers] == [503] * len(ENDPOINTS)
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

    assert caplog.messages[:-1] == [  # the last is the line of the request
        "BETTER_AUTH_JWKS_URL gives no keys: 'HTTP Error 500: Internal Server Error'",
        "503 jwks_unavailable",
    ]
    assert not [part for part in token.split(".") if part in caplog.text]


def test_requests_that_come_first_and_together_share_one_set_of_keys(
    issuer: Issuer, pair: KeyPair
) -> None:
    """The start of a worker must cause one fetch, not one for each of its threads."""
    together = threading.Barrier(8, timeout=60)

    def first(_: int) -> str:
        together.wait()
        return str(configured_verifier().claims(pair.sign())["sub"])

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(first, range(8))) == {"alice"}
    assert issuer.fetches == 1

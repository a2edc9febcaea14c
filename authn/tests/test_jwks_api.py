"""Tokens signed with private keys, through the whole API (docs/contract.md, "Authentication")."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from authn import jwks
from authn.authentication import _verifiers, configured_verifier
from authn.tests.conftest import Clock
from authn.tests.jwks_server import ISSUER, KEY_PAIRS, Issuer, KeyPair, issuer_claims, key_pair
from conftest import ApiClient
from tasks.tests.endpoints import ENDPOINTS
from tasks.tests.factories import TaskFactory, rows


@pytest.fixture(autouse=True)
def _configured(settings: Settings, issuer: Issuer) -> None:
    _verifiers.clear()  # an earlier issuer may have had the same URL
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "JWKS": (issuer.url, ISSUER, ISSUER)}


def get(token: str, path: str = "/api/alice/tasks") -> Any:
    """Request tasks with a token."""
    return ApiClient(token=token).send("GET", path)


@pytest.mark.django_db
@pytest.mark.parametrize("alg", KEY_PAIRS)
def test_a_token_signed_with_a_private_key_grants_access_to_one_users_path(
    issuer: Issuer, alg: str
) -> None:
    """The token must grant the same access as one signed with the secret (FR-003)."""
    issuer.publish(pair := key_pair(alg))
    responses = [get(pair.sign(), f"/api/{user_id}/tasks") for user_id in ("alice", "bob")]

    assert [response.status_code for response in responses] == [200, 403]


def test_a_token_signed_with_a_private_key_is_refused_with_the_same_details(pair: KeyPair) -> None:
    """The detail of a refusal must not depend on the algorithm (FR-004)."""
    details = {
        "Invalid or malformed token": issuer_claims(iss="https://elsewhere.example"),
        "Token has expired": issuer_claims(exp=1),
        "Token missing user identifier": issuer_claims(sub=None),
    }

    responses = [get(pair.sign(payload)) for payload in details.values()]

    assert [response.status_code for response in responses] == [401] * 3
    assert [response.json()["detail"] for response in responses] == [*details]


@pytest.mark.django_db
def test_without_keys_every_endpoint_returns_503_and_changes_nothing(
    issuer: Issuer, pair: KeyPair, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """An unverifiable token must not cause a 401: the client must retry, not sign in again."""
    issuer.status = 500
    task = TaskFactory.create(user_id="alice")
    before = rows()
    client = ApiClient(token=pair.sign())

    with django_assert_num_queries(0):
        responses = [
            client.send(each.method, each.path.format(user="alice", task=task.id), each.body)
            for each in ENDPOINTS
        ]

    detail = "Service temporarily unavailable"
    assert [response.status_code for response in responses] == [503] * len(ENDPOINTS)
    assert responses[0].json() == {"detail": detail, "error": detail}
    assert {response["Retry-After"] for response in responses} == {"2"}
    assert not any(response.has_header("WWW-Authenticate") for response in responses)
    assert rows() == before


@pytest.mark.django_db
def test_a_token_with_a_key_that_is_newer_than_the_last_fetch_is_tried_again(
    issuer: Issuer, pair: KeyPair, clock: Clock
) -> None:
    """The client must retry later, not sign in again; a made-up key stays a 401."""
    made_up, new = key_pair(kid="made-up").sign(), key_pair(kid="key-2")
    assert [get(token).status_code for token in (pair.sign(), made_up)] == [200, 401]
    issuer.publish(pair, new)

    responses = [get(token) for token in (new.sign(), made_up)]
    clock.now += jwks.COOLDOWN_SECONDS

    assert [response.status_code for response in responses] == [503, 401]
    assert responses[0]["Retry-After"] == "2"
    assert get(new.sign()).status_code == 200


def test_a_503_is_logged_once_with_its_reason_and_cause(
    issuer: Issuer, pair: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    """The log must contain the cause but no part of the token (SC-009, FR-017)."""
    issuer.status = 500
    token = pair.sign()
    get(token)

    cause, line = caplog.messages
    assert cause == "BETTER_AUTH_JWKS_URL returned no keys: 'HTTP Error 500: Internal Server Error'"
    assert line.endswith("reason='jwks_unavailable'")
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert not [part for part in token.split(".") if part in caplog.text]


def test_concurrent_first_requests_share_one_key_set(issuer: Issuer, pair: KeyPair) -> None:
    """A new worker must fetch the keys once, not once per thread."""
    barrier = threading.Barrier(8, timeout=60)

    def first_request(_: int) -> str:
        barrier.wait()
        return str(configured_verifier().claims(pair.sign())["sub"])

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(first_request, range(8))) == {"alice"}
    assert issuer.fetches == 1

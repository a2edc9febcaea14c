"""Which ``Host`` is ours (contract.md "Errors", 400)."""

import pytest
from pytest_django.fixtures import Settings

from conftest import FRONT_END, ApiClient

TASKS = "/api/alice/tasks"
BAD_REQUEST = {"detail": "Bad Request", "error": "Bad Request"}


@pytest.mark.parametrize(
    "host", ["a b", "a/b", "a:b", "a@b", "a:80:80", "[::1", "ä.example", "<script>", ":80"]
)
@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_a_host_that_is_no_name_is_refused(
    alice: ApiClient, settings: Settings, host: str, debug: bool
) -> None:
    """A malformed Host must be a 400 in JSON, whatever ALLOWED_HOSTS says."""
    settings.DEBUG = debug

    answer = alice.send("GET", TASKS, Host=host)

    assert (answer.status_code, answer.json()) == (400, BAD_REQUEST)


@pytest.mark.parametrize("host", ["other.example", "x.api.example", "api.example.evil.example"])
@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_a_host_that_is_not_listed_is_refused(
    alice: ApiClient, settings: Settings, host: str, debug: bool
) -> None:
    """ALLOWED_HOSTS must be honoured, with DEBUG on too."""
    settings.ALLOWED_HOSTS = ["api.example"]
    settings.DEBUG = debug

    answer = alice.send("GET", "/health", Host=host)

    assert (answer.status_code, answer.json()) == (400, BAD_REQUEST)


@pytest.mark.parametrize("host", ["api.example", "api.example:8000", "API.Example"])
def test_a_host_that_is_listed_is_served(anybody: ApiClient, settings: Settings, host: str) -> None:
    """Port and case must not matter (RFC 9110 §4.2.3)."""
    settings.ALLOWED_HOSTS = ["api.example"]

    assert anybody.send("GET", "/health", Host=host).status_code == 200


@pytest.mark.parametrize("path", [TASKS, "/api/bob/tasks", "/health", "/nowhere", "/"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "PROPFIND"])
def test_the_host_is_checked_before_anything_else(
    anybody: ApiClient, path: str, method: str
) -> None:
    """A bad Host must win over 401, 404 and 405 (contract.md "Errors")."""
    answer = anybody.generic(method, path, headers={"Host": "a b"})

    assert (answer.status_code, answer.json()) == (400, BAD_REQUEST)


def test_the_host_is_checked_before_a_preflight(anybody: ApiClient) -> None:
    """A preflight must not be answered for a host that is not ours."""
    answer = anybody.send(
        "OPTIONS",
        TASKS,
        Host="a b",
        Origin=FRONT_END,
        **{"Access-Control-Request-Method": "PUT"},
    )

    assert (answer.status_code, answer.json()) == (400, BAD_REQUEST)


def test_a_forwarded_host_is_not_believed(anybody: ApiClient, settings: Settings) -> None:
    """The Host must be the request's own."""
    settings.ALLOWED_HOSTS = ["api.example"]

    answers = [
        anybody.send("GET", "/health", Host=host, **{"X-Forwarded-Host": forwarded})
        for host, forwarded in [("api.example", "other.example"), ("other.example", "api.example")]
    ]

    assert [answer.status_code for answer in answers] == [200, 400]

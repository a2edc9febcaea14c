"""The ``Host`` header (docs/contract.md, "Errors", 400)."""

from itertools import product

import pytest
from pytest_django.fixtures import Settings

from conftest import FRONT_END, ApiClient

TASKS = "/api/alice/tasks"
BAD_REQUEST = {"detail": "Bad Request", "error": "Bad Request"}
MALFORMED = ["a b", "a/b", "a:b", "a@b", "a:80:80", "[::1", "ä.example", "<script>", ":80"]


@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_another_host_is_refused(alice: ApiClient, settings: Settings, debug: bool) -> None:
    """A host that is malformed or not in ALLOWED_HOSTS must get a 400 in JSON."""
    settings.DEBUG = debug
    found = {host: alice.send("GET", TASKS, Host=host) for host in MALFORMED}
    settings.ALLOWED_HOSTS = ["api.example"]
    for host in ("other.example", "x.api.example", "api.example.evil.example"):
        found[host] = alice.send("GET", "/health", Host=host)

    responses = {host: (response.status_code, response.json()) for host, response in found.items()}
    assert responses == dict.fromkeys(found, (400, BAD_REQUEST))


def test_an_allowed_host_is_served(anonymous: ApiClient, settings: Settings) -> None:
    """Port and case must be ignored (RFC 9110 §4.2.3)."""
    settings.ALLOWED_HOSTS = ["api.example"]
    hosts = ["api.example", "api.example:8000", "API.Example"]

    found = {host: anonymous.send("GET", "/health", Host=host).status_code for host in hosts}

    assert found == dict.fromkeys(hosts, 200)


def test_the_host_is_checked_before_anything_else(anonymous: ApiClient) -> None:
    """A bad Host must get a 400, not a 401, 404, 405 or preflight response."""
    paths = [TASKS, "/api/bob/tasks", "/health", "/nowhere", "/"]
    preflight = {"Origin": FRONT_END, "Access-Control-Request-Method": "PUT"}
    found = {}
    for path, method in product(paths, ["GET", "POST", "DELETE", "OPTIONS", "PROPFIND"]):
        headers = preflight if method == "OPTIONS" else {}
        for sent in ({}, headers):
            response = anonymous.generic(method, path, headers={"Host": "a b", **sent})
            found[path, method, len(sent)] = response.status_code, response.json()

    assert found == dict.fromkeys(found, (400, BAD_REQUEST))


def test_a_forwarded_host_is_ignored(anonymous: ApiClient, settings: Settings) -> None:
    """Only the Host header may count, not ``X-Forwarded-Host``."""
    settings.ALLOWED_HOSTS = ["api.example"]

    responses = [
        anonymous.send("GET", "/health", Host=host, **{"X-Forwarded-Host": forwarded})
        for host, forwarded in [("api.example", "other.example"), ("other.example", "api.example")]
    ]

    assert [response.status_code for response in responses] == [200, 400]

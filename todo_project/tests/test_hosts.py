"""The ``Host`` header and ``ALLOWED_HOSTS`` (docs/contract.md, "Errors", 400)."""

from itertools import product

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from conftest import FRONT_END, ApiClient
from todo_project.configuration.hosts import allowed_hosts

TASKS = "/api/alice/tasks"
BAD_REQUEST = {"detail": "Bad Request", "error": "Bad Request"}
MALFORMED = [
    *("a b", "a/b", "a:b", "a@b", "a:80:80", "[::1", "ä.example", "<script>", ":80", "todo_api"),
]
# Each value of ALLOWED_HOSTS, and requests' hosts that it allows
ALLOWED = {
    "*": ["api.example.com", "127.0.0.1:8000"],
    "api.example.com,": ["api.example.com", "api.example.com.", "API.example.com:8000"],
    "other.example , API.example.com": ["api.example.com"],
    ".example.com": ["example.com", "a.b.example.com"],
    "localhost,127.0.0.1,0.0.0.0": ["localhost:8000", "127.0.0.1", "0.0.0.0:8000"],
    "todo-api,xn--bcher-kva.example": ["todo-api", "xn--bcher-kva.example"],
    "[::1]": ["[::1]", "[::1]:8000"],
    "::1": ["[::1]"],
    "2001:db8::1": ["[2001:db8::1]"],
    "2001:db8:0:0:0:0:1:8000": ["[2001:db8::1:8000]"],
    "[2001:db8::1:8000]": ["[2001:db8::1:8000]"],
    "all.example.com,true-north.example": ["all.example.com", "true-north.example"],
    "a1.2b": ["a1.2b"],
    "[2001:DB8:0:0:0:0:0:1]": ["[2001:db8::1]"],
    "[::ffff:127.0.0.1]": ["[::ffff:7f00:1]"],
}
# Values of ALLOWED_HOSTS, and the end of the message
NEVER_ALLOWED = {
    **dict.fromkeys(["https://api.example.com", "http://a:80/", "a.example,http://b"], "https://"),
    **dict.fromkeys(["api.example.com:8000", "localhost:*", "[::1]:8000", "a.example:"], "a port"),
    **dict.fromkeys(["api.example.com/", "a.example/api", "10.0.0.0/8", "//a"], "a slash"),
    **dict.fromkeys(["*.example.com", "api.*", "a.example,*.b.example"], "and its subdomains"),
    **dict.fromkeys(['["a.example","b.example"]', "[a.example", "'a'", "(a)"], "and brackets"),
    **dict.fromkeys(["a.example;b.example", "a b", "a|b", "a\tb"], "commas between them"),
    **dict.fromkeys(["todo_api", ".my_company.example"], "refuses in a Host header"),
    **dict.fromkeys(["bücher.example", "☕.example"], "in their xn-- form"),
    **dict.fromkeys(["api.example.com.", "."], "a dot at the end"),
    **dict.fromkeys(["a@b", "a?b", "$HOST", "a..b", "..a", "fe80::1%eth0"], "between single dots"),
    **dict.fromkeys(["::1:8000", "2001:db8::1:443", "a.example,fe80::a:80"], "and without a port"),
    **dict.fromkeys(["all", "Any", "true", "a.example,none", "undefined", "-"], "* for any host"),
    **dict.fromkeys(["1", "256.1.1.1", "10.0.0", "a.example.1"], "such as 127.0.0.1"),
    **dict.fromkeys(["", ",", " , "], "separated by commas"),
}


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


@pytest.mark.parametrize("value", ALLOWED)
def test_a_right_value_allows_its_hosts(
    anonymous: ApiClient, settings: Settings, value: str
) -> None:
    """Blanks, empty entries, case, and the form of an IPv6 address must not matter."""
    settings.ALLOWED_HOSTS = allowed_hosts(value)

    found = {
        host: anonymous.send("GET", "/health", Host=host).status_code for host in ALLOWED[value]
    }

    assert found == dict.fromkeys(ALLOWED[value], 200)


@pytest.mark.parametrize("value", NEVER_ALLOWED)
def test_a_value_that_allows_no_host_is_an_error_that_says_what_would_be_right(value: str) -> None:
    """Every request would get a 400, so the start must stop."""
    with pytest.raises(ImproperlyConfigured) as refused:
        allowed_hosts(value)

    message = str(refused.value)
    assert message.startswith("ALLOWED_HOSTS must hold host names such as api.example.com, ")
    assert message.endswith(f"{NEVER_ALLOWED[value]}.")

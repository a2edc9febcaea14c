"""Cross-origin requests (docs/contract.md, "Cross-origin"; FR-019)."""

from itertools import product
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from pytest_django.fixtures import Settings

from conftest import FRONT_END, ApiClient
from tasks.tests.factories import TaskFactory, rows
from tasks.views import TaskViewSet
from todo_project.tests.settings_loader import load

TASKS = "/api/alice/tasks"
ORIGIN = {"Origin": FRONT_END}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "PUT"}
VARY = "Origin, Authorization"
PERMISSION = {
    "access-control-allow-origin": FRONT_END,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "ETag, Idempotent-Replayed, Link, Retry-After, X-Request-ID",
}
# Additional headers of the response to an OPTIONS request
OPTIONS = {
    "access-control-allow-methods": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
    "access-control-allow-headers": (
        "authorization, content-type, idempotency-key, if-match, if-none-match, x-request-id"
    ),
    "access-control-max-age": "86400",
}
OTHER_ORIGINS = [
    *("https://evil.example", "null", "*", f"{FRONT_END}/", f"{FRONT_END}/path"),
    *(f"{FRONT_END}?query", f"{FRONT_END}.evil.example", f"{FRONT_END}@evil.example"),
    *(f"{FRONT_END} ", f"{FRONT_END},https://evil.example", f"{FRONT_END} https://evil.example"),
    *(f"user@{FRONT_END}", "http://user@localhost:3000", "http://localhost", "http://[::1"),
    *("http://localhost:3001", "http://localhost:03000", "http://localhost:30000"),
    *("https://localhost:3000", "http://LOCALHOST:3000", "HTTP://localhost:3000"),
    *("http://localhost.:3000", "http://127.0.0.1:3000", "localhost:3000", "//localhost:3000"),
    "http://sub.localhost:3000",
]
REQUESTS: list[tuple[int, str, str, Any, dict[str, str]]] = [
    (200, "GET", TASKS, None, {}),
    (200, "HEAD", TASKS, None, {}),
    (200, "GET", "/health", None, {}),
    (201, "POST", TASKS, {"title": "Buy milk"}, {}),
    (400, "POST", TASKS, "{", {}),
    (400, "GET", TASKS, None, {"Host": "a b"}),
    (401, "GET", TASKS, None, {"Authorization": "Bearer x"}),
    (401, "GET", f"{TASKS}/1", None, {"Authorization": ""}),
    (403, "GET", "/api/bob/tasks", None, {}),
    (403, "GET", "/api/a%0Ab/tasks", None, {}),
    (404, "GET", f"{TASKS}/1", None, {}),
    (404, "GET", "/nowhere", None, {}),
    (405, "DELETE", TASKS, None, {}),
    (405, "OPTIONS", TASKS, None, {}),
    (413, "POST", TASKS, "x" * 65_537, {}),
    (422, "POST", TASKS, {}, {}),
]


def access_control(response: Any) -> dict[str, str]:
    """Return the ``Access-Control-`` headers, with sorted values."""
    return {
        name.lower(): ", ".join(sorted(value.split(", ")))
        for name, value in response.headers.items()
        if name.lower().startswith("access-control-")
    }


@pytest.fixture
def client() -> ApiClient:
    """Return a client that receives a 500 instead of raising the exception."""
    client = ApiClient("alice")
    client.raise_request_exception = False
    return client


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "permission"),
    [(ORIGIN, PERMISSION), ({}, {}), ({"Origin": "https://evil.example"}, {})],
    ids=["front end", "no origin", "another origin"],
)
def test_only_an_allowed_origin_may_read_responses(
    alice: ApiClient, sent: dict[str, str], permission: dict[str, str]
) -> None:
    """Errors must be as readable as successes, and all must vary by origin and token (FR-019)."""
    found, expected = {}, {}
    for status, method, path, body, headers in REQUESTS:
        response = alice.send(method, path, body, **headers, **sent)
        row = f"{status} {method} {path}"
        found[row] = response.status_code, access_control(response), response["Vary"]
        more = OPTIONS if permission and method == "OPTIONS" else {}
        expected[row] = status, {**permission, **more}, VARY

    assert found == expected


def test_an_allowed_origin_may_read_the_404_of_an_encoded_slash(alice: ApiClient) -> None:
    """A response that is sent before the URL is resolved must be readable too."""
    response = alice.get("/api/a%2Fb/tasks", headers=ORIGIN, RAW_URI="/api/a%2Fb/tasks")

    assert (response.status_code, access_control(response)) == (404, PERMISSION)


@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
@pytest.mark.parametrize(
    ("fault", "status"), [(RuntimeError("boom"), 500), (OperationalError("away"), 503)]
)
def test_an_allowed_origin_may_read_a_server_error(
    client: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    fault: Exception,
    status: int,
    debug: bool,
) -> None:
    """A page must be able to distinguish a server error from a lost connection."""
    settings.DEBUG = debug
    monkeypatch.setattr(TaskViewSet, "list", Mock(side_effect=fault))
    monkeypatch.setattr("todo_project.status.health.JsonResponse", Mock(side_effect=RuntimeError))

    in_view, outside = client.send("GET", TASKS, **ORIGIN), client.send("GET", "/health", **ORIGIN)

    assert (in_view.status_code, access_control(in_view)) == (status, PERMISSION)
    assert (outside.status_code, access_control(outside)) == (500, PERMISSION)


@pytest.mark.django_db
def test_another_origin_gets_no_access_control_header(alice: ApiClient) -> None:
    """An origin must match exactly, in a preflight too (RFC 6454 §4)."""
    requests = [("GET", {}), ("POST", {}), ("OPTIONS", {}), ("OPTIONS", PREFLIGHT)]
    found = {
        (method, len(headers), origin): access_control(
            alice.send(method, TASKS, **{**headers, "Origin": origin})
        )
        for (method, headers), origin in product(requests, OTHER_ORIGINS)
    }

    assert {row: headers for row, headers in found.items() if headers} == {}


@pytest.mark.parametrize(
    ("url", "sent", "others"),
    [
        (
            "https://straße.example",
            "https://xn--strae-oqa.example",
            ["https://strasse.example", "https://straße.example"],
        ),
        ("http://[0:0::1]:3000", "http://[::1]:3000", ["http://[0:0::1]:3000", "http://[::1]"]),
    ],
    ids=["name", "address"],
)
def test_an_origin_is_allowed_as_browsers_send_it(
    monkeypatch: pytest.MonkeyPatch,
    alice: ApiClient,
    settings: Settings,
    url: str,
    sent: str,
    others: list[str],
) -> None:
    """Another name, such as ``strasse.example`` for ``straße.example``, must get no permission."""
    loaded = load(monkeypatch, ALLOWED_ORIGINS=url)["CORS_ALLOWED_ORIGIN_REGEXES"]
    settings.CORS_ALLOWED_ORIGIN_REGEXES = loaded

    found = {
        origin: access_control(alice.send("GET", "/health", Origin=origin))
        for origin in (sent, *others)
    }

    assert found.pop(sent)["access-control-allow-origin"] == sent
    assert [origin for origin, headers in found.items() if headers] == []


@pytest.mark.django_db
def test_an_origin_loses_its_permission_with_the_setting(
    alice: ApiClient, settings: Settings
) -> None:
    """The headers of an origin are kept, but not beyond a change of the allowed origins."""
    allowed = alice.send("GET", TASKS, **ORIGIN)
    settings.CORS_ALLOWED_ORIGIN_REGEXES = []
    refused = alice.send("GET", TASKS, **ORIGIN)

    assert (access_control(allowed), access_control(refused)) == (PERMISSION, {})


def test_a_response_that_varies_by_another_header_also_varies_by_origin(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache must not give the headers of one origin to another (FR-019)."""
    varying = HttpResponse(headers={"Vary": "Accept-Language"})
    monkeypatch.setattr(TaskViewSet, "list", Mock(return_value=varying))

    response = alice.send("GET", TASKS, **ORIGIN)

    assert (response["Vary"], access_control(response)) == (
        "Accept-Language, Origin, Authorization",
        PERMISSION,
    )


def test_a_preflight_is_answered_without_a_token(anonymous: ApiClient) -> None:
    """The response must list the permitted methods and headers, and be cacheable for a day."""
    paths = [TASKS, f"{TASKS}/", f"{TASKS}/1", f"{TASKS}/1/complete", "/health", "/nowhere"]
    found = {}
    for path in (*paths, "/api/a%0Ab/tasks"):
        response = anonymous.send(
            "OPTIONS", path, **PREFLIGHT, **{"Access-Control-Request-Headers": "x-other"}
        )
        found[path] = (
            response.status_code,
            response.content,
            response["Vary"],
            access_control(response),
        )

    assert found == dict.fromkeys(found, (200, b"", VARY, {**PERMISSION, **OPTIONS}))


@pytest.mark.django_db
def test_a_preflight_changes_nothing(alice: ApiClient) -> None:
    """A preflight must not run the request that it asks about."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    alice.send("OPTIONS", f"{TASKS}/{task.id}", {"title": "x"}, **PREFLIGHT)

    assert rows() == before


def test_a_plain_options_is_not_a_preflight() -> None:
    """An OPTIONS that lacks a preflight header must get a 401, 403 or 405 (Fetch §3.2.2)."""
    plain = [{}, ORIGIN, {"Access-Control-Request-Method": "PUT"}]
    statuses = {
        user_id: [
            ApiClient(user_id).send("OPTIONS", TASKS, **headers).status_code for headers in plain
        ]
        for user_id in (None, "bob", "alice")
    }

    assert statuses == {None: [401] * 3, "bob": [403] * 3, "alice": [405] * 3}


@pytest.mark.parametrize("is_on", [True, False])
def test_the_documentation_allows_the_same_origins(
    anonymous: ApiClient, settings: Settings, is_on: bool
) -> None:
    """CORS must apply to every path, with API_DOCS on or off."""
    settings.API_DOCS = is_on

    found = {}
    for path in ("/docs", "/docsx", "/redoc", "/openapi.json"):
        origin = anonymous.send("GET", path, **ORIGIN)["Access-Control-Allow-Origin"]
        found[path] = origin, anonymous.send("OPTIONS", path, **PREFLIGHT).status_code

    assert found == dict.fromkeys(found, (FRONT_END, 200))

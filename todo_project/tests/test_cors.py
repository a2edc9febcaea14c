"""Which pages may call the API, and what they get to see (contract.md "Cross-origin"; FR-019)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from conftest import FRONT_END, ApiClient
from tasks.models import Task
from tasks.views import TaskViewSet

TASKS = "/api/alice/tasks"
ORIGIN = {"Origin": FRONT_END}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "PUT"}
EXPOSED = {"ETag", "Link", "Retry-After", "X-Request-ID", "Idempotent-Replayed"}
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
ALLOWED = {
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "idempotency-key",
    "x-request-id",
}
STRANGERS = [
    "https://evil.example",
    "null",
    "*",
    f"{FRONT_END}/",
    f"{FRONT_END}/path",
    f"{FRONT_END}?query",
    f"{FRONT_END}.evil.example",
    f"{FRONT_END}@evil.example",
    f"{FRONT_END} ",
    f"{FRONT_END},https://evil.example",
    f"{FRONT_END} https://evil.example",
    f"user@{FRONT_END}",
    "http://user@localhost:3000",
    "http://localhost",
    "http://localhost:3001",
    "http://localhost:03000",
    "http://localhost:30000",
    "https://localhost:3000",
    "http://LOCALHOST:3000",
    "HTTP://localhost:3000",
    "http://localhost.:3000",
    "http://127.0.0.1:3000",
    "localhost:3000",
    "//localhost:3000",
    "http://sub.localhost:3000",
    "http://[::1",
]


def access_control(answer: Any) -> dict[str, str]:
    """Pick what concerns cross-origin requests."""
    return {
        name: value
        for name, value in answer.headers.items()
        if name.lower().startswith("access-control-")
    }


def listed(answer: Any, name: str) -> set[str]:
    """Split a header into its entries."""
    return {entry.strip() for entry in answer[name].split(",")}


def lowered(answer: Any, name: str) -> set[str]:
    """Split a header whose entries have no case."""
    return {entry.lower() for entry in listed(answer, name)}


def raising(fault: Exception) -> Callable[..., None]:
    """Make a view that meets a fault."""

    def view(*args: Any, **kwargs: Any) -> None:
        raise fault

    return view


@pytest.fixture
def client() -> ApiClient:
    """Sign a user in who gets to see what the server makes of a fault."""
    client = ApiClient("alice")
    client.raise_request_exception = False
    return client


ANSWERS = [
    ("GET", TASKS, None, {}, 200),
    ("HEAD", TASKS, None, {}, 200),
    ("GET", "/health", None, {}, 200),
    ("POST", TASKS, {"title": "Buy milk"}, {}, 201),
    ("POST", TASKS, "{", {}, 400),
    ("GET", TASKS, None, {"Authorization": "Bearer x"}, 401),
    ("GET", TASKS, None, {"Authorization": ""}, 401),
    ("GET", "/api/bob/tasks", None, {}, 403),
    ("GET", f"{TASKS}/1", None, {}, 404),
    ("GET", "/nowhere", None, {}, 404),
    ("DELETE", TASKS, None, {}, 405),
    ("OPTIONS", TASKS, None, {}, 405),
    ("POST", TASKS, "x" * 65_537, {}, 413),
    ("POST", TASKS, {}, {}, 422),
    ("GET", "/api/a%0Ab/tasks", None, {}, 403),
    ("GET", TASKS, None, {"Host": "a b"}, 400),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), ANSWERS)
def test_an_allowed_page_may_read_every_answer(
    alice: ApiClient, method: str, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    """The front end must see errors as it sees successes (contract.md "Cross-origin")."""
    answer = alice.send(method, path, body, **ORIGIN, **headers)

    assert answer.status_code == status
    assert answer["Access-Control-Allow-Origin"] == FRONT_END
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert listed(answer, "Access-Control-Expose-Headers") == EXPOSED


def test_an_allowed_page_may_read_the_404_of_an_encoded_slash(alice: ApiClient) -> None:
    """The front end must see what is refused before the routes, too."""
    answer = alice.get("/api/a%2Fb/tasks", headers=ORIGIN, RAW_URI="/api/a%2Fb/tasks")

    assert answer.status_code == 404
    assert answer["Access-Control-Allow-Origin"] == FRONT_END


@pytest.mark.parametrize(
    ("fault", "status"), [(RuntimeError("boom"), 500), (OperationalError("away"), 503)]
)
@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_an_allowed_page_may_read_that_something_is_wrong(
    client: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    fault: Exception,
    status: int,
    debug: bool,
) -> None:
    """A page must be able to tell a fault from an offline browser (contract.md "Cross-origin")."""
    settings.DEBUG = debug
    monkeypatch.setattr(TaskViewSet, "list", raising(fault))

    answer = client.send("GET", TASKS, **ORIGIN)

    assert answer.status_code == status
    assert answer["Access-Control-Allow-Origin"] == FRONT_END
    assert answer["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_an_allowed_page_may_read_a_fault_outside_of_the_views(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch, settings: Settings, debug: bool
) -> None:
    """A 500 that Django makes itself must have the headers, too (contract.md "Cross-origin")."""
    settings.DEBUG = debug
    monkeypatch.setattr("todo_project.health.JsonResponse", raising(RuntimeError("boom")))

    answer = client.send("GET", "/health", **ORIGIN)

    assert answer.status_code == 500
    assert answer["Access-Control-Allow-Origin"] == FRONT_END


@pytest.mark.django_db
@pytest.mark.parametrize("origin", STRANGERS)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_any_other_page_gets_no_access_control_header(
    alice: ApiClient, origin: str, method: str
) -> None:
    """An origin must match to the letter (contract.md "Cross-origin"; RFC 6454 §4)."""
    answer = alice.send(method, TASKS, Origin=origin)

    assert access_control(answer) == {}


@pytest.mark.parametrize("origin", STRANGERS)
def test_the_preflight_of_any_other_page_opens_nothing(anybody: ApiClient, origin: str) -> None:
    """A stranger's preflight must get no permission (contract.md "Cross-origin")."""
    answer = anybody.send("OPTIONS", TASKS, **{**PREFLIGHT, "Origin": origin})

    assert access_control(answer) == {}


@pytest.mark.django_db
def test_a_request_without_an_origin_gets_no_access_control_header(alice: ApiClient) -> None:
    """What is not cross-origin needs no permission."""
    assert access_control(alice.send("GET", TASKS)) == {}


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), ANSWERS)
@pytest.mark.parametrize("origin", [None, FRONT_END, "https://evil.example"])
def test_every_answer_varies_by_origin(
    alice: ApiClient,
    method: str,
    path: str,
    body: Any,
    headers: dict[str, str],
    status: int,
    origin: str | None,
) -> None:
    """A cache must not give one page's answer to another (contract.md "Cross-origin")."""
    sent = {"Origin": origin} if origin else {}

    answer = alice.send(method, path, body, **headers, **sent)

    assert (answer.status_code, answer["Vary"]) == (status, "Origin")


@pytest.mark.parametrize(
    "path",
    [
        TASKS,
        f"{TASKS}/",
        f"{TASKS}/1",
        f"{TASKS}/1/complete",
        "/health",
        "/nowhere",
        "/api/a%0Ab/tasks",
    ],
)
def test_a_preflight_is_answered_without_a_token(anybody: ApiClient, path: str) -> None:
    """A browser sends no token with a preflight (contract.md "Cross-origin")."""
    answer = anybody.send("OPTIONS", path, **PREFLIGHT)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["Access-Control-Allow-Origin"] == FRONT_END
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert answer["Vary"] == "Origin"


def test_a_preflight_lists_what_a_page_may_send_for_a_day(anybody: ApiClient) -> None:
    """Methods, headers and a day's memory, no more (contract.md "Cross-origin")."""
    answer = anybody.send(
        "OPTIONS", TASKS, **{**PREFLIGHT, "Access-Control-Request-Headers": "x-other"}
    )

    assert listed(answer, "Access-Control-Allow-Methods") == METHODS
    assert lowered(answer, "Access-Control-Allow-Headers") == ALLOWED
    assert answer["Access-Control-Max-Age"] == "86400"


def test_a_preflight_changes_nothing(alice: ApiClient, transactional_db: None) -> None:
    """A question must not do what it asks for."""
    task = Task.objects.add(user_id="alice", title="Buy milk")

    alice.send("OPTIONS", f"{TASKS}/{task.id}", {"title": "x"}, **PREFLIGHT)

    assert list(Task.objects.rows()) == [task]


@pytest.mark.parametrize(
    "headers",
    [{}, ORIGIN, {"Access-Control-Request-Method": "PUT"}],
    ids=["plain", "of a page", "of no page"],
)
@pytest.mark.parametrize(("user_id", "status"), [(None, 401), ("bob", 403), ("alice", 405)])
def test_a_plain_options_is_not_a_preflight(
    user_id: str | None, status: int, headers: dict[str, str]
) -> None:
    """Without an origin and its question for a method it is a wrong method (Fetch §3.2.2)."""
    answer = ApiClient(user_id).send("OPTIONS", TASKS, **headers)

    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/docs", "/docsx", "/redoc", "/openapi.json"])
@pytest.mark.parametrize("is_on", [True, False])
def test_the_documents_may_be_read_from_other_origins(
    anybody: ApiClient, settings: Settings, path: str, is_on: bool
) -> None:
    """Every answer to an allowed origin must say so, also where the documents are off."""
    settings.API_DOCS = is_on

    answer = anybody.send("GET", path, **ORIGIN)

    assert answer["Access-Control-Allow-Origin"] == FRONT_END
    assert anybody.send("OPTIONS", path, **PREFLIGHT).status_code == 200

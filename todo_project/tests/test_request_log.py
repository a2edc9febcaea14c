"""The log line of each request, and request ids (SC-009, FR-017)."""

import io
import json
import logging
import queue
import re
from collections.abc import Iterator
from logging.handlers import QueueHandler
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import pytest
import time_machine
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import ResolverMatch
from pytest_django.fixtures import Settings

from conftest import FRONT_END, ApiClient, mint
from tasks.views import TaskViewSet
from todo_project.logs.formatters import JSONLine, LineHandler, TextLine
from todo_project.logs.requests import route_template

TASKS = "/api/alice/tasks"
TASK = f"{TASKS}/5"
LIST = "/api/{user_id}/tasks"
TASK_ROUTE = "/api/{user_id}/tasks/{task_id}"
NO_ROUTE = None
PREFLIGHT = {"Origin": FRONT_END, "Access-Control-Request-Method": "PUT"}
NAME = "X-Request-ID"
NEW = re.compile(r"[0-9a-f]{32}")
ACCEPTED = ["a", "Z", "0", "-", "_", ".", "A-b_c.9", "x" * 128]
REPLACED = [
    *("", "x" * 129, "a b", " ", "a/b", "a,b", "a:b", "a\n", "a\r\nb", "\x00", "ä", "\u0663"),
    *("<a>", "%41"),
]
REQUESTS: list[tuple[str, str, dict[str, str], int, str | None, str | None]] = [
    ("GET", TASKS, {}, 200, LIST, None),
    ("GET", f"{TASKS}/", {}, 200, LIST, None),
    ("HEAD", TASKS, {}, 200, LIST, None),
    ("POST", TASKS, {}, 400, LIST, None),
    ("GET", TASKS, {"Authorization": ""}, 401, LIST, "missing_token"),
    ("GET", TASKS, {"Authorization": "Bearer x"}, 401, LIST, "malformed"),
    ("GET", "/api/bob/tasks", {}, 403, LIST, "user_mismatch"),
    ("PUT", TASKS, {}, 405, LIST, None),
    ("OPTIONS", TASKS, {}, 405, LIST, None),
    ("GET", TASK, {}, 404, TASK_ROUTE, None),
    ("DELETE", TASK, {}, 404, TASK_ROUTE, None),
    ("PATCH", f"{TASK}/complete", {}, 404, f"{TASK_ROUTE}/complete", None),
    ("GET", "/health", {}, 200, "/health", None),
    ("GET", "/", {}, 200, "/", None),
    ("GET", "/admin/tasks/task/5/change/", {}, 302, "/admin/tasks/task/{object_id}/change/", None),
    ("GET", "/static/none.css", {}, 404, "/static/", None),
    ("GET", "/nowhere", {}, 404, NO_ROUTE, None),
    ("GET", "/a%2Fb", {}, 404, NO_ROUTE, None),
    ("GET", "/health", {"Host": "a b"}, 400, NO_ROUTE, "bad_host"),
    ("OPTIONS", TASKS, PREFLIGHT, 200, NO_ROUTE, None),
]


def test_a_well_formed_id_is_kept(anonymous: ApiClient) -> None:
    """An id of 1 to 128 characters of ``A-Za-z0-9._-`` must be kept, any other replaced."""
    sent = [*ACCEPTED, *REPLACED]
    found = {value: anonymous.send("GET", "/health", **{NAME: value})[NAME] for value in sent}

    assert [value for value in ACCEPTED if found[value] != value] == []
    assert [value for value in REPLACED if not NEW.fullmatch(found[value])] == []


def test_a_request_without_an_id_gets_a_new_one(anonymous: ApiClient) -> None:
    """Two requests must not share an id."""
    assert len({anonymous.get("/health")[NAME] for _ in range(10)}) == 10


def test_a_line_outside_a_request_has_no_id(anonymous: ApiClient, log: io.StringIO) -> None:
    """A line must not have the id of a finished request."""
    anonymous.send("GET", "/health", **{NAME: "finished"})
    logging.getLogger("todo_project").info("afterwards")

    line = json.loads(log.getvalue().splitlines()[-1])
    assert (line["message"], line["request_id"]) == ("afterwards", None)


def only_line(log: io.StringIO) -> dict[str, Any]:
    """Return the fields of the only line in the log."""
    [line] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert isinstance(line, dict)
    return line


@pytest.mark.django_db
def test_a_line_has_these_fields(alice: ApiClient, log: io.StringIO) -> None:
    """Each value that operators search for must have its own field."""
    alice.send("GET", TASKS, **{NAME: "mine"})

    line = only_line(log)
    assert isinstance(line.pop("duration_ms"), float)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "todo_project.access",
        "request_id": "mine",
        "method": "GET",
        "route": LIST,
        "status": 200,
        "user_id": "alice",
        "reason": None,
    }


@pytest.mark.django_db
def test_every_request_has_one_line_with_its_id_and_route(
    alice: ApiClient, log: io.StringIO
) -> None:
    """Every request must be logged once, with its id, and with its route instead of its path."""
    found = []
    for number, (method, path, headers, *_) in enumerate(REQUESTS):
        sent = {**headers, NAME: f"request-{number}"}
        response = alice.generic(method, path, headers=sent, RAW_URI=path)
        found.append((method, path, response.status_code, response[NAME]))

    expected = [
        (method, path, status, f"request-{number}", route, reason)
        for number, (method, path, _, status, route, reason) in enumerate(REQUESTS)
    ]
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert found == [row[:4] for row in expected]
    assert [
        (line["method"], line["status"], line["request_id"], line["route"], line["reason"])
        for line in lines
    ] == [(method, *rest) for method, _, *rest in expected]


@pytest.mark.django_db
def test_a_refusal_is_a_warning(
    alice: ApiClient, log: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    """LOG_LEVEL=WARNING must show authentication failures and no other request (SC-009)."""
    caplog.set_level(logging.WARNING)
    alice.send("GET", TASKS)
    alice.send("GET", "/api/bob/tasks")

    assert only_line(log)["reason"] == "user_mismatch"


@pytest.mark.parametrize(
    ("host", "logged"),
    [
        ("todo_api:8000", "todo_api:8000"),
        ("other.example", "other.example"),
        ("x" * 101, "x" * 100),
        ("\x1b[2J\u2028", "\x1b[2J\u2028"),
        (f"{mint()}.example", "***"),
    ],
    ids=["underscore", "not allowed", "long", "unprintable", "token"],
)
def test_a_refused_host_is_a_warning_with_the_host(
    anonymous: ApiClient,
    settings: Settings,
    log: io.StringIO,
    caplog: pytest.LogCaptureFixture,
    host: str,
    logged: str,
) -> None:
    """LOG_LEVEL=WARNING must show the host, escaped, redacted and cut at 100 characters."""
    caplog.set_level(logging.WARNING)
    settings.ALLOWED_HOSTS = ["api.example"]
    anonymous.send("GET", "/health", Host=host)

    line = only_line(log)
    assert (line["level"], line["status"], line["user_id"]) == ("WARNING", 400, None)
    assert (line["reason"], line["refused_host"]) == ("bad_host", logged)
    assert log.getvalue().rstrip("\n").isprintable()


def test_a_request_without_a_host_is_logged_with_an_empty_one(
    anonymous: ApiClient, settings: Settings, log: io.StringIO
) -> None:
    """A load balancer's probe in HTTP/1.0 must be distinguishable from a wrong name."""
    settings.ALLOWED_HOSTS = ["api.example"]

    assert anonymous.get("/health").status_code == 400
    assert (only_line(log)["reason"], only_line(log)["refused_host"]) == ("bad_host", "")


def test_a_refused_host_is_part_of_the_message(
    access_logger: logging.Logger, file_handler: logging.FileHandler, anonymous: ApiClient
) -> None:
    """The text form, and another handler, must have the reason and the escaped host."""
    access_logger.addHandler(file_handler)
    with patch("time.perf_counter", return_value=0.0):
        anonymous.send("GET", "/health", Host="todo_api\n")

    assert Path(file_handler.baseFilename).read_text() == (
        "GET - 400 0.0 ms reason='bad_host' refused_host='todo_api\\n'\n"
    )


@pytest.fixture
def access_logger(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """Return the request logger without handlers, and restore it after the test."""
    logger = logging.getLogger("todo_project.access")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", True)
    return logger


@pytest.fixture
def file_handler(tmp_path: Path) -> Iterator[logging.FileHandler]:
    """Open a file handler; remove it from the root logger after the test, and close it."""
    handler = logging.FileHandler(tmp_path / "requests.log")
    yield handler
    logging.getLogger().removeHandler(handler)
    handler.close()


def log_two_requests(log: io.StringIO) -> list[str]:
    """Send requests that get a 403 and a 200, with fixed ids and times; return the log lines."""
    root = logging.getLogger()
    handlers = [each for each in root.handlers if not type(each).__module__.startswith("_pytest")]
    with (
        patch.object(root, "handlers", handlers),
        patch("time.perf_counter", return_value=0.0),
        time_machine.travel(0, tick=False),
    ):
        ApiClient("alice").send("GET", "/api/bob/tasks", **{NAME: "refused"})
        ApiClient().send("GET", "/health", **{NAME: "answered"})
    return log.getvalue().splitlines()


def test_no_record_is_created_unless_another_handler_gets_it(
    access_logger: logging.Logger,
    file_handler: logging.FileHandler,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No record, which costs 83 to 100 µs, may be created for a handler with a higher level."""
    file_handler.setLevel(logging.ERROR)
    access_logger.addHandler(file_handler)
    handle = Mock()
    monkeypatch.setattr(access_logger, "handle", handle)

    assert len(log_two_requests(log)) == 2
    assert not handle.called


@pytest.mark.parametrize("is_on_root", [True, False], ids=["root", "access"])
@pytest.mark.parametrize(
    ("formatter", "level", "written"),
    [
        (JSONLine(), logging.INFO, None),
        (
            logging.Formatter("%(levelname)s %(name)s %(message)s"),
            logging.INFO,
            [
                "WARNING todo_project.access GET /api/{user_id}/tasks 403 0.0 ms"
                " user_id='alice' reason='user_mismatch' path_user_id='bob'",
                "INFO todo_project.access GET /health 200 0.0 ms",
            ],
        ),
        (
            logging.Formatter("%(request_id)s %(status)s %(route)s %(path_user_id)s"),
            logging.WARNING,
            ["refused 403 /api/{user_id}/tasks bob"],
        ),
    ],
    ids=["json", "message", "fields of a warning"],
)
def test_another_handler_gets_each_request_once(
    access_logger: logging.Logger,
    file_handler: logging.FileHandler,
    log: io.StringIO,
    formatter: logging.Formatter,
    level: int,
    written: list[str] | None,
    is_on_root: bool,
) -> None:
    """The handler must get records at or above its level; the project's line must not change."""
    before = log_two_requests(log)
    log.truncate(log.seek(0))
    file_handler.setFormatter(formatter)
    file_handler.setLevel(level)
    (logging.getLogger() if is_on_root else access_logger).addHandler(file_handler)

    assert log_two_requests(log) == before
    assert Path(file_handler.baseFilename).read_text().splitlines() == (written or before)


@pytest.mark.usefixtures("access_logger")
def test_a_patch_of_the_logging_module_gets_each_request(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replacement of ``Logger.callHandlers()``, such as Sentry's, must get every record."""
    before = log_two_requests(log)
    log.truncate(log.seek(0))
    statuses = []
    call_handlers = logging.Logger.callHandlers

    def patched(logger: logging.Logger, record: logging.LogRecord) -> None:
        statuses.append(vars(record)["status"])
        call_handlers(logger, record)

    monkeypatch.setattr(logging.Logger, "callHandlers", patched)

    assert (log_two_requests(log), statuses) == (before, [403, 200])


@pytest.mark.parametrize("formatter", [JSONLine(), TextLine()], ids=["json", "text"])
def test_a_record_can_be_formatted_in_another_thread(
    access_logger: logging.Logger, log: io.StringIO, formatter: logging.Formatter
) -> None:
    """A record must keep its request id, which a ``QueueHandler`` formats later."""
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = QueueHandler(records)
    access_logger.addHandler(handler)

    log_two_requests(log)

    access_logger.removeHandler(handler)
    lines = [formatter.format(records.get()) for _ in range(2)]
    assert ["refused" in lines[0], "answered" in lines[1]] == [True, True]


@pytest.mark.parametrize("is_on_logger", [True, False], ids=["logger", "handler"])
def test_a_filter_applies_to_requests(
    access_logger: logging.Logger, log: io.StringIO, is_on_logger: bool
) -> None:
    """A filter of the logger or of the project's handler must be able to drop a request."""
    [handler] = [each for each in logging.getLogger().handlers if type(each) is LineHandler]
    target: logging.Filterer = access_logger if is_on_logger else handler

    def only_warnings(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING

    target.addFilter(only_warnings)
    try:
        lines = log_two_requests(log)
    finally:
        target.removeFilter(only_warnings)

    assert [json.loads(line)["status"] for line in lines] == [403]


def test_a_logger_that_does_not_propagate_hides_requests_from_the_root(
    access_logger: logging.Logger, file_handler: logging.FileHandler, log: io.StringIO
) -> None:
    """A request must be logged by the handlers that ``Logger.callHandlers()`` would call."""
    access_logger.propagate = False
    assert log_two_requests(log) == []

    access_logger.addHandler(file_handler)
    assert log_two_requests(log) == []
    assert len(Path(file_handler.baseFilename).read_text().splitlines()) == 2


def test_an_admin_page_is_logged_without_a_user(admin_client: ApiClient, log: io.StringIO) -> None:
    """A staff account must not be logged as a user of the API."""
    admin_client.get("/admin/")

    assert only_line(log)["user_id"] is None


def test_a_fault_is_logged_too(
    alice: ApiClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 500 must be logged like any other response, and its traceback must have the same id."""
    monkeypatch.setattr(TaskViewSet, "list", Mock(side_effect=RuntimeError))
    alice.raise_request_exception = False

    response = alice.send("GET", TASKS)

    fault, request = (json.loads(line) for line in log.getvalue().splitlines())
    assert fault["exc_info"].startswith("Traceback")
    assert fault["request_id"] == request["request_id"] == response[NAME]
    assert (request["status"], request["route"]) == (500, LIST)


def test_django_does_not_log_responses_again(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Django must log only faults, for their tracebacks: each request already has a line."""
    caplog.set_level(logging.DEBUG, "django.request")
    monkeypatch.setattr("todo_project.status.health.JsonResponse", Mock(side_effect=RuntimeError))
    alice.raise_request_exception = False

    statuses = [alice.get(path).status_code for path in ("/api/bob/tasks", "/nowhere", "/health")]

    assert statuses == [403, 404, 500]
    assert [record.message for record in caplog.records if record.name == "django.request"] == [
        "Internal Server Error: /health"
    ]


def test_the_line_contains_no_path_or_query(alice: ApiClient, log: io.StringIO) -> None:
    """Neither a forged line nor a token in a path, query or method may be logged (FR-017)."""
    paths = ["/a%0AINFO%0D%1B%E2%80%A8forged", "/health?token=a-secret-forged"]
    for path in (*paths, "/api/alice/tasks/forged?forged", f"/api/{mint('bob')}/tasks"):
        alice.get(path)
    alice.generic("FORGED", "/health")

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["method"] for line in lines] == ["GET"] * 4 + ["other"]
    assert lines[3]["path_user_id"] == "***"
    assert "forged" not in log.getvalue().lower()


def test_an_unauthenticated_request_is_logged_without_a_user(
    anonymous: ApiClient, log: io.StringIO
) -> None:
    """The user id in the path must not be logged without a valid token (FR-017)."""
    for path in ("/api/alice%0Aforged/tasks?forged", f"/api/{mint()}forged/tasks"):
        anonymous.get(path)

    assert "forged" not in log.getvalue()


def patterns(resolver: URLResolver, prefix: str = "") -> list[str]:
    """Return the patterns of all routes."""
    found = []
    for child in resolver.url_patterns:
        pattern = prefix + str(child.pattern)
        found += patterns(child, pattern) if isinstance(child, URLResolver) else [pattern]
        assert isinstance(child, (URLResolver, URLPattern))
    return found


def test_a_route_template_has_no_pattern_syntax(rf: Any) -> None:
    """Every route must be logged as a path."""
    every = patterns(get_resolver())
    request = rf.get("/")
    for route in every:
        request.resolver_match = ResolverMatch(lambda: None, (), {}, route=route)

        template = route_template(request)

        assert template is not None
        assert template.startswith("/")
        assert not set(template) & set("^$?*+()[]<>\\|"), template
    assert len(every) > 20

"""Middleware, headers, errors and deadlines of the admin (docs/contract.md, "Errors"; FR-016)."""

import io
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.handlers.base import BaseHandler
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from conftest import FRONT_END, ApiClient, mint
from tasks.models import Task
from todo_project.deadlines import DATABASE_SECONDS, database_deadline, remaining_seconds
from todo_project.staff import pages
from todo_project.staff.pages import ACTION_SECONDS, staff_page, with_deadline
from todo_project.tests.database_connections import StoppedClock, ask
from todo_project.tests.staff import superuser_client

LOGIN = "/admin/login/"
# Code that only the admin may run
ADMIN_ONLY = (
    "contrib/sessions",
    "contrib/messages",
    "contrib/auth/middleware",
    "middleware/csrf",
    "whitenoise",
    "axes/",
    "todo_project/staff",
)
LIST = "/admin/tasks/task/"
PAGES = {
    LOGIN: 200,
    "/admin/": 200,
    LIST: 200,
    f"{LIST}add/": 200,
    "/admin/nothing/": 404,
    f"{LIST}?id__gt=1": 400,
}
HEADERS = {
    "Content-Security-Policy": pages.CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def files_run(path: str) -> set[str]:
    """Handle a request with the cookies of the admin; return the files whose code ran."""
    handler = BaseHandler()
    handler.load_middleware()
    cookie = {"Cookie": "sessionid=abc; csrftoken=def; messages=ghi"}
    headers = {"Authorization": f"Bearer {mint('alice')}", **cookie}
    request = RequestFactory().get(path, headers=headers)
    handler.get_response(request)  # the first request imports the routes
    seen: set[str] = set()
    sys.setprofile(lambda frame, event, argument: seen.add(frame.f_code.co_filename))
    try:
        handler.get_response(request)
    finally:
        sys.setprofile(None)
    return seen


@pytest.mark.django_db
def test_the_api_does_not_run_the_middleware_of_the_admin() -> None:
    """An API request must not run sessions, messages, CSRF, lockout or static files."""
    middleware = "todo_project/middleware"
    found = {}
    for path in ("/api/alice/tasks", "/api/alice/tasks/1", "/health", LOGIN):
        files = files_run(path)
        found[path] = {
            part for part in (middleware, *ADMIN_ONLY) if any(part in file for file in files)
        }

    # a page runs all but WhiteNoise, so the test can detect them
    assert found.pop(LOGIN) == {middleware, *ADMIN_ONLY} - {"whitenoise"}
    assert found == {path: {middleware} for path in found}


@pytest.mark.django_db
def test_a_page_has_security_headers_and_an_icon() -> None:
    """A page must load nothing from other sites, must not be framed, and must not be cached."""
    icon = b'<link rel="icon" href="/static/admin/img/icon-yes.svg">'
    staff, found, whole = superuser_client(), {}, set()
    for path in PAGES:
        answer = (Client() if path == LOGIN else staff).get(path)
        security = {name: answer.headers.get(name) for name in HEADERS}
        varies = answer.headers["Vary"].split(", ")
        is_kept = "no-store" not in answer.headers["Cache-Control"]
        found[path] = (
            answer.status_code,
            security,
            is_kept,
            {"Origin", "Authorization"} <= {*varies},
        )
        if icon in answer.content and "Cookie" in varies:
            whole.add(path)

    assert found == {path: (PAGES[path], HEADERS, False, True) for path in PAGES}
    assert whole == {path for path in PAGES if PAGES[path] == 200}
    assert "'unsafe" not in pages.CONTENT_SECURITY_POLICY


@pytest.mark.django_db
def test_no_other_origin_may_read_a_page() -> None:
    """A script in the front end must not be able to use a staff member's session."""
    answers = [
        client.get(path, headers={"Origin": FRONT_END})
        for client, path in ((superuser_client(), "/admin/"), (ApiClient(), LOGIN))
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert not [name for answer in answers for name in answer.headers if name.startswith("Access-")]


@pytest.mark.django_db
def test_a_missing_slash_or_session_redirects() -> None:
    """A redirect must add a missing trailing slash, or lead to the login without a session."""
    staff, anonymous = superuser_client(), Client()
    expected = {
        (staff, "/admin"): "/admin/",
        (staff, "/admin?next=/"): "/admin/?next=/",
        **{
            (anonymous, path): f"{LOGIN}?next={path}"
            for path in ("/admin/", LIST, "/admin/nothing/")
        },
    }
    answers = {(client, path): client.get(path) for client, path in expected}

    assert {answer.status_code for answer in answers.values()} == {302}
    assert {row: answer["Location"] for row, answer in answers.items()} == expected


@pytest.mark.django_db
def test_an_unknown_page_is_an_html_404(settings: Settings) -> None:
    """The page must show no internals; with DEBUG on, it must be Django's debug page."""
    staff = superuser_client()
    own_page = staff.get("/admin/nothing/")
    settings.DEBUG = True
    debug_page = staff.get("/admin/nothing/")

    assert (own_page.status_code, own_page["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert b"There is no such page." in own_page.content
    # the policy would block its inline styles and scripts
    assert (debug_page.status_code, b"<style" in debug_page.content) == (404, True)
    assert "Content-Security-Policy" not in debug_page.headers


OUTAGE = (OperationalError, 503, b"Nothing was changed.")
FAILURES = [
    ("tasks.staff.lists.attach_owners", RuntimeError, 500, b"The error has been logged."),
    ("tasks.admin.better_auth_users.table_exists", *OUTAGE),
    ("django.contrib.messages.context_processors.get_messages", *OUTAGE),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("target", "error", "status", "sentence"), FAILURES)
def test_an_error_page_shows_no_internals(
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
    target: str,
    error: Any,
    status: int,
    sentence: bytes,
) -> None:
    """Internals must be logged but not shown; an outage must cause a 503."""
    client = superuser_client()
    client.raise_request_exception = False
    monkeypatch.setattr(target, Mock(side_effect=error("SELECT a secret FROM db.example.com")))

    answer = client.get(LIST)

    internals = (b"secret", b"example.com", b"Error", b"Traceback")
    assert (answer.status_code, sentence in answer.content) == (status, True)
    assert answer.headers.get("Retry-After") == ("2" if status == 503 else None)
    assert not [word for word in internals if word in answer.content]
    assert "SELECT a secret FROM db.example.com" in log.getvalue()


@pytest.mark.django_db
def test_a_forged_form_is_refused() -> None:
    """A form that another site submits must change nothing and get an HTML 403."""
    client = superuser_client()
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = client.cookies

    answer = forged.post(f"{LIST}add/", {"user_id": "alice", "title": "Forged"})

    assert answer.status_code == 403
    assert b"This form was not sent from this site" in answer.content
    assert b"Forged" not in client.get(LIST).content


MULTIPART = "multipart/form-data; boundary=b"
PART = '--b\r\nContent-Disposition: form-data; name="f{}"; filename="f"\r\n\r\nx\r\n'
BAD_FORMS = [
    (413, MULTIPART, PART.format("") + "x" * 65_536),
    (413, "application/x-www-form-urlencoded", "x" * 65_537),
    (400, MULTIPART, "".join(map(PART.format, range(101))) + "--b--"),  # too many files
    (400, "multipart/form-data; boundary=é", PART),
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status", "kind", "form"),
    [
        *((path, *form) for path in (LOGIN, f"{LIST}add/") for form in BAD_FORMS),
        ("/admin/nothing/", *BAD_FORMS[0]),  # of which the form is not read
    ],
)
def test_a_bad_form_is_refused_in_one_log_line(
    log: io.StringIO, path: str, status: int, kind: str, form: str
) -> None:
    """Anybody can send one: it must cost neither a file nor a traceback."""
    client = superuser_client() if path != LOGIN else Client()
    client.raise_request_exception = False
    log.truncate(0)

    answer = client.post(path, form, kind)

    assert (answer.status_code, b"<h1>" in answer.content) == (status, True)
    assert answer["Content-Security-Policy"] == pages.CONTENT_SECURITY_POLICY
    assert len(log.getvalue().splitlines()) == 1
    assert not Task.objects.exists()


@pytest.mark.django_db
def test_a_file_that_is_sent_is_not_kept() -> None:
    """No form uploads files, and none may lie in the temporary folder."""
    form = {"username": "a", "password": "b", "file": io.BytesIO(b"x" * 9_000)}

    answer = Client().post(LOGIN, form)

    assert answer.status_code == 200
    assert (answer.wsgi_request.upload_handlers, answer.wsgi_request.FILES) == ([], {})


def test_a_post_has_a_longer_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A POST may take longer than a GET, and saving the session afterwards must not fail."""
    clock, seconds = StoppedClock(monkeypatch), []

    @with_deadline(ACTION_SECONDS)
    def view(request: HttpRequest) -> HttpResponse:
        seconds.append(remaining_seconds())
        clock.now += 2
        return HttpResponse()

    view(RequestFactory().post("/"))
    with database_deadline():
        for method in ("GET", "GET", "POST"):
            view(RequestFactory().generic(method, "/"))
        seconds.append(remaining_seconds())

    usual = DATABASE_SECONDS
    assert seconds == [ACTION_SECONDS, usual, usual - 2, ACTION_SECONDS, usual]


@pytest.mark.django_db
def test_each_chunk_of_a_stream_has_the_usual_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A download may take long, but each wait for the database must have a deadline."""
    clock = StoppedClock(monkeypatch)

    def view(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(str(remaining_seconds()) for _ in range(2))

    answer = staff_page(view)(RequestFactory().get("/"))
    assert isinstance(answer, StreamingHttpResponse)
    seconds = []
    for chunk in answer:
        clock.now += 100
        seconds.append(float(chunk))

    assert seconds == [DATABASE_SECONDS] * 2
    assert remaining_seconds() is None


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_stream_returns_its_connection_to_the_pool_between_chunks() -> None:
    """A slow client must not occupy a database connection."""

    def view(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(str(ask("SELECT 1")) for _ in range(2))

    answer = staff_page(view)(RequestFactory().get("/"))

    assert isinstance(answer, StreamingHttpResponse)
    assert [(chunk, connection.connection) for chunk in answer] == [(b"1", None)] * 2


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_stream_that_fails_returns_its_connection_to_the_pool() -> None:
    """Failed downloads must not use up the slots of the pool."""

    def chunks() -> Iterator[str]:
        yield str(ask("SELECT 1"))
        ask("SELECT 1")
        raise RuntimeError("the export fails")

    answer = staff_page(lambda request: StreamingHttpResponse(chunks()))(RequestFactory().get("/"))

    with pytest.raises(RuntimeError):
        list(answer)
    assert connection.connection is None


@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_a_stylesheet_is_served(settings: Settings, anonymous: ApiClient, debug: bool) -> None:
    """The admin must not need collectstatic."""
    settings.DEBUG = debug
    answer = anonymous.get("/static/admin/css/base.css")

    assert (answer.status_code, answer["Content-Type"]) == (200, 'text/css; charset="utf-8"')
    assert b"--primary" in answer.getvalue()
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_invalid_static_path_or_range_is_a_client_error(anonymous: ApiClient) -> None:
    """A client's mistake must not cause a 500."""
    paths = ["/static/", "/static/admin/", "/static/../manage.py"]
    found = {path: anonymous.get(path) for path in paths}
    part = anonymous.get("/static/admin/css/base.css", headers={"Range": "bytes=99999999-"})

    assert {path: each.json()["detail"] for path, each in found.items()} == dict.fromkeys(
        paths, "Not Found"
    )
    # the phrase depends on the version of Python
    assert (part.status_code, part.json()["detail"]) == (416, HTTPStatus(416).phrase)
    assert part["Content-Range"].startswith("bytes */")

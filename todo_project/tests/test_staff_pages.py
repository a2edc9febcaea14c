"""What is around the pages for people, and not around the API (contract.md "Errors"; FR-016)."""

import sys
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
from todo_project.deadlines import DATABASE_SECONDS, database_deadline, remaining_seconds
from todo_project.staff import pages
from todo_project.staff.pages import ACTION_SECONDS, page, patient
from todo_project.tests.database_connections import StoppedClock, ask
from todo_project.tests.staff import boss

LOGIN = "/admin/login/"
# What only pages for people may run
FOR_PEOPLE = (
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
    """Answer a request that has a staff member's cookie; return the files whose code ran."""
    handler = BaseHandler()
    handler.load_middleware()
    cookie = {"Cookie": "sessionid=abc; csrftoken=def; messages=ghi"}
    headers = {"Authorization": f"Bearer {mint('alice')}", **cookie}
    request = RequestFactory().get(path, headers=headers)
    handler.get_response(request)  # the first one imports the routes
    seen: set[str] = set()
    sys.setprofile(lambda frame, event, argument: seen.add(frame.f_code.co_filename))
    try:
        handler.get_response(request)
    finally:
        sys.setprofile(None)
    return seen


@pytest.mark.django_db
def test_the_api_runs_nothing_of_the_pages() -> None:
    """A request of the API must not pay for sessions, messages, CSRF, lock-out or static files."""
    ours = "todo_project/middleware"
    found = {}
    for path in ("/api/alice/tasks", "/api/alice/tasks/1", "/health", LOGIN):
        files = files_run(path)
        found[path] = {part for part in (ours, *FOR_PEOPLE) if any(part in file for file in files)}

    # that what a page runs would be seen
    assert found.pop(LOGIN) == {ours, *FOR_PEOPLE} - {"whitenoise"}
    assert found == {path: {ours} for path in found}


@pytest.mark.django_db
def test_a_page_has_its_security_headers_and_an_icon() -> None:
    """Nothing foreign may be loaded into a page, nor a page into something foreign."""
    icon = b'<link rel="icon" href="/static/admin/img/icon-yes.svg">'
    staff, found, whole = boss(), {}, set()
    for path in PAGES:
        answer = (Client() if path == LOGIN else staff).get(path)
        security = {name: answer.headers.get(name) for name in HEADERS}
        varies = answer.headers["Vary"].split(", ")
        is_kept = "no-store" not in answer.headers["Cache-Control"]
        found[path] = answer.status_code, security, is_kept, "Origin" in varies
        if icon in answer.content and "Cookie" in varies:
            whole.add(path)

    assert found == {path: (PAGES[path], HEADERS, False, True) for path in PAGES}
    assert whole == {path for path in PAGES if PAGES[path] == 200}
    assert "'unsafe" not in pages.CONTENT_SECURITY_POLICY


@pytest.mark.django_db
def test_no_other_origin_may_read_a_page() -> None:
    """The front end may call the API with cookies; a script in it must not become staff."""
    answers = [
        client.get(path, headers={"Origin": FRONT_END})
        for client, path in ((boss(), "/admin/"), (ApiClient(), LOGIN))
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert not [name for answer in answers for name in answer.headers if name.startswith("Access-")]


@pytest.mark.django_db
def test_who_types_an_address_is_sent_to_the_page() -> None:
    """A slash may be forgotten, and a stranger see no more than the log-in."""
    staff, stranger = boss(), Client()
    expected = {
        (staff, "/admin"): "/admin/",
        (staff, "/admin?next=/"): "/admin/?next=/",
        **{
            (stranger, path): f"{LOGIN}?next={path}"
            for path in ("/admin/", LIST, "/admin/nothing/")
        },
    }
    answers = {(client, path): client.get(path) for client, path in expected}

    assert {answer.status_code for answer in answers.values()} == {302}
    assert {row: answer["Location"] for row, answer in answers.items()} == expected


@pytest.mark.django_db
def test_a_page_that_is_missing_is_a_page(settings: Settings) -> None:
    """It must be for people and show nothing of ours, but to a developer Django's own page."""
    staff = boss()
    ours = staff.get("/admin/nothing/")
    settings.DEBUG = True
    djangos = staff.get("/admin/nothing/")

    assert (ours.status_code, ours["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert b"There is no such page." in ours.content
    # the policy would take away its styles and scripts, which are inside of it
    assert (djangos.status_code, b"<style" in djangos.content) == (404, True)
    assert "Content-Security-Policy" not in djangos.headers


AWAY = (OperationalError, 503, b"Nothing was changed.")
FAILURES = [
    ("tasks.staff.lists.attach_owners", RuntimeError, 500, b"it has been logged"),
    ("tasks.admin.better_auth_users.table_exists", *AWAY),
    ("django.contrib.messages.context_processors.get_messages", *AWAY),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("where", "fault", "status", "sentence"), FAILURES)
def test_a_failure_is_a_page_that_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, where: str, fault: Any, status: int, sentence: bytes
) -> None:
    """No stack trace, statement or host may be shown, and an outage be a 503 for people, too."""
    client = boss()
    client.raise_request_exception = False
    monkeypatch.setattr(where, Mock(side_effect=fault("SELECT a secret FROM db.example.com")))

    answer = client.get(LIST)

    internals = (b"secret", b"example.com", b"Error", b"Traceback")
    assert (answer.status_code, sentence in answer.content) == (status, True)
    assert answer.headers.get("Retry-After") == ("2" if status == 503 else None)
    assert not [word for word in internals if word in answer.content]


@pytest.mark.django_db
def test_a_forged_form_is_refused() -> None:
    """A form that another page sends must change nothing, and be answered by a page."""
    client = boss()
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = client.cookies

    answer = forged.post(f"{LIST}add/", {"user_id": "alice", "title": "Forged"})

    assert answer.status_code == 403
    assert b"This form was not sent from a page of ours" in answer.content
    assert b"Forged" not in client.get(LIST).content


def test_what_staff_send_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change may take longer than a page, and storing the session not fail after it."""
    clock, seconds = StoppedClock(monkeypatch), []

    @patient(ACTION_SECONDS)
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
def test_each_part_of_a_stream_has_the_usual_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long file may take long, but no wait for the database may hold it up for ever."""
    clock = StoppedClock(monkeypatch)

    def view(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(str(remaining_seconds()) for _ in range(2))

    answer = page(view)(RequestFactory().get("/"))
    assert isinstance(answer, StreamingHttpResponse)
    seconds = []
    for part in answer:
        clock.now += 100
        seconds.append(float(part))

    assert seconds == [DATABASE_SECONDS] * 2
    assert remaining_seconds() is None


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_stream_gives_its_connection_back_between_its_parts() -> None:
    """Somebody who reads slowly must not keep the database from others."""

    def view(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(str(ask("SELECT 1")) for _ in range(2))

    answer = page(view)(RequestFactory().get("/"))

    assert isinstance(answer, StreamingHttpResponse)
    assert [(part, connection.connection) for part in answer] == [(b"1", None)] * 2


@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_the_style_sheets_are_there(settings: Settings, anybody: ApiClient, debug: bool) -> None:
    """The admin must look right without a step that collects its files."""
    settings.DEBUG = debug
    answer = anybody.get("/static/admin/css/base.css")

    assert (answer.status_code, answer["Content-Type"]) == (200, 'text/css; charset="utf-8"')
    assert b"--primary" in answer.getvalue()
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_no_other_file_and_no_other_part_of_one_is_served(anybody: ApiClient) -> None:
    """A client's mistake must not look like a fault."""
    paths = ["/static/", "/static/admin/", "/static/../manage.py"]
    found = {path: anybody.get(path) for path in paths}
    part = anybody.get("/static/admin/css/base.css", headers={"Range": "bytes=99999999-"})

    assert {path: each.json()["detail"] for path, each in found.items()} == dict.fromkeys(
        paths, "Not Found"
    )
    # Python has reworded the phrase
    assert (part.status_code, part.json()["detail"]) == (416, HTTPStatus(416).phrase)
    assert part["Content-Range"].startswith("bytes */")

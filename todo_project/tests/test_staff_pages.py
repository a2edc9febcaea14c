"""What is around the pages for people, and not around the API (issue "Staff and operators")."""

import sys
import time
from http import HTTPStatus
from typing import Any

import pytest
from django.core.handlers.base import BaseHandler
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from conftest import FRONT_END, ApiClient, mint
from todo_project.deadlines import DATABASE_SECONDS, database_deadline, remaining_seconds
from todo_project.staff import pages
from todo_project.staff.pages import ACTION_SECONDS, page, patient
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
@pytest.mark.parametrize("path", ["/api/alice/tasks", "/api/alice/tasks/1", "/health"])
def test_the_api_runs_nothing_of_the_pages(path: str) -> None:
    """A request of the API must not pay for sessions, messages, CSRF, lock-out or static files."""
    run = files_run(path)

    assert any("todo_project/middleware" in file for file in run)
    assert not [file for file in run if any(part in file for part in FOR_PEOPLE)]


@pytest.mark.django_db
def test_what_the_pages_run_would_be_seen() -> None:
    """The test above must be able to fail."""
    run = files_run(LOGIN)

    assert [part for part in FOR_PEOPLE if not any(part in file for file in run)] == ["whitenoise"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", [LOGIN, "/admin/", "/admin/tasks/task/", "/admin/tasks/task/add/"])
def test_a_page_has_its_security_headers(path: str) -> None:
    """Nothing foreign may be loaded into a page, nor a page into something foreign."""
    answer = boss().get(path)

    assert answer.headers["Content-Security-Policy"] == pages.CONTENT_SECURITY_POLICY
    assert "'unsafe" not in pages.CONTENT_SECURITY_POLICY
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer.headers["Cache-Control"]
    assert {"Cookie", "Origin"} <= set(answer.headers["Vary"].split(", "))


@pytest.mark.django_db
@pytest.mark.parametrize("path", [LOGIN, "/admin/", "/admin/tasks/task/", "/admin/tasks/task/add/"])
def test_a_page_names_its_icon(path: str) -> None:
    """A browser that is told of none asks for ``/favicon.ico``, and complains of the 404."""
    client = Client() if path == LOGIN else boss()

    assert b'<link rel="icon" href="/static/admin/img/icon-yes.svg">' in client.get(path).content


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
@pytest.mark.parametrize("path", ["/admin", "/admin?next=/"])
def test_the_slash_may_be_forgotten(path: str) -> None:
    """Who types the address without its slash must get there."""
    answer = boss().get(path)

    assert (answer.status_code, answer["Location"]) == (302, path.replace("/admin", "/admin/", 1))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/", "/admin/tasks/task/", "/admin/nothing/"])
def test_a_stranger_is_sent_to_the_log_in(path: str) -> None:
    """Nobody may see more than the log-in before signing in, not even what there is."""
    answer = Client().get(path)

    assert (answer.status_code, answer["Location"]) == (302, f"{LOGIN}?next={path}")


@pytest.mark.django_db
def test_a_page_that_is_missing_is_a_page() -> None:
    """An error under /admin/ must be for people, and show nothing of ours."""
    answer = boss().get("/admin/nothing/")

    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert b"There is no such page." in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"), [("/admin/nothing/", 404), ("/admin/tasks/task/?id__gt=1", 400)]
)
def test_an_error_has_the_headers_of_a_page(path: str, status: int) -> None:
    """No page may be without them."""
    answer = boss().get(path)

    assert answer.status_code == status
    assert answer.headers["Content-Security-Policy"] == pages.CONTENT_SECURITY_POLICY
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.django_db
def test_a_developer_sees_djangos_page(settings: Settings) -> None:
    """Its styles and scripts are inside of it, and the policy would take them away."""
    settings.DEBUG = True

    answer = boss().get("/admin/nothing/")

    assert answer.status_code == 404
    assert b"<style" in answer.content
    assert "Content-Security-Policy" not in answer.headers


@pytest.mark.django_db
def test_a_fault_is_a_page_that_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No stack trace, statement or setting may be shown."""

    def fail(*args: Any) -> None:
        raise RuntimeError("SELECT a secret FROM /etc")

    client = boss()
    client.raise_request_exception = False
    monkeypatch.setattr("tasks.staff.lists.attach_owners", fail)

    answer = client.get("/admin/tasks/task/")

    assert answer.status_code == 500
    assert b"it has been logged" in answer.content
    assert not [word for word in (b"secret", b"Error", b"Traceback") if word in answer.content]


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["view", "template"])
def test_an_outage_is_a_page_that_says_so(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """A database that is away must be a 503 for people, too, with the host's name kept back."""

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection to db.example.com failed")

    client = boss()
    if where == "view":
        monkeypatch.setattr("tasks.admin.better_auth_users.table_exists", fail)
    else:
        monkeypatch.setattr("django.contrib.messages.context_processors.get_messages", fail)

    answer = client.get("/admin/tasks/task/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert b"Nothing was changed." in answer.content
    assert b"example.com" not in answer.content


@pytest.mark.django_db
def test_a_forged_form_is_refused() -> None:
    """A form that another page sends must change nothing, and be answered by a page."""
    client = boss()
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = client.cookies

    answer = forged.post("/admin/tasks/task/add/", {"user_id": "alice", "title": "Forged"})

    assert answer.status_code == 403
    assert b"This form was not sent from a page of ours" in answer.content
    assert b"Forged" not in client.get("/admin/tasks/task/").content


def test_what_staff_send_may_take_longer() -> None:
    """A change of many tasks takes longer than a page may; a page may not."""

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(remaining_seconds()))

    answers = [
        patient(ACTION_SECONDS)(view)(RequestFactory().generic(method, "/")).getvalue()
        for method in ("GET", "POST")
    ]

    assert answers[0] == b"None"
    assert float(answers[1]) == pytest.approx(ACTION_SECONDS, abs=1)


def test_what_follows_a_long_change_has_the_usual_deadline() -> None:
    """Storing the session must not fail because a password took long to check."""

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    with database_deadline(0.5):
        first = remaining_seconds()
        time.sleep(0.6)
        used_up = remaining_seconds()
        patient(ACTION_SECONDS)(view)(RequestFactory().post("/"))

        assert first
        assert used_up == 0
        assert remaining_seconds()


@pytest.mark.django_db
def test_each_part_of_a_stream_has_the_usual_deadline() -> None:
    """A long file may take long, but no wait for the database may hold it up for ever."""

    def view(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(str(remaining_seconds()) for _ in range(2))

    answer = page(view)(RequestFactory().get("/"))
    assert isinstance(answer, StreamingHttpResponse)
    seconds = [float(part) for part in answer]

    assert len(seconds) == 2
    assert seconds == [pytest.approx(DATABASE_SECONDS, abs=1)] * len(seconds)
    assert remaining_seconds() is None


@pytest.mark.django_db(transaction=True)
def test_a_stream_gives_its_connection_back_between_its_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody who reads slowly must not keep the database from others."""
    given_back: list[int] = []
    monkeypatch.setattr(pages, "close_old_connections", lambda: given_back.append(1))

    def view(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(str(len(given_back)) for _ in range(3))

    answer = page(view)(RequestFactory().get("/"))

    assert isinstance(answer, StreamingHttpResponse)
    assert list(answer) == [b"0", b"1", b"2"]


@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_the_style_sheets_are_there(settings: Settings, anybody: ApiClient, debug: bool) -> None:
    """The admin must look right without a step that collects its files."""
    settings.DEBUG = debug
    answer = anybody.get("/static/admin/css/base.css")

    assert (answer.status_code, answer["Content-Type"]) == (200, 'text/css; charset="utf-8"')
    assert b"--primary" in answer.getvalue()
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_range_that_a_file_does_not_have_is_refused(anybody: ApiClient) -> None:
    """A client's mistake must not look like a fault."""
    answer = anybody.get("/static/admin/css/base.css", headers={"Range": "bytes=99999999-"})

    assert answer.status_code == 416
    assert answer.json()["detail"] == HTTPStatus(416).phrase  # which Python has reworded
    assert answer["Content-Range"].startswith("bytes */")


@pytest.mark.parametrize("path", ["/static/", "/static/admin/", "/static/../manage.py"])
def test_no_other_file_is_served(anybody: ApiClient, path: str) -> None:
    """What is no static file must be missing."""
    answer = anybody.get(path)

    assert (answer.status_code, answer.json()["detail"]) == (404, "Not Found")

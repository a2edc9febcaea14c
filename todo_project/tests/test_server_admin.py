"""The deployed admin behind a proxy that terminates TLS (docs/admin.md)."""

import re
from collections.abc import Iterator

import httpx
import pytest

from todo_project.tests.live_server import LiveServer, deploying
from todo_project.tests.staff import ACCOUNT, PASSWORD

LOGIN = "/admin/login/?next=/admin/"


@pytest.fixture(scope="module")
def deployed(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve with the settings for a proxy that changes Host, and with a staff account."""
    with deploying(tmp_path_factory.mktemp("staffed"), template) as deployed:
        done = deployed.manage("createsuperuser", "--noinput", **ACCOUNT)
        assert done.returncode == 0, done.stderr
        variables = {"TRUST_PROXY": "true", "CSRF_TRUSTED_ORIGINS": "https://staff.example.com"}
        with deployed.serving(**variables) as live:
            yield live


def proxy_headers(address: str) -> dict[str, str]:
    """Return the headers that a proxy sends for a browser that forged X-Forwarded-For."""
    return {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": f"203.0.113.99, {address}",
        "Origin": "https://staff.example.com",
    }


def log_in(server: LiveServer, address: str, password: str = PASSWORD) -> httpx.Response:
    """Log in like a browser that uses https, and return the response."""
    proxy = proxy_headers(address)
    with server.client() as client:
        page = client.get(LOGIN, headers=proxy)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        if not token:
            return page
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        form = {"username": "grace", "password": password, "csrfmiddlewaretoken": token[1]}
        return client.post(LOGIN, data=form, headers={**proxy, "Cookie": cookie})


def test_staff_log_in_behind_a_proxy(deployed: LiveServer) -> None:
    """The admin must work behind a proxy that terminates TLS, with cookies for https only."""
    answer = log_in(deployed, "192.0.2.1")

    session = next(
        cookie for cookie in answer.headers.get_list("Set-Cookie") if cookie.startswith("sessionid")
    )
    with deployed.client(Cookie=session.partition(";")[0]) as client:
        opened = client.get("/admin/tasks/task/", headers=proxy_headers("192.0.2.1"))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(session.split("; "))
    assert opened.status_code == 200


def test_the_lockout_uses_the_browsers_address(deployed: LiveServer) -> None:
    """The lockout must not affect any other browser behind the same proxy."""
    statuses = [log_in(deployed, "192.0.2.7", "wrong").status_code for _ in range(6)]

    assert statuses == [200] * 4 + [429] * 2
    assert log_in(deployed, "192.0.2.7").status_code == 429
    assert log_in(deployed, "192.0.2.8").status_code == 302
    assert log_in(deployed, "203.0.113.99").status_code == 302
    assert "192.0.2.7" in deployed.log
    assert PASSWORD not in deployed.log


def test_the_static_files_are_served_and_cached(deployed: LiveServer) -> None:
    """The admin must not need collectstatic, and browsers must be able to cache its files."""
    with deployed.client() as client:
        page = client.get(LOGIN, headers=proxy_headers("192.0.2.1"))
        files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
        answers = [client.get(file) for file in files]
        again = [
            client.get(file, headers={"If-Modified-Since": answer.headers["Last-Modified"]})
            for file, answer in zip(files, answers, strict=True)
        ]

    assert files
    assert {answer.status_code for answer in answers} == {200}
    assert all("max-age" in answer.headers["Cache-Control"] for answer in answers)
    assert {(answer.status_code, answer.content) for answer in again} == {(304, b"")}


def test_silenced_checks_are_not_logged_at_startup(deployed: LiveServer) -> None:
    """Axes must not warn that its middleware and its back end are missing: neither is needed."""
    assert "axes.middleware" not in deployed.log
    assert "AxesStandaloneBackend" not in deployed.log

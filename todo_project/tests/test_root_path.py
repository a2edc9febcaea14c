"""``ROOT_PATH``: the service under a prefix, behind a reverse proxy."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import clear_script_prefix, get_resolver
from pytest_django.fixtures import Settings

from todo_project.configuration.root_path import OWN_SEGMENTS, root_path, strip_prefix
from todo_project.tests.live_server import LiveServer, deploying
from todo_project.tests.nginx import needs_nginx, proxying
from todo_project.tests.staff import ACCOUNT, PASSWORD
from todo_project.wsgi import application

PREFIX = "/todo"


def test_a_trailing_slash_is_removed() -> None:
    """A prefix must be accepted with or without a trailing slash."""
    prefixes = {"": "", "/": "", "/todo": "/todo", "/todo/": "/todo", "/a/b-c.~e": "/a/b-c.~e"}

    assert {value: root_path(value) for value in prefixes} == prefixes


@pytest.mark.parametrize(
    "value",
    ["todo", "//todo", "/todo//x", "/to do", "/..", "/a/../b", "/todo?x", "/tödo", "/%74", "*"],
)
def test_a_value_that_is_not_a_path_is_refused(value: str) -> None:
    """An invalid setting must prevent startup (FR-020)."""
    with pytest.raises(ImproperlyConfigured, match=r"^ROOT_PATH must be a path such as /todo\.$"):
        root_path(value)


def test_a_prefix_that_begins_like_a_route_is_refused() -> None:
    """A prefix must not begin like a route: it would be unclear whether the proxy removed it."""
    patterns = [str(route.pattern) for route in get_resolver().url_patterns]
    segments = {
        name
        for pattern in patterns
        for name in re.findall(r"^\^?([\w.]*)", pattern.replace(r"\.", "."))
    }

    assert (segments | {"metrics"}) - {""} <= set(OWN_SEGMENTS)  # /metrics needs METRICS
    for name in OWN_SEGMENTS:
        with pytest.raises(ImproperlyConfigured, match="must not begin with a path"):
            root_path(f"/{name}/v1")


@pytest.mark.parametrize(
    ("sent", "stripped"),
    [
        ("/todo/api/a/tasks", "/api/a/tasks"),
        ("/todo", ""),
        ("/todo/", "/"),
        ("/todo/todo/x", "/todo/x"),
        ("/api/todo/tasks", "/api/todo/tasks"),
        ("/todos/x", "/todos/x"),
        ("/health", "/health"),
        ("http://todo/todo/health", "http://todo/health"),
    ],
)
def test_the_prefix_is_removed_once(sent: str, stripped: str) -> None:
    """Only one leading prefix may be removed, from both the decoded and the raw path."""
    environ = {"PATH_INFO": sent.removeprefix("http://todo"), "RAW_URI": sent}

    strip_prefix(PREFIX, environ)

    assert environ == {"PATH_INFO": stripped.removeprefix("http://todo"), "RAW_URI": stripped}


@pytest.fixture
def _clear_prefix() -> Iterator[None]:
    """Clear the script prefix, which a process never changes, after the test."""
    yield
    clear_script_prefix()


def call(path: str) -> tuple[str, dict[str, str]]:
    """Send a GET to the WSGI application; return the status and the headers."""
    started: list[Any] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(),
    }
    b"".join(application(environ, lambda status, headers, *_: started.extend((status, headers))))
    return started[0], dict(started[1])


@pytest.mark.django_db
@pytest.mark.parametrize("sent", ["/todo/admin", "/admin"], ids=["kept", "removed"])
@pytest.mark.usefixtures("_clear_prefix")
def test_a_redirect_has_the_prefix(settings: Settings, sent: str) -> None:
    """A redirect must lead to a path that the proxy publishes."""
    settings.ROOT_PATH = settings.FORCE_SCRIPT_NAME = PREFIX

    status, headers = call(sent)

    assert (status, headers["Location"]) == ("302 Found", "/todo/admin/")


@pytest.mark.django_db
def test_without_a_prefix_nothing_is_removed() -> None:
    """A path with an unconfigured prefix must get a 404."""
    assert call("/todo/health")[0] == "404 Not Found"


@pytest.fixture(scope="module")
def server(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve under a prefix, with a staff account."""
    with deploying(tmp_path_factory.mktemp("prefixed"), template) as deployed:
        completed = deployed.manage("createsuperuser", "--noinput", **ACCOUNT)
        assert completed.returncode == 0, completed.stderr
        variables = {"ROOT_PATH": f"{PREFIX}/", "TRUST_PROXY": "true", "API_DOCS": "true"}
        with deployed.serving(**variables) as live:
            yield live


@pytest.fixture(scope="module", params=["http://todo", "http://todo/"], ids=["kept", "removed"])
def nginx(
    server: LiveServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[LiveServer]:
    """Run nginx in front of the service, forwarding requests with the prefix kept or removed."""
    folder = tmp_path_factory.mktemp("nginx")
    with proxying(folder, server.port, path=f"{PREFIX}/", target=request.param) as nginx:
        yield nginx


@pytest.fixture
def browser(nginx: LiveServer) -> Iterator[httpx.Client]:
    """Open a client for nginx."""
    with nginx.client("alice") as client:
        yield client


@needs_nginx
def test_the_api_works_under_the_prefix(browser: httpx.Client) -> None:
    """Tasks, pagination, errors and the health check must work as without a prefix."""
    path = f"{PREFIX}/api/alice/tasks"
    created = [browser.post(path, json={"title": title}) for title in ("one", "two")]
    page = browser.get(path, params={"limit": 1})
    following = page.url.join(page.links["next"]["url"])
    slash, absent = (browser.get(f"{path}/{task_id}").json() for task_id in ("1%2F2", "abc"))

    assert [response.status_code for response in created] == [201, 201]
    assert len(browser.get(following).json()) == 1
    assert slash["detail"] in ("Task not found", "Not Found")
    assert absent["detail"] == "Task not found"
    assert browser.get(f"{PREFIX}/").json()["docs"] == f"{PREFIX}/docs"
    page = browser.get(f"{PREFIX}/", headers={"Accept": "text/html"})
    addresses = re.findall('href="([^"]+)"', page.text)
    assert {browser.get(each).status_code for each in addresses} == {200, 302}  # /admin/ redirects
    assert browser.get(f"{PREFIX}/health").status_code == 200
    assert browser.get("/health").status_code == 404  # nginx's own response


@needs_nginx
def test_staff_log_in_under_the_prefix(browser: httpx.Client) -> None:
    """Redirects, forms, cookies and static files must stay under the prefix."""
    browser.headers.pop("Authorization")
    redirect = browser.get(f"{PREFIX}/admin/")
    page = browser.get(redirect.headers["Location"])
    files = re.findall(r'(?:href|src)="([^"]+\.(?:css|js|svg))"', page.text)
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    form = {"username": "grace", "password": PASSWORD, "csrfmiddlewaretoken": token}
    # without "Secure", as this nginx has no TLS
    cookie, _, _ = page.headers["Set-Cookie"].partition(";")
    signed_in = browser.post(redirect.headers["Location"], data=form, headers={"Cookie": cookie})

    assert redirect.headers["Location"] == f"{PREFIX}/admin/login/?next={PREFIX}/admin/"
    assert files
    assert all(file.startswith(f"{PREFIX}/static/") for file in files)
    assert {browser.get(file).status_code for file in files} == {200}
    assert (signed_in.status_code, signed_in.headers["Location"]) == (302, f"{PREFIX}/admin/")
    cookies = signed_in.headers.get_list("Set-Cookie")
    assert all("Path=/todo/admin/" in cookie for cookie in cookies)


@needs_nginx
@pytest.mark.parametrize("path", ["/", f"{PREFIX}/"])
def test_the_proxy_does_not_publish_the_metrics(
    server: LiveServer, tmp_path: Path, path: str
) -> None:
    """The documented nginx configuration must hide the metrics from clients."""
    with proxying(tmp_path, server.port, path=path) as nginx, nginx.client() as client:
        responses = [client.get(f"{path}{name}") for name in ("metrics", "%6Detrics/", "health")]

    assert [response.status_code for response in responses] == [404, 404, 200]
    assert ["nginx" in response.text for response in responses] == [True, True, False]


@needs_nginx
def test_the_documentation_works_under_the_prefix(browser: httpx.Client) -> None:
    """The OpenAPI document and the files of its pages must stay under the prefix."""
    pages = [browser.get(f"{PREFIX}/{name}") for name in ("docs", "redoc")]
    files = [
        page.url.join(file)
        for page in pages
        for file in re.findall(r'(?:href|src)="([^"]+)"', page.text)
    ]

    assert len(files) > len(pages)
    assert {browser.get(url).status_code for url in files} == {200}
    assert all(url.path.startswith(f"{PREFIX}/") for url in files)
    assert browser.get(f"{PREFIX}/openapi.json").json()["servers"][0]["url"] == "."

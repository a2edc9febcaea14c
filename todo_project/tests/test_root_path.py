"""Behind a proxy that shows the service under a prefix, ``ROOT_PATH``."""

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

from todo_project.configuration.root_path import OURS, root_path, take_off
from todo_project.tests.live_server import LiveServer, deploying
from todo_project.tests.nginx import needs_nginx, proxying
from todo_project.tests.staff import ACCOUNT, PASSWORD
from todo_project.wsgi import application

PREFIX = "/todo"


def test_a_prefix_is_read() -> None:
    """A slash at its end must not count."""
    prefixes = {"": "", "/": "", "/todo": "/todo", "/todo/": "/todo", "/a/b-c.~e": "/a/b-c.~e"}

    assert {value: root_path(value) for value in prefixes} == prefixes


@pytest.mark.parametrize(
    "value",
    ["todo", "//todo", "/todo//x", "/to do", "/..", "/a/../b", "/todo?x", "/tödo", "/%74", "*"],
)
def test_what_is_no_path_is_refused(value: str) -> None:
    """What cannot work must stop the start (FR-020)."""
    with pytest.raises(ImproperlyConfigured, match=r"^ROOT_PATH must be a path such as /todo\.$"):
        root_path(value)


def test_a_prefix_that_begins_a_path_of_ours_is_refused() -> None:
    """Nobody could tell whether the proxy has taken it off."""
    patterns = [str(each.pattern) for each in get_resolver().url_patterns]
    ours = {
        name
        for pattern in patterns
        for name in re.findall(r"^\^?([\w.]*)", pattern.replace(r"\.", "."))
    }

    assert (ours | {"metrics"}) - {""} <= set(OURS)  # that one is there with METRICS only
    for name in OURS:
        with pytest.raises(ImproperlyConfigured, match="must not begin with a path"):
            root_path(f"/{name}/v1")


@pytest.mark.parametrize(
    ("sent", "taken"),
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
def test_the_prefix_is_taken_off_once(sent: str, taken: str) -> None:
    """It must go where it stands first, from the path as it was sent, too."""
    environ = {"PATH_INFO": sent.removeprefix("http://todo"), "RAW_URI": sent}

    take_off(PREFIX, environ)

    assert environ == {"PATH_INFO": taken.removeprefix("http://todo"), "RAW_URI": taken}


@pytest.fixture
def _prefix_of_another_process() -> Iterator[None]:
    """Forget the prefix: a process has one, and tells each of its threads once."""
    yield
    clear_script_prefix()


def call(path: str) -> tuple[str, dict[str, str]]:
    """Send a GET to the WSGI application; return status and headers."""
    answered: list[Any] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(),
    }
    b"".join(application(environ, lambda status, headers, *_: answered.extend((status, headers))))
    return answered[0], dict(answered[1])


@pytest.mark.django_db
@pytest.mark.parametrize("sent", ["/todo/admin", "/admin"], ids=["left on", "taken off"])
@pytest.mark.usefixtures("_prefix_of_another_process")
def test_a_redirect_has_the_prefix(settings: Settings, sent: str) -> None:
    """A browser must be sent where the proxy shows us."""
    settings.ROOT_PATH = settings.FORCE_SCRIPT_NAME = PREFIX

    status, headers = call(sent)

    assert (status, headers["Location"]) == ("302 Found", "/todo/admin/")


@pytest.mark.django_db
def test_without_a_prefix_nothing_is_taken_off() -> None:
    """A path that looks like one must be missing."""
    assert call("/todo/health")[0] == "404 Not Found"


@pytest.fixture(scope="module")
def server(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve under a prefix, with a member of staff."""
    with deploying(tmp_path_factory.mktemp("prefixed"), template) as deployed:
        done = deployed.manage("createsuperuser", "--noinput", **ACCOUNT)
        assert done.returncode == 0, done.stderr
        variables = {"ROOT_PATH": f"{PREFIX}/", "TRUST_PROXY": "true", "API_DOCS": "true"}
        with deployed.serving(**variables) as live:
            yield live


@pytest.fixture(
    scope="module", params=["http://todo", "http://todo/"], ids=["left on", "taken off"]
)
def nginx(
    server: LiveServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[LiveServer]:
    """Run nginx, which shows the service under the prefix, in either way."""
    folder = tmp_path_factory.mktemp("nginx")
    with proxying(folder, server.port, path=f"{PREFIX}/", target=request.param) as nginx:
        yield nginx


@pytest.fixture
def browser(nginx: LiveServer) -> Iterator[httpx.Client]:
    """Open a client of nginx."""
    with nginx.client("alice") as client:
        yield client


@needs_nginx
def test_the_api_answers_under_the_prefix(browser: httpx.Client) -> None:
    """Tasks, the pages of a list and errors must be as without it."""
    path = f"{PREFIX}/api/alice/tasks"
    created = [browser.post(path, json={"title": title}) for title in ("one", "two")]
    page = browser.get(path, params={"limit": 1})
    following = page.url.join(page.links["next"]["url"])
    slash, absent = (browser.get(f"{path}/{task_id}").json() for task_id in ("1%2F2", "abc"))

    assert [each.status_code for each in created] == [201, 201]
    assert len(browser.get(following).json()) == 1
    assert slash["detail"] in ("Task not found", "Not Found")
    assert absent["detail"] == "Task not found"
    assert browser.get(f"{PREFIX}/").json()["docs"] == f"{PREFIX}/docs"
    assert browser.get(f"{PREFIX}/health").status_code == 200
    assert browser.get("/health").status_code == 404  # nginx's own


@needs_nginx
def test_staff_sign_in_under_the_prefix(browser: httpx.Client) -> None:
    """Redirects, forms, cookies and static files must stay below it."""
    browser.headers.pop("Authorization")
    moved = browser.get(f"{PREFIX}/admin/")
    page = browser.get(moved.headers["Location"])
    files = re.findall(r'(?:href|src)="([^"]+\.(?:css|js|svg))"', page.text)
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    form = {"username": "grace", "password": PASSWORD, "csrfmiddlewaretoken": token}
    # without what keeps it to https, which nginx does not have here
    cookie, _, _ = page.headers["Set-Cookie"].partition(";")
    signed_in = browser.post(moved.headers["Location"], data=form, headers={"Cookie": cookie})

    assert moved.headers["Location"] == f"{PREFIX}/admin/login/?next={PREFIX}/admin/"
    assert files
    assert all(file.startswith(f"{PREFIX}/static/") for file in files)
    assert {browser.get(file).status_code for file in files} == {200}
    assert (signed_in.status_code, signed_in.headers["Location"]) == (302, f"{PREFIX}/admin/")
    assert all("Path=/todo/admin/" in each for each in signed_in.headers.get_list("Set-Cookie"))


@needs_nginx
@pytest.mark.parametrize("path", ["/", f"{PREFIX}/"])
def test_metrics_are_not_passed_on(server: LiveServer, tmp_path: Path, path: str) -> None:
    """Nobody behind the proxy may see the figures (README, Behind a proxy)."""
    with proxying(tmp_path, server.port, path=path) as nginx, nginx.client() as client:
        answers = [client.get(f"{path}{name}") for name in ("metrics", "%6Detrics/", "health")]

    assert [each.status_code for each in answers] == [404, 404, 200]
    assert ["nginx" in each.text for each in answers] == [True, True, False]


@needs_nginx
def test_the_documents_are_shown_under_the_prefix(browser: httpx.Client) -> None:
    """The document, and whatever the pages load, must stay below it."""
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

"""``/openapi.json``, ``/docs`` and ``/redoc``, enabled and disabled."""

import re
from itertools import product
from pathlib import Path
from urllib.parse import urljoin

import pytest
from pytest_django.fixtures import Settings

from conftest import ApiClient
from todo_project.tests.live_server import run
from todo_project.tests.settings_loader import MODULE, PRODUCTION, load

PATHS = ["/openapi.json", "/docs", "/docs/", "/redoc", "/redoc/"]
NOT_FOUND = {"detail": "Not Found", "error": "Not Found"}
SIDECAR = "drf_spectacular_sidecar"
# Sends two requests; prints how often the document was parsed, and whether the sidecar is loaded.
LOADED = (
    "import django, sys; django.setup();"
    "from django.test import Client; assert Client().get('/openapi.json').status_code == 404;"
    "assert Client().get('/api/alice/tasks').status_code == 401;"
    "from todo_project.openapi.views import openapi_document as document;"
    f"print(document.cache_info().misses, '{SIDECAR}' in sys.modules)"
)


@pytest.fixture
def reader(anonymous: ApiClient, settings: Settings) -> ApiClient:
    """Return a client without a token, with the documents enabled."""
    settings.API_DOCS = True
    return anonymous


@pytest.mark.parametrize("debug", [False, True])
def test_disabled_documents_are_not_found(
    anonymous: ApiClient, settings: Settings, debug: bool
) -> None:
    """A disabled document must look like any unknown path (docs/contract.md, "Errors")."""
    settings.DEBUG = debug
    found = {}
    for path, method in product(PATHS, ["GET", "HEAD", "POST"]):
        response = anonymous.send(method, path)
        found[path, method] = response.status_code, method == "HEAD" or response.json() == NOT_FOUND

    assert found == dict.fromkeys(found, (404, True))


def test_disabled_documents_are_not_loaded(project: Path) -> None:
    """A production process must not pay for disabled documents, at startup or later."""
    started = run(project, "-c", LOADED, **MODULE, **PRODUCTION)

    assert started.returncode == 0, started.stderr
    assert started.stdout.splitlines()[-1] == "0 False"


def test_the_environment_enables_the_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """``API_DOCS``, which defaults to ``DEBUG``, must enable the documents (FR-020)."""
    found = {}
    for debug, api_docs in product(["false", "true"], ["", "false", "true"]):
        loaded = load(monkeypatch, DEBUG=debug, API_DOCS=api_docs)
        found[debug, api_docs] = loaded["API_DOCS"], SIDECAR in loaded["INSTALLED_APPS"]

    assert {row for row in found if found[row] == (True, True)} == {
        *product(["false", "true"], ["true"]),
        ("true", ""),
    }
    assert set(found.values()) == {(True, True), (False, False)}


def test_the_document_is_json(reader: ApiClient) -> None:
    """The document must be served as JSON without a token, regardless of ``Accept``."""
    response = reader.send("GET", "/openapi.json", Accept="text/html")

    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.json()["openapi"] == "3.1.1"


@pytest.mark.parametrize("path", PATHS[1:])
def test_the_pages_are_html(reader: ApiClient, path: str) -> None:
    """A page must allow only the service's own scripts and styles, and work behind any prefix."""
    response = reader.send("GET", path)
    policy, page = response["Content-Security-Policy"], response.content.decode()

    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-" in policy
    assert not re.search("unsafe|https?:|[*]", policy)
    assert not re.search(r"<style|style=|<script>|\son\w+=", page)

    references = re.findall(r'(?:href|src|data-url)="([^"]+)"', page)
    urls = {urljoin(f"https://host/prefix{path}", reference) for reference in references}
    assert len(urls) > 3
    assert "https://host/prefix/openapi.json" in urls
    assert all(url.startswith("https://host/prefix/") for url in urls)


@pytest.mark.parametrize(("debug", "users"), [(False, []), (True, ["demo"])])
def test_docs_names_the_user_of_the_quick_start_with_debug(
    reader: ApiClient, settings: Settings, debug: bool, users: list[str]
) -> None:
    """Only a developer's page may name a user; the document must be the same for everybody."""
    document = reader.get("/openapi.json").content
    settings.DEBUG = debug
    page = reader.get("/docs").content.decode()

    assert re.findall('data-user="([^"]*)"', page) == users
    assert reader.get("/openapi.json").content == document
    assert b"data-user" not in reader.get("/redoc").content


def test_the_documents_are_read_only(reader: ApiClient) -> None:
    """Only GET and HEAD may be allowed; a 405 must list them in ``Allow``."""
    found = {}
    for path in PATHS:
        post, head = reader.send("POST", path), reader.head(path)
        detail = post.json()["detail"]
        found[path] = post.status_code, post["Allow"], detail, head.status_code, head.content

    assert found == dict.fromkeys(found, (405, "GET, HEAD", "Method Not Allowed", 200, b""))

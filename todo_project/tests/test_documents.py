"""``/openapi.json``, ``/docs`` and ``/redoc``: where they are on, and what they cost where not."""

import re
from itertools import product
from pathlib import Path
from urllib.parse import urljoin

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from pytest_django.fixtures import Settings

from conftest import ApiClient
from todo_project.openapi.document import openapi_document
from todo_project.tests.live_server import run
from todo_project.tests.settings_loader import MODULE, PRODUCTION, load

DOCUMENTS = ["/openapi.json", "/docs", "/docs/", "/redoc", "/redoc/"]
NOT_FOUND = {"detail": "Not Found", "error": "Not Found"}
SIDECAR = "drf_spectacular_sidecar"
# Serves a request of the API, and says what of the documents it has loaded.
LOADED = (
    "import django, sys; django.setup();"
    "from django.test import Client; assert Client().get('/openapi.json').status_code == 404;"
    "assert Client().get('/api/alice/tasks').status_code == 401;"
    "print([name for name in sys.modules if 'spectacular' in name or '.openapi.' in name])"
)


@pytest.fixture
def reader(anybody: ApiClient, settings: Settings) -> ApiClient:
    """Turn the documents on for a client that has no token."""
    settings.API_DOCS = True
    return anybody


@pytest.mark.parametrize("debug", [False, True])
def test_documents_that_are_off_are_not_there(
    anybody: ApiClient, settings: Settings, debug: bool
) -> None:
    """They must look like any path that is no route (docs/contract.md, "Errors")."""
    settings.DEBUG = debug
    found = {}
    for path, method in product(DOCUMENTS, ["GET", "HEAD", "POST"]):
        answer = anybody.send(method, path)
        found[path, method] = answer.status_code, method == "HEAD" or answer.json() == NOT_FOUND

    assert found == dict.fromkeys(found, (404, True))


def test_documents_that_are_off_are_not_loaded(project: Path) -> None:
    """A production process must not pay for them, neither at the start nor later."""
    started = run(project, "-c", LOADED, **MODULE, **PRODUCTION)

    assert started.returncode == 0, started.stderr
    assert started.stdout.splitlines()[-1] == "['todo_project.openapi.views']"


def test_the_environment_turns_them_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """They must be on in development, and elsewhere where they are asked for (FR-020)."""
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
    """Any program must be able to read it, without a token."""
    answer = reader.send("GET", "/openapi.json", Accept="text/html")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json()["openapi"] == "3.1.1"


@pytest.mark.parametrize("path", DOCUMENTS[1:])
def test_the_pages_are_for_people(reader: ApiClient, path: str) -> None:
    """A page must be HTML that lets in no script or style but ours, behind any prefix."""
    answer = reader.send("GET", path)
    policy, page = answer["Content-Security-Policy"], answer.content.decode()

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-" in policy
    assert not re.search("unsafe|https?:|[*]", policy)
    assert not re.search(r"<style|style=|<script>|\son\w+=", page)

    addresses = re.findall(r'(?:href|src|data-address)="([^"]+)"', page)
    reached = {urljoin(f"https://host/prefix{path}", address) for address in addresses}
    assert len(reached) > 3
    assert "https://host/prefix/openapi.json" in reached
    assert all(address.startswith("https://host/prefix/") for address in reached)


def test_the_documents_are_only_read(reader: ApiClient) -> None:
    """Another method must be a 405 with ``Allow``, and HEAD work wherever GET does."""
    found = {}
    for path in DOCUMENTS:
        answer, head = reader.send("POST", path), reader.head(path)
        detail = answer.json()["detail"]
        found[path] = answer.status_code, answer["Allow"], detail, head.status_code, head.content

    assert found == dict.fromkeys(found, (405, "GET, HEAD", "Method Not Allowed", 200, b""))


def test_drf_spectacular_has_nothing_to_say() -> None:
    """What it cannot read by itself must be told it: no warning, no error."""
    openapi_document.cache_clear()
    openapi_document()

    assert not GENERATOR_STATS

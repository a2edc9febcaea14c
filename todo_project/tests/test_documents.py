"""``/openapi.json``, ``/docs`` and ``/redoc``: where they are on, and what they cost where not."""

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from pytest_django.fixtures import Settings

from conftest import ApiClient
from todo_project.documents.document import openapi_document
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
    "print([name for name in sys.modules if 'spectacular' in name or '.documents.' in name])"
)


@pytest.fixture
def _on(settings: Settings) -> None:
    settings.API_DOCS = True


@pytest.mark.parametrize("path", DOCUMENTS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("debug", [False, True])
def test_documents_that_are_off_are_not_there(
    anybody: ApiClient, settings: Settings, path: str, method: str, debug: bool
) -> None:
    """They must look like any path that there is none of (issue "Documents …")."""
    settings.DEBUG = debug

    answer = anybody.send(method, path)

    assert answer.status_code == 404
    assert method == "HEAD" or answer.json() == NOT_FOUND


def test_documents_that_are_off_are_not_loaded(project: Path) -> None:
    """A production process must not pay for them, neither at the start nor later."""
    started = run(project, "-c", LOADED, **MODULE, **PRODUCTION)

    assert started.returncode == 0, started.stderr
    assert started.stdout.splitlines()[-1] == "['todo_project.documents.views']"


@pytest.mark.parametrize(
    ("variables", "is_on"),
    [
        ({}, False),
        ({"API_DOCS": "true"}, True),
        ({"DEBUG": "true"}, True),
        ({"DEBUG": "true", "API_DOCS": "false"}, False),
    ],
    ids=str,
)
def test_the_environment_turns_them_on(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], is_on: bool
) -> None:
    """They must be on in development, and elsewhere where they are asked for (FR-020)."""
    found = load(monkeypatch, **variables)

    assert found["API_DOCS"] is is_on
    assert (SIDECAR in found["INSTALLED_APPS"]) is is_on


@pytest.mark.usefixtures("_on")
def test_the_document_is_json(anybody: ApiClient) -> None:
    """Any program must be able to read it, without a token."""
    answer = anybody.send("GET", "/openapi.json", Accept="text/html")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json()["openapi"] == "3.1.1"


@pytest.mark.usefixtures("_on")
@pytest.mark.parametrize("path", DOCUMENTS[1:])
def test_the_pages_are_for_people(anybody: ApiClient, path: str) -> None:
    """A page must be HTML that lets in no script and no style but ours, and is in no frame."""
    answer = anybody.send("GET", path)
    policy = answer["Content-Security-Policy"]

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-" in policy
    assert not re.search("unsafe|https?:|[*]", policy)
    assert not re.search(r"<style|style=|<script>|\son\w+=", answer.content.decode())


@pytest.mark.usefixtures("_on")
@pytest.mark.parametrize("path", DOCUMENTS[1:])
def test_a_pages_addresses_hold_behind_a_prefix(anybody: ApiClient, path: str) -> None:
    """All must be relative to the page's own, and lead to the root (issue, ``ROOT_PATH``)."""
    page = anybody.send("GET", path).content.decode()
    addresses = re.findall(r'(?:href|src|data-address)="([^"]+)"', page)

    reached = {urljoin(f"https://host/prefix{path}", address) for address in addresses}
    assert len(reached) > 3
    assert "https://host/prefix/openapi.json" in reached
    assert all(address.startswith("https://host/prefix/") for address in reached)


@pytest.mark.usefixtures("_on")
@pytest.mark.parametrize("path", DOCUMENTS)
def test_the_documents_take_nothing(anybody: ApiClient, path: str) -> None:
    """Another method must be a 405 with ``Allow``."""
    answer = anybody.send("POST", path)

    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert answer.json()["detail"] == "Method Not Allowed"


@pytest.mark.usefixtures("_on")
def test_the_documents_answer_head(anybody: ApiClient) -> None:
    """HEAD must work wherever GET does."""
    answer = anybody.head("/openapi.json")

    assert (answer.status_code, answer.content) == (200, b"")


def test_drf_spectacular_has_nothing_to_say() -> None:
    """What it cannot read by itself must be told it: no warning, no error."""
    openapi_document.cache_clear()
    openapi_document()

    assert not GENERATOR_STATS

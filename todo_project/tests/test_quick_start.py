"""``manage.py quick_start``: what a newcomer sees before the server's own lines."""

import io
import shlex

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from conftest import SECRET, ApiClient


def quick_start() -> str:
    """Return what it prints."""
    printed = io.StringIO()
    call_command("quick_start", stdout=printed)
    return printed.getvalue()


@pytest.mark.parametrize(("port", "expected"), [("", "8000"), ("8123", "8123")])
def test_it_says_where_the_api_the_admin_and_the_variables_are(
    monkeypatch: pytest.MonkeyPatch, port: str, expected: str
) -> None:
    """A newcomer must find the server and what it is configured by."""
    monkeypatch.setenv("PORT", port)

    printed = quick_start()

    assert f"The API:         http://localhost:{expected}\n" in printed
    assert f"http://localhost:{expected}/admin/ (make staff " in printed
    assert "README.md, Configuration" in printed


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("api_docs", [False, True])
def test_it_names_only_what_works(settings: Settings, api_docs: bool, debug: bool) -> None:
    """Nobody may be sent to a 404, nor to sample tasks, which a deployment refuses."""
    settings.API_DOCS, settings.DEBUG = api_docs, debug

    printed = quick_start()

    assert ("http://localhost:8000/docs\n" in printed) == api_docs
    assert ("make seed" in printed) == debug


@pytest.mark.django_db
def test_in_debug_it_prints_a_request_that_works_as_it_stands(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """The line must do in a shell, and answer with somebody's tasks."""
    settings.DEBUG = True
    monkeypatch.setenv("PORT", "8123")

    [line] = [line for line in quick_start().splitlines() if line.startswith("curl ")]
    curl, option, header, url = shlex.split(line)
    name, _, value = header.partition(": ")

    assert (curl, option, name) == ("curl", "-H", "Authorization")
    path = url.removeprefix("http://localhost:8123")
    answer = ApiClient(token=value.removeprefix("Bearer ")).send("GET", path)
    assert (path, answer.status_code) == ("/api/demo/tasks", 200)


@pytest.mark.parametrize("debug", [False, True])
def test_it_prints_no_secret_and_in_production_no_token(settings: Settings, debug: bool) -> None:
    """A deployment's log must hold nothing that opens it (FR-017)."""
    settings.DEBUG = debug

    printed = quick_start()

    assert SECRET not in printed
    assert [text in printed for text in ("Bearer", "eyJ")] == [debug] * 2

"""Tests of ``manage.py quick_start``."""

import io
import shlex

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from conftest import SECRET, ApiClient


def quick_start() -> str:
    """Return the output of the command."""
    stdout = io.StringIO()
    call_command("quick_start", stdout=stdout)
    return stdout.getvalue()


@pytest.mark.parametrize(("port", "expected"), [("", "8000"), ("8123", "8123")])
def test_the_addresses_are_printed(
    monkeypatch: pytest.MonkeyPatch, port: str, expected: str
) -> None:
    """The output must list the API, the admin and the configuration page."""
    monkeypatch.setenv("PORT", port)

    printed = quick_start()

    assert f"API:            http://localhost:{expected}\n" in printed
    assert f"http://localhost:{expected}/admin/ (create an account with: make staff)" in printed
    assert "docs/configuration.md" in printed


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("api_docs", [False, True])
def test_disabled_features_are_omitted(settings: Settings, api_docs: bool, debug: bool) -> None:
    """The output must not mention ``/docs`` or ``make seed`` if they do not work."""
    settings.API_DOCS, settings.DEBUG = api_docs, debug

    printed = quick_start()

    assert ("http://localhost:8000/docs\n" in printed) == api_docs
    assert ("make seed" in printed) == debug


@pytest.mark.django_db
def test_a_working_request_is_printed_in_debug(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """The printed ``curl`` command must be valid shell and list the demo user's tasks."""
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
def test_no_secret_is_printed_and_a_token_only_in_debug(settings: Settings, debug: bool) -> None:
    """The output must contain no secret, and a token only with ``DEBUG`` (FR-017)."""
    settings.DEBUG = debug

    printed = quick_start()

    assert SECRET not in printed
    assert [text in printed for text in ("Bearer", "eyJ")] == [debug] * 2

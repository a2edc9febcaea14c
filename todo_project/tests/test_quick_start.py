"""Tests of ``manage.py quick_start``."""

import io
import shlex
import socket

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from pytest_django.fixtures import Settings

from conftest import SECRET, ApiClient
from todo_project.tests.live_server import free_port


def quick_start() -> str:
    """Return the output of the command."""
    stdout = io.StringIO()
    call_command("quick_start", stdout=stdout)
    return stdout.getvalue()


@pytest.fixture(autouse=True)
def port(settings: Settings) -> int:
    """Set ``PORT`` to a port that no other program uses, and return it."""
    settings.HOST, settings.PORT = "127.0.0.1", free_port()
    port: int = settings.PORT
    return port


def test_the_addresses_are_printed(port: int) -> None:
    """The output must list the API, the admin and the configuration page."""
    printed = quick_start()

    assert f"API:            http://localhost:{port}\n" in printed
    assert f"http://localhost:{port}/admin/ (create an account with: make staff)" in printed
    assert "docs/configuration.md" in printed


def test_nothing_is_printed_if_the_port_is_in_use(port: int) -> None:
    """`make run` must not show an address that belongs to another program."""
    stdout = io.StringIO()
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(
            ImproperlyConfigured, match=rf"^PORT {port} is in use .+; try PORT={port + 1}"
        ),
    ):
        call_command("quick_start", stdout=stdout)
    assert stdout.getvalue() == ""


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("api_docs", [False, True])
def test_disabled_features_are_omitted(
    settings: Settings, port: int, api_docs: bool, debug: bool
) -> None:
    """The output must not mention ``/docs`` or ``make seed`` if they do not work."""
    settings.API_DOCS, settings.DEBUG = api_docs, debug

    printed = quick_start()

    assert (f"http://localhost:{port}/docs\n" in printed) == api_docs
    assert ("make seed" in printed) == debug


@pytest.mark.django_db
def test_a_working_request_is_printed_in_debug(settings: Settings, port: int) -> None:
    """The printed ``curl`` command must be valid shell and list the demo user's tasks."""
    settings.DEBUG = True

    [line] = [line for line in quick_start().splitlines() if line.startswith("curl ")]
    curl, option, header, url = shlex.split(line)
    name, _, value = header.partition(": ")

    assert (curl, option, name) == ("curl", "-H", "Authorization")
    path = url.removeprefix(f"http://localhost:{port}")
    answer = ApiClient(token=value.removeprefix("Bearer ")).send("GET", path)
    assert (path, answer.status_code) == ("/api/demo/tasks", 200)


@pytest.mark.parametrize("debug", [False, True])
def test_no_secret_is_printed_and_a_token_only_in_debug(settings: Settings, debug: bool) -> None:
    """The output must contain no secret, and a token only with ``DEBUG`` (FR-017)."""
    settings.DEBUG = debug

    printed = quick_start()

    assert SECRET not in printed
    assert [text in printed for text in ("Bearer", "eyJ")] == [debug] * 2

"""The health check of the container."""

import runpy
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest.mock import Mock

import pytest

from todo_project.configuration.environment import BASE_DIR
from todo_project.status.probe import is_alive
from todo_project.tests.live_server import free_port

PROBE = BASE_DIR / "todo_project" / "status" / "probe.py"
requests: list[tuple[str, str | None]] = []


class Handler(BaseHTTPRequestHandler):
    """Responds with the status of its server, and records the requests."""

    def do_GET(self) -> None:
        """Record the request and respond."""
        requests.append((self.path, self.headers["Host"]))
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """Listen on a free port, and set ``PORT`` to it."""
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.status = 200  # type: ignore[attr-defined]
        monkeypatch.setenv("PORT", str(server.server_port))
        requests.clear()
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ("", "localhost"),
        ("*", "localhost"),
        ("api.example.com, b.example.com", "api.example.com"),
        (".example.com", "example.com"),
        (", b.example.com", "b.example.com"),
        ("::1", "[::1]"),
    ],
)
def test_the_host_header_is_an_allowed_host(
    listener: HTTPServer, monkeypatch: pytest.MonkeyPatch, names: str, name: str
) -> None:
    """The probe must send an allowed host: any other would get a 400."""
    monkeypatch.setenv("ALLOWED_HOSTS", names)

    assert is_alive()
    assert requests == [("/health", name)]


def test_a_server_that_responds_with_an_error_is_not_alive(listener: HTTPServer) -> None:
    """Only a 200 may count as alive."""
    listener.status = 400  # type: ignore[attr-defined]

    assert not is_alive()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("", "0.0.0.0"),  # noqa: S104 - Linux connects it to localhost
        ("::", "::"),
        ("[::]", "::"),
        ("[::1]", "::1"),
    ],
)
def test_the_address_is_that_of_the_server(
    monkeypatch: pytest.MonkeyPatch, host: str, expected: str
) -> None:
    """The probe must understand every form of ``HOST`` that the server does."""
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("PORT", "8123")
    connection = Mock()
    monkeypatch.setattr("http.client.HTTPConnection", connection)

    is_alive()

    assert connection.call_args[0] == (expected, 8123)


def test_a_refused_setting_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has not started either; Docker's log must have no traceback."""
    monkeypatch.setenv("PORT", "http")

    assert exit_code() == "PORT must be a whole number from 1 to 65535."


def exit_code() -> object:
    """Run the probe and return its exit code."""
    with pytest.raises(SystemExit) as raised:
        runpy.run_path(str(PROBE), run_name="__main__")
    return raised.value.code


def test_the_exit_code_of_a_live_server_is_0(listener: HTTPServer) -> None:
    """Docker must consider the container healthy."""
    assert exit_code() == 0


@pytest.mark.parametrize("host", ["", "127.0.0.1"])
def test_the_exit_code_without_a_server_is_1(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Docker must consider the container unhealthy, without a traceback in the log."""
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("PORT", str(free_port()))

    assert exit_code() == 1

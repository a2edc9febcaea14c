"""The health check of a container."""

import runpy
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from todo_project.configuration.environment import BASE_DIR
from todo_project.status.probe import is_alive
from todo_project.tests.live_server import free_port

PROBE = BASE_DIR / "todo_project" / "status" / "probe.py"
asked: list[tuple[str, str | None]] = []


class Handler(BaseHTTPRequestHandler):
    """Answers with the status that its server has, and takes note of what it was asked."""

    def do_GET(self) -> None:
        """Answer."""
        asked.append((self.path, self.headers["Host"]))
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """Listen where the variables say so."""
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.status = 200  # type: ignore[attr-defined]
        monkeypatch.setenv("PORT", str(server.server_port))
        asked.clear()
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
    ],
)
def test_a_server_is_asked_by_one_of_its_names(
    listener: HTTPServer, monkeypatch: pytest.MonkeyPatch, names: str, name: str
) -> None:
    """Any other host would get a 400, and the container be taken for dead."""
    monkeypatch.setenv("ALLOWED_HOSTS", names)

    assert is_alive()
    assert asked == [("/health", name)]


def test_a_server_that_answers_something_else_is_not_alive(listener: HTTPServer) -> None:
    """A 400 or a 500 must count as none."""
    listener.status = 400  # type: ignore[attr-defined]

    assert not is_alive()


def exit_code() -> object:
    """Run the program."""
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(PROBE), run_name="__main__")
    return ended.value.code


def test_where_the_server_is_alive_the_exit_code_is_0(listener: HTTPServer) -> None:
    """Docker must see that it is."""
    assert exit_code() == 0


@pytest.mark.parametrize("host", ["", "127.0.0.1"])
def test_where_nobody_listens_the_exit_code_is_1(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Docker must see that, too, and no trace be in its log."""
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("PORT", str(free_port()))

    assert exit_code() == 1

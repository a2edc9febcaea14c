"""gunicorn's log lines: one format, and no token (FR-017)."""

import io
import json
import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from conftest import SECRET, mint
from todo_project.server.log import ServerLogger, log_failed_thread
from todo_project.tests.live_server import LiveServer, deploying

TOKEN, EXPIRED = mint(), mint(exp=1)
PARTS = {*TOKEN.split("."), *EXPIRED.split(".")}
# Requests that contain a token; the server itself refuses most of them
REQUESTS = [
    f"GET /x?token={TOKEN}\r\n\r\n",
    f"GET /x?token={TOKEN} HTTP/9.9\r\n\r\n",
    f"{TOKEN} /x HTTP/1.1\r\n\r\n",
    f"GET  /x?token={TOKEN} HTTP/1.1\r\nHost: a\r\n\r\n",
    f"GET /x HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer {TOKEN}\r\n\r\n",
    f"GET /x HTTP/1.1\r\nHost: a\r\nBearer {TOKEN}\r\n\r\n",
    f"GET /x HTTP/1.1\r\nHost: a\r\nX: y\r\n {TOKEN}\r\n\r\n",
    f"GET /x HTTP/1.1\r\nHost: a\r\nX: \x00{TOKEN}\r\n\r\n",
    f"GET /x HTTP/1.1\r\nHost: a\r\nExpect: {TOKEN}\r\n\r\n",
    f"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {TOKEN}\r\n\r\n",
    f"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: {TOKEN}\r\n\r\n",
    f"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{TOKEN}\r\n",
    f"PROXY TCP4 {TOKEN}\r\n\r\n",
    f"PRI * HTTP/2.0\r\n\r\n{TOKEN}",
    f"\x16\x03\x01{TOKEN}\r\n\r\n",
    f"GET /\x1b[2J\nforged{TOKEN} HTTP/1.1\r\n\r\n",
    f"GET /{TOKEN * 40} HTTP/1.1\r\n\r\n",
    f"GET /x HTTP/1.1\r\nHost: a\r\nX: {TOKEN * 40}\r\n\r\n",
    # handled by the application
    *(
        f"GET /api/alice/tasks?token={token} HTTP/1.1\r\nHost: a\r\n"
        f"Authorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        for token in (TOKEN, EXPIRED)
    ),
    f"GET /health?token={TOKEN} HTTP/1.1\r\nHost: {TOKEN}\r\nConnection: close\r\n\r\n",
    f"GET /{TOKEN} HTTP/1.1\r\nHost: a\r\nCookie: sessionid={TOKEN}\r\nConnection: close\r\n\r\n",
    f"POST /admin/login/?next={TOKEN} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
    f"Cookie: csrftoken={TOKEN}\r\nReferer: https://a/{TOKEN}\r\nConnection: close\r\n\r\n",
]
FAULTY = """

def faulty(environ, start_response, app=application):
    if environ["PATH_INFO"] == "/warn":
        import warnings
        warnings.warn("deprecated: " + environ["HTTP_AUTHORIZATION"])
    if environ["PATH_INFO"] == "/fault":
        raise RuntimeError("no user " + environ["HTTP_AUTHORIZATION"] + "\\n\\x1bforged")
    return app(environ, start_response)


application = faulty
"""


@pytest.fixture
def logger(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerLogger]:
    """Create gunicorn's logger, and restore ``gunicorn.error`` (level, propagation) afterwards."""
    monkeypatch.setenv("WEB_CONCURRENCY", "1")  # read by the import
    from gunicorn.config import Config

    error_log = logging.getLogger("gunicorn.error")
    before = (error_log.level, error_log.propagate)
    logger = ServerLogger(Config())
    error_log.handlers.clear()  # as the settings do
    error_log.propagate = True
    yield logger
    error_log.level, error_log.propagate = before


def test_gunicorn_logs_no_requests(logger: ServerLogger, log: io.StringIO) -> None:
    """Each request must be logged once, by the application and not by gunicorn."""
    logger.access_log.propagate = True
    logger.access(object(), object(), {}, 0)

    assert log.getvalue() == ""


def test_an_uncaught_exception_in_a_thread_is_logged_as_one_line(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traceback of an exception in a thread must be logged, without a token (FR-017)."""

    def fail() -> None:
        raise RuntimeError(TOKEN)

    monkeypatch.setattr(threading, "excepthook", log_failed_thread)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

    line = json.loads(log.getvalue())
    assert (line["level"], line["message"]) == ("ERROR", "A thread has failed")
    assert line["exc_info"].endswith("RuntimeError: ***")


@pytest.fixture(scope="module", params=["false", "true"], ids=["json", "text"])
def verbose_server(
    request: pytest.FixtureRequest, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Serve an application that fails on purpose, at the log level DEBUG."""
    with deploying(tmp_path_factory.mktemp("verbose"), template) as deployed:
        with (deployed.project / "todo_project" / "wsgi.py").open("a") as wsgi:
            wsgi.write(FAULTY)
        with deployed.serving(DEBUG=request.param, LOG_LEVEL="DEBUG") as live:
            yield live


def lines(live: LiveServer) -> list[str]:
    """Return the lines of the log, and check that each is printable ASCII."""
    lines = live.log.removesuffix("\n").split("\n")
    assert [line for line in lines if not (line.isascii() and line.isprintable())] == []
    return lines


def exchange(live: LiveServer, sent: str) -> None:
    """Send a text, shut down the sending side, and wait until the server closes the connection."""
    with (
        socket.create_connection(("127.0.0.1", live.port), timeout=30) as wire,
        suppress(OSError),  # the server may close it before reading everything
    ):
        wire.sendall(sent.encode("latin-1"))
        wire.shutdown(socket.SHUT_WR)
        while wire.recv(65536):
            pass


@pytest.mark.live
def test_no_token_of_a_request_is_logged(verbose_server: LiveServer) -> None:
    """No part of a request, well formed or not, may put a token into the log (FR-017)."""
    for sent in REQUESTS:
        exchange(verbose_server, sent)
        logged = verbose_server.log
        quoted = [part for part in (*PARTS, SECRET, "forged") if part in logged]
        assert (sent, quoted) == (sent, [])

    verbose_server.wait_for_log("expired")
    assert lines(verbose_server)


@pytest.mark.live
def test_a_fault_and_a_warning_quote_no_token(verbose_server: LiveServer) -> None:
    """An error or a warning outside Django must be logged without the token (FR-017)."""
    with verbose_server.client("alice") as client:
        token = client.headers["Authorization"]
        statuses = [client.get(path).status_code for path in ("/fault", "/warn")]

    assert statuses == [500, 404]
    verbose_server.wait_for_log("deprecated: Bearer ***")
    verbose_server.wait_for_log("no user Bearer ***")
    assert not [part for part in token.split(".") if part in verbose_server.log]
    assert lines(verbose_server)


@pytest.mark.live
def test_every_line_is_json(tmp_path: Path) -> None:
    """Every line of the server, from startup to shutdown, must be JSON with the common fields."""
    with deploying(tmp_path) as deployed, deployed.serving(WEB_CONCURRENCY="1") as live:
        live.wait_for_log("run migrate")
        [worker] = re.findall(r"Booting worker with pid: ([0-9]+)", live.log)
        os.kill(int(worker), signal.SIGKILL)
        live.wait_for_log("was sent SIGKILL")
        live.process.send_signal(signal.SIGHUP)
        live.wait_for_log("Hang up")
        with live.client("alice") as client:
            client.get("/api/alice/tasks")  # the table is missing
    logged = [json.loads(line) for line in lines(live)]

    loggers = {line["logger"] for line in logged}
    assert {"gunicorn.error", "todo_project.status.startup", "todo_project.access"} <= loggers
    assert {"time", "level", "logger", "request_id"} <= set.intersection(*map(set, logged))
    [killed] = [
        line for line in logged if f"(pid:{worker}) was sent SIGKILL" in line.get("message", "")
    ]
    assert killed["level"] == "ERROR"

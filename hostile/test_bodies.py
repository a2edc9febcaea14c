"""Large bodies (docs/contract.md, "Authentication": the order of the checks, and "Errors")."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from conftest import mint
from faults.observing import anonymous_kib, workers
from hostile.wire import SECONDS, Client
from todo_project.tests.live_server import LiveServer, serving

SIZE = 300_000_000
RESPONSE_SECONDS = 2.0
MEMORY_KIB = 2 * 1024
SEND_BUFFER = 64 * 1024  # a kernel's own choice grows to megabytes, which would hide what is read
# Bytes that a client may get rid of: the limit of a body, and what the kernels of both sides keep
SENT = 1024 * 1024
JSON = "Content-Type: application/json\r\n"
FORM = "Content-Type: multipart/form-data; boundary=b\r\n"
FORM += "Cookie: csrftoken=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
PART = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
TOKEN = f"Authorization: Bearer {mint('hoarder')}\r\n"
# path, header lines, expected statuses
CASES = {
    "with a token": ("/api/hoarder/tasks", JSON + TOKEN, {413}),
    "without a token": ("/api/hoarder/tasks", JSON, {401}),
    "of another user": ("/api/somebody/tasks", JSON + TOKEN, {403}),
    "to one task": ("/api/hoarder/tasks/1", JSON + TOKEN, {405}),
    "to the login": ("/admin/login/", FORM, {413}),
    "to the admin": ("/admin/", FORM, {413}),
    "to nowhere": ("/nowhere", JSON, {404, 413}),
}


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty folder for the server's temporary files."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def single_worker(
    project: Path, tmp_path_factory: pytest.TempPathFactory, temporary: Path
) -> Iterator[LiveServer]:
    """Serve with one worker process, which has handled a large body of each case before."""
    log = tmp_path_factory.mktemp("bodies") / "server.log"
    with serving(project, log, WEB_CONCURRENCY="1", TMPDIR=str(temporary)) as live:
        for path, lines, _ in CASES.values():
            for framing in ("length", "chunked"):
                with Client(("127.0.0.1", live.port)) as client:
                    client.send(head(path, lines, framing))
                    client.send_until_the_response(parts(framing, 1_000_000), RESPONSE_SECONDS)
        yield live


def head(path: str, lines: str, framing: str) -> bytes:
    """Return the head of a POST."""
    length = f"Content-Length: {SIZE}" if framing == "length" else "Transfer-Encoding: chunked"
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{lines}{length}\r\n\r\n".encode()


def parts(framing: str, size: int) -> Iterator[bytes]:
    """Yield parts of a form with a large file."""
    part = b" " * 65_000
    for count in range(size // len(part)):
        content = part if count else PART + part
        yield content if framing == "length" else b"%x\r\n%b\r\n" % (len(content), content)


def files_below(folder: Path, pid: int) -> list[str]:
    """Return the files in a folder, and those that a process has open there, removed or not."""
    found = [str(path) for path in folder.rglob("*")]
    for link in (Path("/proc") / str(pid) / "fd").iterdir():
        with suppress(FileNotFoundError):
            target = str(link.readlink())
            found += [target] * target.startswith(str(folder))
    return found


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("case", CASES)
def test_a_large_body(
    single_worker: LiveServer, temporary: Path, figures: dict[str, Any], case: str, framing: str
) -> None:
    """A body of 300 MB must be refused before it is sent, and kept neither in memory nor on disk.

    The checks before that of the size apply as with a small body.
    """
    path, lines, expected = CASES[case]
    [worker] = workers(single_worker)
    before = anonymous_kib({worker})
    with Client(("127.0.0.1", single_worker.port), send_buffer=SEND_BUFFER) as client:
        began = time.monotonic()
        client.send(head(path, lines, framing))
        sent = client.send_until_the_response(parts(framing, SIZE), 30)
        reply = client.reply()
        seconds = time.monotonic() - began
        growth = anonymous_kib({worker}) - before
        files = files_below(temporary, worker)
        client.rest()
    figures.update(
        {"status": reply.status, "sent KiB": sent // 1024}
        | {"memory KiB": growth, "ms": round(seconds * 1000), "files": len(files)}
    )
    assert reply.status in expected
    assert seconds < RESPONSE_SECONDS
    assert sent <= SENT
    assert growth < MEMORY_KIB
    assert files == []


@pytest.mark.parametrize("case", CASES)
def test_a_body_that_does_not_come(
    single_worker: LiveServer, figures: dict[str, Any], case: str
) -> None:
    """An announced length over the limit must be enough for the response."""
    path, lines, expected = CASES[case]
    with Client(("127.0.0.1", single_worker.port)) as client:
        began = time.monotonic()
        client.send(head(path, lines, "length"))
        reply = client.reply()
        seconds = time.monotonic() - began
    figures.update(status=reply.status, ms=round(seconds * 1000))
    assert reply.status in expected
    assert seconds < RESPONSE_SECONDS


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_client_that_ignores_the_response(
    single_worker: LiveServer, figures: dict[str, Any], framing: str
) -> None:
    """A client that sends on after the response must be disconnected, and no more be read."""
    path, lines, _ = CASES["with a token"]
    with Client(("127.0.0.1", single_worker.port), send_buffer=SEND_BUFFER) as client:
        began = time.monotonic()
        client.send(head(path, lines, framing))
        sent = client.send_as_much_as_possible(parts(framing, SIZE), SECONDS)
        seconds = time.monotonic() - began
    figures.update({"sent KiB": sent // 1024, "disconnected after s": round(seconds, 1)})
    assert sent <= SENT
    assert seconds < SECONDS


def test_many_large_bodies(single_worker: LiveServer, figures: dict[str, Any]) -> None:
    """100 clients that each announce and send a large body must not cost more than their limits."""
    [worker] = workers(single_worker)
    path, lines, _ = CASES["with a token"]
    before = anonymous_kib({worker})
    clients = [Client(("127.0.0.1", single_worker.port)) for _ in range(100)]
    try:
        for client in clients:  # just below the limit, and not complete
            client.send(head(path, lines, "chunked") + b"f000\r\n" + b" " * 0xEFFF)
        with Client(("127.0.0.1", single_worker.port)) as other:
            other.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert other.reply().status == 200
        growth = anonymous_kib({worker}) - before
    finally:
        for client in clients:
            client.sock.close()
    figures.update(clients=len(clients), **{"memory KiB": growth})
    assert growth < 100 * 64 * 2

"""A log whose reader stalls (docs/operations.md, "Logs")."""

import json
import os
import re
import time
from pathlib import Path
from typing import Any

from faults.load import Load
from hostile.decent_clients import check, of_decent_clients
from hostile.wire import Address, Client, authorized
from todo_project.tests.live_server import serving

REQUESTS = 12_000  # 240 bytes of log each, for a pipe and two buffers of 1 MiB
GET = b"GET /api/reader/tasks HTTP/1.1\r\n" + authorized("reader") + b"\r\n"


def read_lines(descriptor: int, until: str) -> list[str]:
    """Read the log until a line contains a text."""
    text, ends_at = "", time.monotonic() + 30
    while not re.search(f"{until}.*\n", text):
        try:
            text += os.read(descriptor, 1 << 16).decode()
        except BlockingIOError:
            assert time.monotonic() < ends_at, text[-2000:]
            time.sleep(0.01)
    return text.splitlines()


def send(address: Address, count: int) -> set[int]:
    """Send requests on one connection, and return the statuses."""
    statuses = set()
    with Client(address) as client:
        for _ in range(count // 50):
            client.send(GET * 50)
            statuses |= {client.reply().status for _ in range(50)}
    return statuses


def test_a_log_that_nobody_reads(project: Path, tmp_path: Path, figures: dict[str, Any]) -> None:
    """Requests must be answered; the log must say how many lines were dropped, and go on."""
    pipe = tmp_path / "log"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with serving(project, pipe, WEB_CONCURRENCY="1") as server:
        address = "127.0.0.1", server.port
        with Load(server, users=3) as load:
            statuses = send(address, REQUESTS)
        lines = read_lines(reader, "lines were dropped")
        with Client(address) as client:
            client.send(GET.replace(b"\r\n\r\n", b"\r\nX-Request-ID: afterwards\r\n\r\n"))
            statuses.add(client.reply().status)
        lines += read_lines(reader, '"request_id":"afterwards"')
    os.close(reader)
    parsed = [json.loads(line) for line in lines]  # every line is whole
    dropped = [re.match(r"(\d+) log lines", line.get("message", "")) for line in parsed]
    count = sum(int(found[1]) for found in dropped if found)
    figures.update(of_decent_clients(load), requests=REQUESTS, dropped=count, kept=len(parsed) - 1)
    assert statuses == {200}
    assert count > 0
    check(load)

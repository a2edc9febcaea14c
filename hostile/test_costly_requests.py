"""Requests that would occupy the interpreter (docs/operations.md, "Costly requests")."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from faults.load import Load
from faults.postgres import Postgres
from hostile.decent_clients import check, of_decent_clients
from hostile.wire import Address, authorized, exchange
from todo_project.tests.live_server import LiveServer

ATTACKERS = 4
SECONDS = 4.0
TASKS = 3000
WORDS = " ".join("abcdefghijklmnopqrst")  # 20, the most that a search may have
POST_SLASHES = b"POST /admin/" + b"/" * 8000 + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"


@contextmanager
def attacking(attack: Callable[[], int]) -> Iterator[list[tuple[int, float]]]:
    """Repeat a request in several threads; yield the list of statuses and seconds."""
    stopped, found = threading.Event(), list[tuple[int, float]]()

    def run() -> None:
        while not stopped.is_set():
            began = time.monotonic()
            found.append((attack(), time.monotonic() - began))

    threads = [threading.Thread(target=run) for _ in range(ATTACKERS)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def get(path: str) -> bytes:
    """Return a request of the attacker, who has a token."""
    head = f"GET /api/costly/tasks?{path} HTTP/1.1\r\nConnection: close\r\n".encode()
    return head + authorized("costly") + b"\r\n"


@pytest.fixture(scope="module")
def costly(project: Path, postgres: Postgres) -> None:
    """Create the attacker's tasks, in whose descriptions no word occurs before the end."""
    with psycopg.connect(postgres.url, autocommit=True) as database:
        database.execute(
            "INSERT INTO task (user_id, title, description, completed, created_at, updated_at)"
            " SELECT 'costly', '-', repeat('-', 980) || 'abcdefghijklmnopqrst', false, now(), now()"
            " FROM generate_series(1, %s)",
            [TASKS],
        )


# Each attack: the request, and the expected status
ATTACKS = {
    "a path of slashes": (POST_SLASHES + b"Connection: close\r\n\r\n", 403),
    "a search for 3,900 words": (get("search=" + "a+" * 3900), 422),
    "a search for 20 words": (get(f"search={quote(WORDS)}"), 200),
    "a deep body": (b"POST /api/costly/tasks HTTP/1.1\r\nConnection: close\r\n", 400),
}
DEEP = b"[" * 30_000 + b"]" * 30_000


@pytest.mark.usefixtures("costly")
@pytest.mark.parametrize("name", ATTACKS)
def test_a_costly_request(server: LiveServer, figures: dict[str, Any], name: str) -> None:
    """Four clients that repeat it must not slow down the others."""
    address: Address = "127.0.0.1", server.port
    request, expected = ATTACKS[name]
    if name == "a deep body":
        request += authorized("costly") + b"Content-Type: application/json\r\n"
        request += f"Content-Length: {len(DEEP)}\r\n\r\n".encode() + DEEP

    with Load(server) as load, attacking(lambda: exchange(address, request)[0].status) as found:
        time.sleep(SECONDS)
    seconds = sorted(each for _, each in found)
    figures.update(
        of_decent_clients(load),
        attacks=len(found),
        **{"attack p50 ms": round(seconds[len(seconds) // 2] * 1000)},
    )
    statuses = {status for status, _ in found}
    assert expected in statuses
    assert statuses <= {expected, 503 if expected == 200 else expected}  # at the deadline
    check(load)

"""Guesses of a staff password (docs/admin.md, "Security")."""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from faults.load import Load
from hostile.decent_clients import check, of_decent_clients
from hostile.wire import Address, Reply, exchange
from todo_project.tests.live_server import LiveServer, run, serving

NAME, PASSWORD = "hopper", "correct-horse-9"
CSRF = "a" * 32  # made up by the client, in the cookie and in the form


@pytest.fixture
def staffed(project: Path, tmp_path: Path) -> Iterator[LiveServer]:
    """Serve with two worker processes, behind a proxy that names the client's address."""
    account = {"DJANGO_SUPERUSER_USERNAME": NAME, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    email = {"DJANGO_SUPERUSER_EMAIL": "grace@example.com"}
    run(project, "manage.py", "createsuperuser", "--noinput", **account, **email)
    with serving(project, tmp_path / "server.log", TRUST_PROXY="true") as live:
        yield live


def log_in(address: Address, password: str, client: str) -> Reply:
    """Submit the login form from an address, and return the response."""
    form = f"csrfmiddlewaretoken={CSRF}&username={NAME}&password={password}".encode()
    lines = (
        "POST /admin/login/?next=/admin/ HTTP/1.1",
        "Host: localhost",
        f"X-Forwarded-For: {client}",
        f"Cookie: csrftoken={CSRF}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(form)}",
        "Connection: close",
    )
    [reply] = exchange(address, "".join(f"{line}\r\n" for line in (*lines, "")).encode() + form)
    return reply


def counted(project: Path, client: str) -> int:
    """Return how many attempts from an address are counted."""
    listed = run(project, "manage.py", "axes_list_attempts").stdout
    return sum(int(found) for found in re.findall(rf"^{client}\t.*\t(\d+)$", listed, re.MULTILINE))


@pytest.mark.parametrize("guesses", [12, 40])
def test_many_guesses_at_once(
    staffed: LiveServer, project: Path, figures: dict[str, Any], guesses: int
) -> None:
    """No more than five may be tried, all be counted or refused, and nobody else be disturbed."""
    address, client = ("127.0.0.1", staffed.port), f"192.0.2.{guesses}"
    with Load(staffed) as load, ThreadPoolExecutor(guesses) as executor:
        load.wait_for(lambda: load.statuses()[201] >= 20)
        replies = [
            *executor.map(lambda number: log_in(address, f"x{number}", client), range(guesses))
        ]
    statuses = Counter(reply.status for reply in replies)
    for _ in range(5):  # two that reached the limit at the same moment may both have been refused
        log_in(address, "x", client)
    tried = staffed.log.count(f"A login from {client} failed")
    right = [log_in(address, PASSWORD, each).status for each in (client, f"198.51.100.{guesses}")]
    figures.update(
        of_decent_clients(load),
        guesses=guesses,
        tried=tried,
        statuses=dict(statuses),
        counted=counted(project, client),
    )
    assert statuses.keys() <= {200, 429}
    assert tried == 5
    assert right == [429, 302]
    check(load)


def test_guesses_from_many_addresses(
    staffed: LiveServer, project: Path, figures: dict[str, Any]
) -> None:
    """Passwords must be checked one at a time, and who would wait for long be refused."""
    address = "127.0.0.1", staffed.port
    with Load(staffed) as load, ThreadPoolExecutor(60) as executor:
        load.wait_for(lambda: load.statuses()[201] >= 20)
        replies = [*executor.map(lambda each: log_in(address, "x", f"203.0.113.{each}"), range(60))]
        later = log_in(address, PASSWORD, "198.51.100.1").status
    statuses = Counter(reply.status for reply in replies)
    figures.update(of_decent_clients(load), guesses=60, statuses=dict(statuses), afterwards=later)
    assert statuses.keys() == {200, 429}
    assert {reply.headers["retry-after"] for reply in replies if reply.status == 429} == {"1"}
    assert later == 302
    check(load)

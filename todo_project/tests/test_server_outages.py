"""What the server does without a database, before its migrations, and when it is killed."""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from todo_project.tests.live_server import (
    LiveServer,
    free_port,
    fresh_database,
    run,
    serving,
    write_env,
)

pytestmark = pytest.mark.each_database

PASSWORD = "a-password-that-nobody-may-see"
SERVICE_UNAVAILABLE = {
    "detail": "Service temporarily unavailable",
    "error": "Service temporarily unavailable",
}
INTERNAL_SERVER_ERROR = {"detail": "Internal server error", "error": "Internal server error"}


@pytest.fixture(params=["closed port", "silent server", "missing folder"])
def unreachable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a database that does not answer."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)  # and never accepts
        yield {
            "closed port": f"postgresql://todo:{PASSWORD}@127.0.0.1:{free_port()}/todo",
            "silent server": f"postgresql://todo:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/todo",
            "missing folder": f"sqlite:///{tmp_path / 'missing' / 'todo.sqlite3'}",
        }[request.param]


@pytest.fixture
def cut_off(unreachable: str, project: Path, tmp_path: Path) -> Iterator[LiveServer]:
    """Serve without a database."""
    write_env(project, unreachable)
    with serving(project, tmp_path / "server.log") as live:
        yield live


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """Make an empty database."""
    with fresh_database(tmp_path) as url:
        yield url


def test_an_unreachable_database_is_a_503_and_the_process_stays_healthy(
    cut_off: LiveServer,
) -> None:
    """Without a database requests must fail in time, and /health never (contract.md "Errors")."""

    def create(number: int) -> httpx.Response:
        return client.post(f"/api/cut{number}/tasks", json={"title": "lost"}, headers=owner(number))

    def owner(number: int) -> dict[str, str]:
        return {"Authorization": str(cut_off.client(f"cut{number}").headers["Authorization"])}

    with cut_off.client() as client, ThreadPoolExecutor(10) as pool:
        waiting = [pool.submit(create, number) for number in range(10)]
        health = client.get("/health")
        answers = [each.result() for each in waiting]

    assert health.status_code == 200
    assert health.elapsed.total_seconds() < 1
    assert [answer.status_code for answer in answers] == [503] * 10
    assert [answer.json() for answer in answers] == [SERVICE_UNAVAILABLE] * 10
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert max(answer.elapsed.total_seconds() for answer in answers) < 6


def test_the_start_up_line_says_that_the_database_does_not_answer(cut_off: LiveServer) -> None:
    """An operator must read what is wrong, and no password (FR-017)."""
    assert cut_off.log_has("does not answer")
    assert cut_off.log.count("does not answer") == 1
    assert PASSWORD not in cut_off.log


def test_a_database_before_its_migrations_shows_no_internals(
    database_url: str, project: Path, tmp_path: Path
) -> None:
    """A missing table must be an error of ours, without a word of SQL (FR-016)."""
    write_env(project, database_url)
    with serving(project, tmp_path / "server.log") as live, live.client("early") as client:
        answer = client.get("/api/early/tasks")
        announced = live.log_has("run migrate")

    assert (answer.status_code, answer.json()) in [
        (500, INTERNAL_SERVER_ERROR),
        (503, SERVICE_UNAVAILABLE),
    ]
    assert announced


def test_the_first_task_of_a_fresh_database_has_id_1001(
    database_url: str, project: Path, tmp_path: Path
) -> None:
    """A running server must serve what is migrated now, from id 1001 (contract.md demo cards)."""
    write_env(project, database_url)
    with serving(project, tmp_path / "server.log") as live, live.client("first") as client:
        client.get("/api/first/tasks")
        migrated = run(project, "manage.py", "migrate", "--verbosity=0")
        answer = client.post("/api/first/tasks", json={"title": "Buy milk"})

    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert (answer.status_code, answer.json()["id"]) == (201, 1001)


def test_what_was_answered_is_there_after_the_server_is_killed(
    database_url: str, project: Path, tmp_path: Path
) -> None:
    """A 2xx must survive the death of every process (contract.md "Concurrency"; SC-004)."""
    write_env(project, database_url)
    run(project, "manage.py", "migrate", "--verbosity=0")
    with serving(project, tmp_path / "first.log") as live, live.client("survivor") as client:
        task = client.post("/api/survivor/tasks", json={"title": "Buy milk"}).json()
        live.kill()

    with serving(project, tmp_path / "second.log") as live, live.client("survivor") as client:
        assert client.get("/api/survivor/tasks").json() == [task]


def test_a_request_under_way_is_answered_when_the_server_is_told_to_stop(
    project: Path, tmp_path: Path
) -> None:
    """A deployment must not cut requests off."""
    with socket.socket() as silent, ThreadPoolExecutor() as pool:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        write_env(project, f"postgresql://todo@127.0.0.1:{silent.getsockname()[1]}/todo")
        with serving(project, tmp_path / "server.log") as live, live.client("last") as client:
            waiting = pool.submit(client.get, "/api/last/tasks")
            asked_by = [silent.accept() for _ in ("start-up line", "request")]
            code = live.stop()
            answer = waiting.result()
        for wire, _ in asked_by:
            wire.close()

    assert (answer.status_code, code) == (503, 0)


@pytest.mark.postgresql
def test_a_statement_that_takes_too_long_is_a_503_and_writes_nothing(
    database_url: str, project: Path, tmp_path: Path
) -> None:
    """A database that is too slow must be a 503, and nothing may happen later (contract.md)."""
    write_env(project, database_url)
    run(project, "manage.py", "migrate", "--verbosity=0")
    with serving(project, tmp_path / "server.log") as live, live.client("slow") as client:
        with psycopg.connect(database_url) as blocker:
            blocker.execute("LOCK TABLE task IN ACCESS EXCLUSIVE MODE")
            answer = client.post("/api/slow/tasks", json={"title": "late"})
        tasks = client.get("/api/slow/tasks").json()

    assert (answer.status_code, answer.json()) == (503, SERVICE_UNAVAILABLE)
    assert answer.elapsed.total_seconds() < 6
    assert tasks == []


@pytest.mark.postgresql
def test_connections_that_the_database_has_closed_are_replaced_unseen(server: LiveServer) -> None:
    """A restart of the database between two requests must fail neither of them."""
    with server.client("reconnector") as client:
        before = [client.get("/api/reconnector/tasks").status_code for _ in range(10)]
        _end_all_connections_of_others()
        after = [client.get("/api/reconnector/tasks").status_code for _ in range(30)]

    assert set(before + after) == {200}


def _end_all_connections_of_others() -> None:
    with psycopg.connect(os.environ["NEON_DATABASE_URL"], autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'live_%'"
        )

"""The API behind PgBouncer in transaction mode, like Neon's ``-pooler`` hosts (FR-006)."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from conftest import IN_CI
from todo_project.tests.live_server import (
    START_SECONDS,
    LiveServer,
    await_listener,
    copy_project,
    free_port,
    fresh_database,
    serving,
    write_env,
)

CLIENTS = 50
SERVER_CONNECTIONS = 2
WORKED = [201, 200, 200, 200, 200, 204, 200]  # the statuses of work()

# Debian installs PgBouncer into a folder that only root's PATH includes.
BINARY = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")

pytestmark = [
    pytest.mark.live,
    pytest.mark.postgresql,
    pytest.mark.skipif(
        BINARY is None and not IN_CI,
        reason="pgbouncer is not installed (in CI, this fails)",
    ),
]


def _user(host: str) -> str | None:
    # PgBouncer refuses to run as root, and needs access to the folder of the server's socket.
    owner = Path(host).owner() if host.startswith("/") else "root"
    return None if os.geteuid() else owner.replace("root", "nobody")


def _configure(folder: Path, port: int, server: dict[str, str]) -> Path:
    target = " ".join(f"{name}={server[name]}" for name in ("host", "port") if name in server)
    (folder / "users.txt").write_text(
        f'"{server.get("user", "postgres")}" "{server.get("password", "")}"\n'
    )
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        f"""\
[databases]
* = {target}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder / "users.txt"}
pool_mode = transaction
default_pool_size = {SERVER_CONNECTIONS}
max_client_conn = {2 * CLIENTS}
"""
    )
    return configuration


@dataclass
class Pooler:
    """A PgBouncer process that can be restarted."""

    url: str
    port: int
    command: list[str]
    user: str | None
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start PgBouncer, and wait until it listens."""
        log = Path(self.command[-1]).with_name("pgbouncer.log")
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command,
                user=self.user,
                extra_groups=[] if self.user else None,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        await_listener(LiveServer(self.port, self.process, log))

    def stop(self) -> None:
        """Kill PgBouncer: on SIGTERM, it may wait for its clients."""
        self.process.kill()
        self.process.wait(START_SECONDS)


@pytest.fixture(scope="module")
def pooler(template: str) -> Iterator[Pooler]:
    """Run PgBouncer in front of a migrated database."""
    assert BINARY is not None, "pgbouncer is not installed; CI requires it"
    port = free_port()
    with (
        tempfile.TemporaryDirectory(prefix="pgbouncer-") as name,
        fresh_database(Path(name), template) as direct_url,
    ):
        folder = Path(name)
        server = {key: str(value) for key, value in conninfo_to_dict(direct_url).items()}
        user = _user(server["host"])
        configuration = _configure(folder, port, server)
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user or os.geteuid())
        url = (
            f"postgresql+asyncpg://{server.get('user', 'postgres')}@127.0.0.1:{port}"
            f"/{server['dbname']}"
        )
        pooler = Pooler(url, port, [BINARY, str(configuration)], user)
        pooler.start()
        yield pooler
        pooler.stop()


@pytest.fixture(scope="module", params=["false", "true"], ids=["plain", "prepared"])
def pooled(
    pooler: Pooler, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[LiveServer]:
    """Serve the pooled database, with enough workers for one connection per client.

    With ``DATABASE_PREPARED``, a statement may be executed in a session that has not prepared it.
    """
    folder = tmp_path_factory.mktemp("pooled")
    project = copy_project(folder / "project")
    write_env(project, pooler.url)
    variables = {"WEB_CONCURRENCY": "4", "DATABASE_PREPARED": request.param}
    with serving(project, folder / "server.log", **variables) as live:
        yield live


def work(server: LiveServer, user_id: str) -> list[int]:
    """Call all six endpoints as one user, and return the statuses."""
    with server.client(user_id) as client:
        path = f"/api/{user_id}/tasks"
        created = client.post(path, json={"title": "Buy milk"})
        task = f"{path}/{created.json().get('id')}"
        answers = [
            created,
            client.get(path),
            client.get(task),
            client.put(task, json={"title": "Buy oat milk"}),
            client.patch(f"{task}/complete"),
            client.delete(task),
            client.get(path),
        ]
    assert [each["id"] for each in answers[1].json()] == [created.json()["id"]]
    assert answers[-1].json() == []
    return [answer.status_code for answer in answers]


def work_at_once(server: LiveServer, name: str) -> list[list[int]]:
    """Call ``work`` for ``CLIENTS`` users at the same time."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda number: work(server, f"{name}{number}"), range(CLIENTS)))


def test_50_users_share_2_server_connections_without_an_error(
    pooled: LiveServer, pooler: Pooler
) -> None:
    """50 users must be served through the pooler's two connections (SC-007)."""
    answers = work_at_once(pooled, "user")

    name = pooler.url.rpartition("/")[2]
    with psycopg.connect(os.environ["NEON_DATABASE_URL"]) as admin:
        [[connections]] = admin.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = %s AND backend_type = 'client backend'",
            [name],
        ).fetchall()
    assert answers == [WORKED] * CLIENTS
    assert '"level":"ERROR"' not in pooled.log
    assert 1 <= connections <= SERVER_CONNECTIONS


def test_a_restart_of_the_pooler_between_requests_causes_no_error(
    pooled: LiveServer, pooler: Pooler
) -> None:
    """Connections that the pooler has closed must be replaced before a statement is sent."""
    before = work(pooled, "restarted")
    pooler.stop()
    pooler.start()

    assert [before, *work_at_once(pooled, "again")] == [WORKED] * (1 + CLIENTS)

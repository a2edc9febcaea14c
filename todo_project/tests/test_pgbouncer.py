"""The API behind PgBouncer in transaction mode, like Neon's ``-pooler`` hosts (FR-006)."""

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
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
    run,
    serving,
    write_env,
)
from todo_project.tests.staff import ACCOUNT, PASSWORD
from todo_project.tests.waiting import wait_until

CLIENTS = 50
TASKS = 30  # that each client creates while sessions are terminated
LOGIN = "/admin/login/?next=/admin/"
ADD = "/admin/tasks/task/add/"
HTML_503 = ("text/html; charset=utf-8", "2")  # the type and Retry-After
TERMINATE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    # A session without a query is still being opened: PgBouncer would open none for 15 seconds.
    " WHERE datname = %s AND backend_type = 'client backend' AND query <> ''"
)
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


@contextmanager
def terminating(pooler: Pooler) -> Iterator[None]:
    """Terminate the pooler's sessions, again and again until the block ends."""

    def terminate() -> None:
        with psycopg.connect(os.environ["NEON_DATABASE_URL"], autocommit=True) as admin:
            while not ended.wait(0.02):
                admin.execute(TERMINATE, [pooler.url.rpartition("/")[2]])

    ended = threading.Event()
    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def create_patiently(server: LiveServer, user_id: str) -> tuple[Counter[int], dict[str, int]]:
    """Create tasks with keys until one request has failed; repeat each until it succeeds.

    Returns:
        How many responses had each status, and the ids of the acknowledged tasks by title.
    """
    statuses: Counter[int] = Counter()
    ids: dict[str, int] = {}
    with server.client(user_id) as client:
        while len(ids) < TASKS or not statuses[503]:
            title = f"Task {len(ids)}"
            answer = create(client, user_id, title)
            statuses[answer.status_code] += 1
            assert statuses.total() < 50 * TASKS, statuses
            if answer.status_code == 201:
                ids[title] = answer.json()["id"]
    return statuses, ids


def create(client: httpx.Client, user_id: str, title: str) -> httpx.Response:
    """Create a task with its title as ``Idempotency-Key``."""
    headers = {"Idempotency-Key": title}
    return client.post(f"/api/{user_id}/tasks", json={"title": title}, headers=headers)


def patiently(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Repeat a request while the pooler still has sessions that were terminated."""

    def answer() -> httpx.Response | None:
        response = send()
        return None if response.status_code == 503 else response

    return wait_until(answer)


def test_a_terminated_session_is_a_503(pooled: LiveServer, pooler: Pooler) -> None:
    """A lost session must be an outage, wherever in a transaction it is lost."""
    users = [f"patient{number}-{time.monotonic_ns()}" for number in range(8)]
    with terminating(pooler), ThreadPoolExecutor(len(users)) as pool:
        created = dict(zip(users, pool.map(partial(create_patiently, pooled), users), strict=True))

    statuses = sum((each for each, _ in created.values()), Counter[int]())
    assert {*statuses} == {201, 503}, statuses
    for user_id, (_, ids) in created.items():
        with pooled.client(user_id) as client:
            replays = {t: patiently(partial(create, client, user_id, t)) for t in ids}
            found = patiently(partial(client.get, f"/api/{user_id}/tasks")).json()
        assert {title: each.json()["id"] for title, each in replays.items()} == ids
        assert {each.headers["Idempotent-Replayed"] for each in replays.values()} == {"true"}
        assert sorted((each["title"], each["id"]) for each in found) == sorted(ids.items())


def test_a_terminated_session_is_a_503_in_the_admin(pooled: LiveServer, pooler: Pooler) -> None:
    """A form whose session is lost must get the page of an outage."""
    owner = f"owner-{time.monotonic_ns()}"
    client = staff_client(pooled, owner)
    page = client.get(ADD)
    form = {"user_id": owner, "csrfmiddlewaretoken": _token(page)}
    statuses: Counter[int] = Counter()
    saved = []
    with terminating(pooler):
        while not (statuses[302] and statuses[503] >= 20):
            title = f"Task {statuses.total()}"
            answer = client.post(ADD, data={**form, "title": title})
            statuses[answer.status_code] += 1
            assert statuses.total() < 50 * TASKS, statuses
            if answer.status_code == 302:
                saved.append(title)
            if answer.status_code == 503:
                assert (answer.headers["Content-Type"], answer.headers["Retry-After"]) == HTML_503
    client.close()

    with pooled.client(owner) as reader:
        found = patiently(partial(reader.get, f"/api/{owner}/tasks")).json()
    stored = [each["title"] for each in found]
    assert {*statuses} == {302, 503}, statuses
    assert ({*saved} - {*stored}, len(stored)) == (set(), len({*stored}))


def staff_client(server: LiveServer, username: str) -> httpx.Client:
    """Create a superuser, and return a client that is logged in."""
    project = server.log_file.parent / "project"
    account = {**ACCOUNT, "DJANGO_SUPERUSER_USERNAME": username}
    done = run(project, "manage.py", "createsuperuser", "--noinput", **account)
    assert done.returncode == 0, done.stderr
    client = server.client()
    page = client.get(LOGIN)
    form = {"username": username, "password": PASSWORD, "csrfmiddlewaretoken": _token(page)}
    logged_in = client.post(LOGIN, data=form, headers={"Cookie": _cookies(page)})
    assert logged_in.status_code == 302
    client.headers["Cookie"] = _cookies(logged_in)
    return client


def _token(page: httpx.Response) -> str:
    token: str = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[0]
    return token


def _cookies(answer: httpx.Response) -> str:
    # httpx does not send them itself, because they are for https only.
    return "; ".join(each.partition(";")[0] for each in answer.headers.get_list("Set-Cookie"))


def test_the_pooler_passes_the_encoding_of_a_database_on(pooler: Pooler) -> None:
    """``migrate`` and the readiness check must recognise it behind a pooler too."""
    url, _, default = pooler.url.replace("+asyncpg", "").rpartition("/")
    latin = f"latin_{uuid.uuid4().hex}"
    found = {}
    with psycopg.connect(os.environ["NEON_DATABASE_URL"], autocommit=True) as admin:
        admin.execute(
            f"CREATE DATABASE {latin} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
            " TEMPLATE template0"
        )
        try:
            for name in (default, latin):
                with psycopg.connect(f"{url}/{name}") as wire:
                    found[name] = wire.info.parameter_status("server_encoding")
        finally:
            admin.execute(f"DROP DATABASE {latin} WITH (FORCE)")

    assert found == {default: "UTF8", latin: "LATIN1"}

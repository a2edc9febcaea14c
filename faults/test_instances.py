"""Two instances behind nginx: one dies, or both are replaced."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conftest import SECRET, mint
from faults.load import Load, User
from faults.observing import wait_for_locks, workers
from faults.postgres import Postgres
from todo_project.tests.live_server import LiveServer, free_port, serving
from todo_project.tests.nginx import needs_nginx, proxying
from todo_project.tests.waiting import wait_until

USERS = 10
NEW_SECRET = "a-new-secret-of-at-least-32-bytes-0123"
BOTH = f"2:{NEW_SECRET},1:{SECRET}"


@dataclass
class Instance:
    """A server with its own port, which can be started and stopped."""

    project: Path
    log: Path
    processes: str
    port: int = field(default_factory=free_port)
    running: ExitStack = field(default_factory=ExitStack)
    server: LiveServer = field(init=False)

    def start(self, **variables: str) -> None:
        """Serve, and return once the server is ready."""
        variables |= {"PORT": str(self.port), "WEB_CONCURRENCY": self.processes}
        served = serving(self.project, self.log, **variables)
        self.server = self.running.enter_context(served)
        with self.server.client() as client:
            assert client.get("/health/ready").status_code == 200

    def stop(self) -> int:
        """Stop the server as a platform does; return the exit code."""
        return self.server.stop()


@pytest.fixture
def instances(
    project: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[list[Instance]]:
    """Start two instances, each with the parameter's number of processes."""
    processes = getattr(request, "param", "1")
    pair = [Instance(project, tmp_path / f"{name}.log", processes) for name in ("one", "two")]
    with pair[0].running, pair[1].running:
        for instance in pair:
            instance.start()
        yield pair


@pytest.fixture
def nginx(instances: list[Instance], tmp_path: Path) -> Iterator[LiveServer]:
    """Run nginx in front of the instances with ``examples/nginx.conf``."""
    with proxying(tmp_path, *(instance.port for instance in instances)) as nginx:
        yield nginx


@dataclass(frozen=True)
class ProxiedRequest:
    """A request that nginx has forwarded, as its access log records it."""

    request_id: str
    ports: list[int]  # the ports of the servers that nginx tried, in order
    began: float  # Unix time, accurate to a few milliseconds
    ended: float


def proxied_requests(nginx: LiveServer) -> Iterator[ProxiedRequest]:
    """Read the requests from nginx's access log."""
    for line in (nginx.log_file.parent / "access.log").read_text().splitlines():
        request_id, addresses, ended, seconds = line.split("|")
        ports = [int(address.rpartition(":")[2]) for address in addresses.split(", ")]
        yield ProxiedRequest(request_id, ports, float(ended) - float(seconds), float(ended))


def work(user: User) -> None:
    """Create, read and flip a task; a proxy may retry only the read."""
    user.create()
    user.read()
    user.send("PATCH", f"/api/{user.name}/tasks/{user.last_id}/complete")


def replace_each(instances: list[Instance], load: Load, **variables: str) -> list[int]:
    """Stop and restart the instances one by one; return the exit codes."""
    codes = []
    for instance in instances:
        codes.append(instance.stop())
        instance.start(**variables)
        sent = len(load.outcomes)
        # nginx tries the instance again after a second.
        time.sleep(1.5)
        load.wait_for(lambda: len(load.outcomes) >= sent + 3 * USERS)  # noqa: B023 - called at once
    return codes


@needs_nginx
def test_a_killed_instance(
    instances: list[Instance], nginx: LiveServer, postgres: Postgres, figures: dict[str, Any]
) -> None:
    """Only the dead instance's requests in progress may fail; no acknowledged task may be lost.

    A lock blocks all creates, so that each instance certainly has requests in progress.
    """
    dead = instances[0]
    with Load(nginx, USERS, work) as load:
        load.wait_for(lambda: load.statuses()[201] >= 50)
        with psycopg.connect(postgres.url) as blocker:
            blocker.execute("LOCK TABLE task IN EXCLUSIVE MODE")  # reads continue
            wait_for_locks(postgres, USERS)
            killed = time.time()
            dead.server.kill()
        sent = len(load.outcomes)
        load.wait_for(lambda: len(load.outcomes) >= sent + 10 * USERS)

    failed = {outcome.request_id for outcome in load.outcomes if outcome.status not in (200, 201)}
    in_progress = {
        request.request_id
        for request in proxied_requests(nginx)
        if request.ports[0] == dead.port and request.began <= killed <= request.ended
    }
    figures.update(load.figures(), **{"in progress": len(in_progress)}, failed=len(failed))
    assert 0 < len(in_progress) < USERS
    assert failed == in_progress
    assert (figures["lost"], figures["duplicated"]) == (0, 0)


@needs_nginx
@pytest.mark.parametrize("instances", ["2"], indirect=True, ids=["two processes each"])
def test_a_rolling_restart(
    instances: list[Instance],
    nginx: LiveServer,
    figures: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Replacing the instances one by one must not make any request fail."""
    monkeypatch.setattr("faults.load.PAUSE_SECONDS", 0.05)
    with Load(nginx, USERS, work) as load:
        load.wait_for(lambda: load.statuses()[201] >= 50)
        codes = replace_each(instances, load)

    retried = sum(len(request.ports) > 1 for request in proxied_requests(nginx))
    figures.update(load.figures(), **{"retried on the other": retried})
    assert set(load.statuses()) == {200, 201}
    assert {outcome.status for outcome in load.prober.outcomes} == {200}
    assert codes == [0, 0]
    assert (figures["lost"], figures["duplicated"]) == (0, 0)


@needs_nginx
def test_a_rotation_of_the_secret(
    instances: list[Instance], nginx: LiveServer, figures: dict[str, Any]
) -> None:
    """A token must be accepted while its secret is listed (docs/contract.md, "Authentication")."""
    with Load(nginx, USERS, work) as load:
        load.wait_for(lambda: load.statuses()[201] >= 20)
        replace_each(instances, load, BETTER_AUTH_SECRET="", BETTER_AUTH_SECRETS=BOTH)
        for user in load.users:
            user.bearer = f"Bearer {mint(user.name, secret=NEW_SECRET)}"
        # Wait until the last requests with old tokens have ended.
        sent = len(load.outcomes)
        load.wait_for(lambda: len(load.outcomes) >= sent + 5 * USERS)
        replace_each(instances, load, BETTER_AUTH_SECRET="", BETTER_AUTH_SECRETS=f"2:{NEW_SECRET}")

    figures.update(load.figures(), **{"401": load.statuses()[401]})
    assert set(load.statuses()) == {200, 201}
    with nginx.client("alice") as old_client:
        assert old_client.get("/api/alice/tasks").status_code == 401
    assert (figures["lost"], figures["duplicated"]) == (0, 0)


def test_a_reload_reads_the_secret_file_again(project: Path, tmp_path: Path) -> None:
    """A reload must apply a changed secret file (docs/contract.md, "Authentication")."""
    file = tmp_path / "secrets"
    file.write_text(f"1:{SECRET}")
    variables = {"BETTER_AUTH_SECRET": "", "BETTER_AUTH_SECRETS_FILE": str(file)}
    with serving(project, tmp_path / "log", **variables) as server, server.client("old") as old:
        bearer = f"Bearer {mint('new', secret=NEW_SECRET)}"
        with server.client(Authorization=bearer) as new:
            refused = new.get("/api/new/tasks").status_code
            before = workers(server)
            file.write_text(BOTH)
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: not workers(server) & before)

            assert (refused, new.get("/api/new/tasks").status_code) == (401, 200)
            assert old.get("/api/old/tasks").status_code == 200

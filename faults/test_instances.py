"""Two instances behind nginx, of which one dies or both are replaced."""

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
from todo_project.tests.live_server import START_SECONDS, LiveServer, free_port, serving
from todo_project.tests.nginx import needs_nginx, proxying

USERS = 10
NEW_SECRET = "a-new-secret-that-nobody-has-seen-so-far-0123"
BOTH = f"2:{NEW_SECRET},1:{SECRET}"


@dataclass
class Instance:
    """A machine with a server on it, which starts and stops."""

    project: Path
    log: Path
    processes: str
    port: int = field(default_factory=free_port)
    running: ExitStack = field(default_factory=ExitStack)
    server: LiveServer = field(init=False)

    def start(self, **variables: str) -> None:
        """Serve, and return when requests can be served."""
        variables |= {"PORT": str(self.port), "WEB_CONCURRENCY": self.processes}
        served = serving(self.project, self.log, **variables)
        self.server = self.running.enter_context(served)
        with self.server.client() as client:
            assert client.get("/health/ready").status_code == 200

    def stop(self) -> int:
        """Stop as a platform asks for it; return the exit code."""
        return self.server.stop()


@pytest.fixture
def instances(
    project: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[list[Instance]]:
    """Start two, of as many processes each as the parameter says."""
    processes = getattr(request, "param", "1")
    pair = [Instance(project, tmp_path / f"{name}.log", processes) for name in ("one", "two")]
    with pair[0].running, pair[1].running:
        for instance in pair:
            instance.start()
        yield pair


@pytest.fixture
def nginx(instances: list[Instance], tmp_path: Path) -> Iterator[LiveServer]:
    """Put nginx in front of them, configured as the README says."""
    with proxying(tmp_path, *(instance.port for instance in instances)) as nginx:
        yield nginx


@dataclass(frozen=True)
class Passed:
    """A request that nginx has passed on and answered."""

    request_id: str
    ports: list[int]  # of the servers that were asked, one after the other
    began: float  # seconds since 1970, exact to some milliseconds
    ended: float


def passed(nginx: LiveServer) -> Iterator[Passed]:
    """Read what nginx has answered so far."""
    for line in (nginx.log_file.parent / "access.log").read_text().splitlines():
        request_id, addresses, ended, seconds = line.split("|")
        ports = [int(address.rpartition(":")[2]) for address in addresses.split(", ")]
        yield Passed(request_id, ports, float(ended) - float(seconds), float(ended))


def work(user: User) -> None:
    """Create a task, read it and flip it: of the three a proxy may repeat only the reading."""
    user.create()
    user.read()
    user.send("PATCH", f"/api/{user.name}/tasks/{user.last_id}/complete")


def replace_each(instances: list[Instance], load: Load, **variables: str) -> list[int]:
    """Stop one after the other and start it anew; return the exit codes."""
    codes = []
    for instance in instances:
        codes.append(instance.stop())
        instance.start(**variables)
        sent = len(load.outcomes)
        # nginx asks it again after a second
        time.sleep(1.5)
        load.wait_for(lambda: len(load.outcomes) >= sent + 3 * USERS)  # noqa: B023 - called at once
    return codes


@needs_nginx
def test_an_instance_is_killed(
    instances: list[Instance], nginx: LiveServer, postgres: Postgres, figures: dict[str, Any]
) -> None:
    """Only what the dead instance had in hand may fail, and nothing acknowledged be lost.

    A lock holds everybody's creates up, so that each instance has some in hand for certain.
    """
    dead = instances[0]
    with Load(nginx, USERS, work) as load:
        load.wait_for(lambda: load.statuses()[201] >= 50)
        with psycopg.connect(postgres.url) as blocker:
            blocker.execute("LOCK TABLE task IN EXCLUSIVE MODE")  # reads go on
            wait_for_locks(postgres, USERS)
            killed = time.time()
            dead.server.kill()
        sent = len(load.outcomes)
        load.wait_for(lambda: len(load.outcomes) >= sent + 10 * USERS)

    failed = {each.request_id for each in load.outcomes if each.status not in (200, 201)}
    in_hand = {
        each.request_id
        for each in passed(nginx)
        if each.ports[0] == dead.port and each.began <= killed <= each.ended
    }
    figures.update(load.figures(), **{"in hand": len(in_hand)}, failed=len(failed))
    assert 0 < len(in_hand) < USERS
    assert failed == in_hand
    assert (figures["lost"], figures["duplicated"]) == (0, 0)


@needs_nginx
@pytest.mark.parametrize("instances", ["2"], indirect=True, ids=["two processes each"])
def test_a_new_version_takes_over(
    instances: list[Instance],
    nginx: LiveServer,
    figures: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopping and starting one instance after the other must fail no request."""
    monkeypatch.setattr("faults.load.PAUSE_SECONDS", 0.05)
    with Load(nginx, USERS, work) as load:
        load.wait_for(lambda: load.statuses()[201] >= 50)
        codes = replace_each(instances, load)

    asked_again = sum(len(each.ports) > 1 for each in passed(nginx))
    figures.update(load.figures(), **{"sent to the other": asked_again})
    assert set(load.statuses()) == {200, 201}
    assert {outcome.status for outcome in load.prober.outcomes} == {200}
    assert codes == [0, 0]
    assert (figures["lost"], figures["duplicated"]) == (0, 0)


@needs_nginx
def test_the_secret_is_replaced(
    instances: list[Instance], nginx: LiveServer, figures: dict[str, Any]
) -> None:
    """Every token that was signed with a secret of its time must come in (README, Replacing)."""
    with Load(nginx, USERS, work) as load:
        load.wait_for(lambda: load.statuses()[201] >= 20)
        replace_each(instances, load, BETTER_AUTH_SECRET="", BETTER_AUTH_SECRETS=BOTH)
        for user in load.users:
            user.bearer = f"Bearer {mint(user.name, secret=NEW_SECRET)}"
        # the last request with an old token has been answered
        sent = len(load.outcomes)
        load.wait_for(lambda: len(load.outcomes) >= sent + 5 * USERS)
        replace_each(instances, load, BETTER_AUTH_SECRET="", BETTER_AUTH_SECRETS=f"2:{NEW_SECRET}")

    figures.update(load.figures(), **{"401": load.statuses()[401]})
    assert set(load.statuses()) == {200, 201}
    with nginx.client("alice") as late:
        assert late.get("/api/alice/tasks").status_code == 401
    assert (figures["lost"], figures["duplicated"]) == (0, 0)


def test_a_secret_in_a_file_is_replaced_by_a_reload(project: Path, tmp_path: Path) -> None:
    """What a file holds must be read anew when the processes are (README, Stopping)."""
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
            end = time.monotonic() + START_SECONDS
            while workers(server) & before:
                assert time.monotonic() < end
                time.sleep(0.1)

            assert (refused, new.get("/api/new/tasks").status_code) == (401, 200)
            assert old.get("/api/old/tasks").status_code == 200

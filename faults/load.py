"""Users who send requests during a fault, and the outcomes of the requests."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from conftest import mint
from todo_project.tests.live_server import LiveServer
from todo_project.tests.waiting import wait_until

PAUSE_SECONDS = 0.2  # between two requests of a user, so that the machine is not overloaded
NO_RESPONSE = 0


@dataclass(frozen=True)
class Outcome:
    """The outcome of a request."""

    request_id: str
    sent_at: float
    seconds: float
    method: str
    status: int  # or NO_RESPONSE
    headers: dict[str, str]
    reused: bool  # whether the connection had already served a request

    @property
    def ended_at(self) -> float:
        """The time at which the response arrived or the request failed."""
        return self.sent_at + self.seconds


@dataclass
class User:
    """A user with one connection, who sends requests one after another and never retries."""

    server: LiveServer
    name: str
    outcomes: list[Outcome] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)  # titles
    last_id: int | None = None
    connection: http.client.HTTPConnection | None = None
    bearer: str = ""

    def __post_init__(self) -> None:
        self.bearer = f"Bearer {mint(self.name)}"

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request; return the status or ``NO_RESPONSE``, and the JSON or ``None``."""
        request_id = f"{self.name}-{len(self.outcomes)}"
        headers = {"Authorization": self.bearer, "X-Request-ID": request_id}
        if body is not None:
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        reused = self.connection is not None and self.connection.sock is not None
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        status, text, response_headers = NO_RESPONSE, b"", {}
        sent_at = time.monotonic()
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
            text = response.read()
            status, response_headers = response.status, dict(response.headers)
        except (OSError, http.client.HTTPException):
            self.close()
        seconds = time.monotonic() - sent_at
        self.outcomes.append(
            Outcome(request_id, sent_at, seconds, method, status, response_headers, reused)
        )
        # a proxy's own errors are HTML
        is_json = response_headers.get("Content-Type") == "application/json"
        return status, json.loads(text) if is_json and text else None

    def create(self) -> None:
        """Create a task with a unique title; remember the title if it is acknowledged."""
        title = f"{self.name}-{len(self.outcomes)}"
        status, task = self.send("POST", f"/api/{self.name}/tasks", {"title": title})
        if status == 201:
            self.acknowledged.append(title)
            self.last_id = task["id"]

    def read(self) -> None:
        """Read the most recently created task, or the list if there is none."""
        suffix = "" if self.last_id is None else f"/{self.last_id}"
        self.send("GET", f"/api/{self.name}/tasks{suffix}")

    def titles(self) -> list[str]:
        """Read all tasks and return their titles."""
        status, tasks = self.send("GET", f"/api/{self.name}/tasks")
        assert status == 200, tasks
        return [task["title"] for task in tasks]

    def close(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def work(user: User) -> None:
    """Create a task, then read the most recently created one."""
    user.create()
    user.read()


class Load:
    """Users who send requests until the block ends, and a prober of ``/health``."""

    def __init__(
        self, server: LiveServer, users: int = 10, step: Callable[[User], None] = work
    ) -> None:
        # Two loads on one server must not share users.
        prefix = f"u{time.monotonic_ns()}"
        self.users = [User(server, f"{prefix}-{number}") for number in range(users)]
        self.prober = User(server, f"{prefix}-prober")
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(user, step)) for user in self.users
        ]
        self._threads.append(threading.Thread(target=self._run, args=(self.prober, _probe)))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the users once their current requests have ended."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcomes of the users' requests, in the order they were sent."""
        outcomes = [outcome for user in self.users for outcome in user.outcomes]
        return sorted(outcomes, key=lambda outcome: outcome.sent_at)

    def statuses(self) -> Counter[int]:
        """Count the users' outcomes by status."""
        return Counter(outcome.status for outcome in self.outcomes)

    def p95(self) -> float:
        """Return the 95th percentile of the users' waits in seconds."""
        seconds = sorted(outcome.seconds for outcome in self.outcomes)
        return seconds[len(seconds) * 95 // 100]

    def wait_for(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until the condition is true; fail after this many seconds."""
        wait_until(condition, seconds, lambda: str(self.statuses()))

    def figures(self) -> dict[str, Any]:
        """Count the requests sent, and the tasks acknowledged, lost and duplicated."""
        lost = duplicated = 0
        for user in self.users:
            stored = Counter(user.titles())
            lost += len(set(user.acknowledged) - set(stored))
            duplicated += sum(count - 1 for count in stored.values())
            user.close()
        return {
            "sent": len(self.outcomes) - len(self.users),
            "acknowledged": sum(len(user.acknowledged) for user in self.users),
            "lost": lost,
            "duplicated": duplicated,
        }

    def _run(self, user: User, step: Callable[[User], None]) -> None:
        while not self._stopped.wait(PAUSE_SECONDS):
            step(user)
        user.close()


def _probe(user: User) -> None:
    user.send("GET", "/health")
    user.close()  # platforms open a new connection for each probe

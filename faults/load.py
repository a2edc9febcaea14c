"""Users at work while something breaks, and what became of every request of theirs."""

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

PAUSE_SECONDS = 0.2  # of a user between two requests: the machine is not what is tested
NO_ANSWER = 0


@dataclass(frozen=True)
class Outcome:
    """What became of a request."""

    request_id: str
    sent_at: float
    seconds: float
    method: str
    status: int  # or NO_ANSWER
    headers: dict[str, str]
    reused: bool  # whether its connection had served a request before

    @property
    def ended_at(self) -> float:
        """When it was over."""
        return self.sent_at + self.seconds


@dataclass
class User:
    """Somebody with one connection, who sends one request after the other and repeats none."""

    server: LiveServer
    name: str
    outcomes: list[Outcome] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)  # titles
    last_id: int | None = None
    wire: http.client.HTTPConnection | None = None
    bearer: str = ""

    def __post_init__(self) -> None:
        self.bearer = f"Bearer {mint(self.name)}"

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send one request; return its status, and the answer's JSON."""
        request_id = f"{self.name}-{len(self.outcomes)}"
        headers = {"Authorization": self.bearer, "X-Request-ID": request_id}
        if body is not None:
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        reused = self.wire is not None and self.wire.sock is not None
        if self.wire is None:
            self.wire = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        status, text, received = NO_ANSWER, b"", {}
        sent_at = time.monotonic()
        try:
            self.wire.request(method, path, body, headers)
            answer = self.wire.getresponse()
            text = answer.read()
            status, received = answer.status, dict(answer.headers)
        except (OSError, http.client.HTTPException):
            self.close()
        seconds = time.monotonic() - sent_at
        self.outcomes.append(
            Outcome(request_id, sent_at, seconds, method, status, received, reused)
        )
        # a proxy's own errors are pages
        is_json = received.get("Content-Type") == "application/json"
        return status, json.loads(text) if is_json and text else None

    def create(self) -> None:
        """Create a task whose title nobody else uses, and remember it where it was acknowledged."""
        title = f"{self.name}-{len(self.outcomes)}"
        status, task = self.send("POST", f"/api/{self.name}/tasks", {"title": title})
        if status == 201:
            self.acknowledged.append(title)
            self.last_id = task["id"]

    def read(self) -> None:
        """Read the task that was created last, or that there is none."""
        suffix = "" if self.last_id is None else f"/{self.last_id}"
        self.send("GET", f"/api/{self.name}/tasks{suffix}")

    def titles(self) -> list[str]:
        """Ask for all tasks, and return their titles."""
        status, tasks = self.send("GET", f"/api/{self.name}/tasks")
        assert status == 200, tasks
        return [task["title"] for task in tasks]

    def close(self) -> None:
        """Hang up."""
        if self.wire is not None:
            self.wire.close()
            self.wire = None


def work(user: User) -> None:
    """Create a task and read it."""
    user.create()
    user.read()


class Load:
    """Many users at work, until the block ends; beside them somebody asks for ``/health``."""

    def __init__(
        self, server: LiveServer, users: int = 10, step: Callable[[User], None] = work
    ) -> None:
        # Two loads on one server must not meet in each other's tasks
        prefix = f"u{time.monotonic_ns()}"
        self.users = [User(server, f"{prefix}-{number}") for number in range(users)]
        self.prober = User(server, f"{prefix}-prober")
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(user, step)) for user in self.users
        ]
        self._threads.append(threading.Thread(target=self._repeat, args=(self.prober, _probe)))

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
        """Let everybody finish the request that is under way."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def outcomes(self) -> list[Outcome]:
        """What became of the users' requests, as they were sent."""
        every = [outcome for user in self.users for outcome in user.outcomes]
        return sorted(every, key=lambda outcome: outcome.sent_at)

    def statuses(self) -> Counter[int]:
        """Count the users' answers by status."""
        return Counter(outcome.status for outcome in self.outcomes)

    def wait_for(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.statuses()
            time.sleep(0.05)

    def figures(self) -> dict[str, Any]:
        """Count what was sent and acknowledged, and what the server has of it now."""
        lost = duplicated = 0
        for user in self.users:
            there = Counter(user.titles())
            lost += len(set(user.acknowledged) - set(there))
            duplicated += sum(times - 1 for times in there.values())
            user.close()
        return {
            "sent": len(self.outcomes) - len(self.users),
            "acknowledged": sum(len(user.acknowledged) for user in self.users),
            "lost": lost,
            "duplicated": duplicated,
        }

    def _repeat(self, user: User, step: Callable[[User], None]) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            step(user)
        user.close()


def _probe(user: User) -> None:
    user.send("GET", "/health")
    user.close()  # as a platform does it: each time on a connection of its own

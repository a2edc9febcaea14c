"""Runs the example's Better Auth and the API, and signs users up."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from conftest import SECRET
from examples.demo import EXAMPLE, NODE
from todo_project.tests.live_server import LiveServer, serving

PASSWORD = "correct horse"
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class BetterAuth:
    """A running Better Auth server.

    Args:
        address: its base URL.
        origin: the origin of the page that may call it, ``BETTER_AUTH_URL``.
    """

    address: str
    origin: str

    def client(self) -> httpx.Client:
        """Open a client that keeps cookies and sends ``Origin``, as a browser does."""
        return httpx.Client(
            base_url=self.address, headers={"Origin": self.origin}, timeout=30, trust_env=False
        )


@dataclass(frozen=True)
class User:
    """A user who has just signed up.

    Args:
        id: the user's id.
        email: the address to sign in with; the password is ``PASSWORD``.
        session_token: the session token in Better Auth's response.
        client: a client with the user's cookies.
        cookies: all cookies that signing up set, including expired ones.
    """

    id: str
    email: str
    session_token: str
    client: httpx.Client
    cookies: dict[str, str]


def sign_up(client: httpx.Client) -> User:
    """Create an account through Better Auth's own endpoint and return the user."""
    email = f"{uuid.uuid4().hex}@example.com"
    account = {"email": email, "name": "Ada", "password": PASSWORD}
    response = client.post("/api/auth/sign-up/email", json=account)
    assert response.status_code == 200, response.text
    created = response.json()
    set_cookies = [line.partition(";")[0] for line in response.headers.get_list("Set-Cookie")]
    cookies = dict(line.split("=", 1) for line in set_cookies)
    return User(created["user"]["id"], email, created["token"], client, cookies)


@dataclass(frozen=True)
class BetterAuthProcess:
    """A process that serves several variants of Better Auth, all with one secret.

    Args:
        origin: the origin of the page that may call them.
        process: the process; its stdin and stdout are pipes.
        running: the running variants, by their ``TEST_`` variables.
    """

    origin: str
    process: subprocess.Popen[str]
    running: dict[str, BetterAuth]

    def serving(self, variant: str = "") -> BetterAuth:
        """Return a variant such as ``TEST_COOKIE=jwe TEST_BEARER=1``, starting it if necessary."""
        if variant not in self.running:
            assert self.process.stdin
            assert self.process.stdout
            if variant:
                self.process.stdin.write(f"{variant}\n")
                self.process.stdin.flush()
            line = self.process.stdout.readline()
            assert "listens on" in line, "Better Auth did not start; see its output above"
            self.running[variant] = BetterAuth(line.split()[-1], self.origin)
        return self.running[variant]


@contextmanager
def running_better_auth(origin: str, **variables: str) -> Iterator[BetterAuthProcess]:
    """Run the example with these environment variables until the block ends."""
    with subprocess.Popen(
        [*NODE, "variants.ts"],
        cwd=EXAMPLE,
        env={
            "PATH": os.environ["PATH"],
            "PORT": "0",
            "BETTER_AUTH_URL": origin,
            "BETTER_AUTH_SECRET": SECRET,
            **variables,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        better_auth_process = BetterAuthProcess(origin, process, {})
        try:
            better_auth_process.serving()
            yield better_auth_process
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


@dataclass(frozen=True)
class Deployment:
    """A copy of the project with its database, to be served with different settings.

    Args:
        project: the copy.
        variables: the environment variables to serve it with.
        logs: a directory for the servers' logs.
    """

    project: Path
    variables: dict[str, str]
    logs: Path

    def serving(self, **variables: str) -> AbstractContextManager[LiveServer]:
        """Serve the API until the block ends, with these variables changed."""
        log = self.logs / f"{uuid.uuid4().hex}.log"
        return serving(self.project, log, **{**self.variables, **variables})


def list_tasks(api: LiveServer, user_id: str, token: str) -> httpx.Response:
    """Request a user's tasks with this token."""
    with api.client(Authorization=f"Bearer {token}") as client:
        return client.get(f"/api/{user_id}/tasks")


def create_task(api: LiveServer, user_id: str, token: str) -> httpx.Response:
    """Send a create request with this token."""
    with api.client(Authorization=f"Bearer {token}") as client:
        return client.post(f"/api/{user_id}/tasks", json={"title": "Buy milk"})


def stored_tasks(api: LiveServer, user_id: str) -> Any:
    """Return a user's tasks, read with a token that the tests sign themselves."""
    with api.client(user_id) as client:
        return client.get(f"/api/{user_id}/tasks").raise_for_status().json()

"""The example's Better Auth and the API as the tests run them, and people who sign up there."""

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
    """A Better Auth that answers.

    Args:
        address: where.
        origin: of the page that may call it, ``BETTER_AUTH_URL``.
    """

    address: str
    origin: str

    def visitor(self) -> httpx.Client:
        """Open a browser: it keeps cookies and says which page it shows."""
        return httpx.Client(
            base_url=self.address, headers={"Origin": self.origin}, timeout=30, trust_env=False
        )


@dataclass(frozen=True)
class Person:
    """Somebody who has just signed up.

    Args:
        id: the user's id.
        email: what they sign in with, beside ``PASSWORD``.
        session_token: what Better Auth calls their token.
        browser: with their cookies.
        cookies: those that signing up set, also one that has expired already.
    """

    id: str
    email: str
    session_token: str
    browser: httpx.Client
    cookies: dict[str, str]


def sign_up(browser: httpx.Client) -> Person:
    """Make an account through Better Auth's own endpoint."""
    email = f"{uuid.uuid4().hex}@example.com"
    account = {"email": email, "name": "Ada", "password": PASSWORD}
    answer = browser.post("/api/auth/sign-up/email", json=account)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    set_cookies = [line.partition(";")[0] for line in answer.headers.get_list("Set-Cookie")]
    cookies = dict(line.split("=", 1) for line in set_cookies)
    return Person(made["user"]["id"], email, made["token"], browser, cookies)


@dataclass(frozen=True)
class BetterAuths:
    """A process that serves any number of Better Auths, with one secret.

    Args:
        origin: of the page that may call them.
        process: the process, with pipes to its input and from its output.
        started: those that it serves, by the variables that describe them.
    """

    origin: str
    process: subprocess.Popen[str]
    started: dict[str, BetterAuth]

    def serving(self, variant: str = "") -> BetterAuth:
        """Serve a variant such as ``TEST_COOKIE=jwe TEST_BEARER=1``, or find it."""
        if variant not in self.started:
            assert self.process.stdin
            assert self.process.stdout
            if variant:
                self.process.stdin.write(f"{variant}\n")
                self.process.stdin.flush()
            listening = self.process.stdout.readline()
            assert "listens on" in listening, "Better Auth did not start; its reason is above"
            self.started[variant] = BetterAuth(listening.split()[-1], self.origin)
        return self.started[variant]


@contextmanager
def running_better_auths(origin: str, **variables: str) -> Iterator[BetterAuths]:
    """Run the example with these variables until the block ends."""
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
        running = BetterAuths(origin, process, {})
        try:
            running.serving()
            yield running
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


@dataclass(frozen=True)
class Deployment:
    """The API with its database, ready to be served under one setting after the other.

    Args:
        project: a copy of what is deployed.
        variables: its environment.
        logs: a folder for the servers' logs.
    """

    project: Path
    variables: dict[str, str]
    logs: Path

    def serving(self, **variables: str) -> AbstractContextManager[LiveServer]:
        """Serve it until the block ends, with these variables changed."""
        log = self.logs / f"{uuid.uuid4().hex}.log"
        return serving(self.project, log, **{**self.variables, **variables})


def list_tasks(api: LiveServer, user_id: str, token: str) -> httpx.Response:
    """Ask for a user's tasks with this token."""
    with api.client(Authorization=f"Bearer {token}") as client:
        return client.get(f"/api/{user_id}/tasks")


def create_task(api: LiveServer, user_id: str, token: str) -> httpx.Response:
    """Try to create a task with this token."""
    with api.client(Authorization=f"Bearer {token}") as client:
        return client.post(f"/api/{user_id}/tasks", json={"title": "Buy milk"})


def stored_tasks(api: LiveServer, user_id: str) -> Any:
    """Return a user's tasks, read with a token that the tests sign themselves."""
    with api.client(user_id) as client:
        return client.get(f"/api/{user_id}/tasks").raise_for_status().json()

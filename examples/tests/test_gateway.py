"""The gateway of ``make demo``, in front of servers that show what reaches them."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from examples.tests.gateway import running_gateway
from todo_project.tests.live_server import free_port

first_part_seen = threading.Event()


class Mirror(BaseHTTPRequestHandler):
    """Answers with the request. ``/cut`` waits, and hangs up before the last byte."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer."""
        seen = {
            "server": self.connection.getsockname()[1],
            "line": self.requestline,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(),
        }
        answer = json.dumps(seen).encode()
        self.send_response(207)
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.send_header("Connection", "X-Mine")
        self.send_header("X-Mine", "for the gateway only")
        self.send_header("Content-Length", str(len(answer) + (self.path == "/cut")))
        self.end_headers()
        self.wfile.write(answer)
        if self.path == "/cut":
            first_part_seen.wait(30)
        self.close_connection = True

    do_GET = do_POST  # noqa: N815 - the name that http.server looks for

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def mirror() -> Iterator[int]:
    """Run a mirror and give its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def auth_port() -> Iterator[int]:
    """Stand in for Better Auth."""
    with mirror() as port:
        yield port


@pytest.fixture(scope="module")
def api_port() -> Iterator[int]:
    """Stand in for the API."""
    with mirror() as port:
        yield port


@pytest.fixture(scope="module")
def gateway(node: None, auth_port: int, api_port: int) -> Iterator[httpx.Client]:
    """Run the gateway in front of both."""
    with running_gateway(auth_port, api_port) as client:
        yield client


def test_better_auths_paths_go_to_better_auth(gateway: httpx.Client, auth_port: int) -> None:
    """One origin must serve both: this is Better Auth's part of it."""
    assert gateway.get("/api/auth/get-session").json()["server"] == auth_port


def test_every_other_path_goes_to_the_api(gateway: httpx.Client, api_port: int) -> None:
    """One origin must serve both: the rest is the API's."""
    paths = ["/api/auth", "/api/authors/tasks", "/api/u/tasks", "/health", "/"]
    servers = {path: gateway.get(path).json()["server"] for path in paths}

    assert servers == dict.fromkeys(paths, api_port)


def test_a_request_arrives_as_it_was_sent(gateway: httpx.Client) -> None:
    """The API decides what a path, a header or a body means, and must see them unchanged."""
    headers = {"Authorization": "Bearer x", "Host": "app.example.com", "Cookie": "a=1; b=2"}
    seen = gateway.post("/api/a%2Fb/tasks?x=%20+", content="{ }", headers=headers).json()

    assert (seen["line"], seen["body"]) == ("POST /api/a%2Fb/tasks?x=%20+ HTTP/1.1", "{ }")
    for name, value in headers.items():
        assert seen["headers"][name.lower()] == value


def test_the_forwarding_headers_are_the_gateways_own(gateway: httpx.Client) -> None:
    """A client must not be able to make up where it comes from (RFC 7239 §8.1)."""
    made_up = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https", "Forwarded": "for=x"}
    made_up |= {"X-Forwarded-Host": "evil.example", "Host": "app.example.com"}
    seen = gateway.get("/health", headers=made_up).json()["headers"]

    assert {name: value for name, value in seen.items() if "forwarded" in name} == {
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "app.example.com",
    }


def test_an_answer_arrives_as_it_was_sent(gateway: httpx.Client) -> None:
    """Cookies must stay apart; a header for one connection must stay there (RFC 9110 §7.6.1)."""
    answer = gateway.get("/api/auth/get-session")

    assert answer.status_code == 207
    assert answer.headers.get_list("Set-Cookie") == ["a=1", "b=2"]
    assert "X-Mine" not in answer.headers


def test_an_answer_is_passed_on_as_it_comes_and_a_broken_one_breaks(gateway: httpx.Client) -> None:
    """An answer must not be held back, and half of one must not look like all of it."""
    with gateway.stream("GET", "/cut") as answer:
        parts = answer.iter_raw()
        assert next(parts).startswith(b'{"server"')
        first_part_seen.set()
        with pytest.raises(httpx.RemoteProtocolError):
            next(parts)


def test_an_old_client_without_a_host_is_served(gateway: httpx.Client) -> None:
    """What is missing from a request must not end the gateway for everybody else."""
    address = (gateway.base_url.host, gateway.base_url.port)
    with socket.create_connection(address, timeout=30) as wire:
        wire.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert wire.recv(65536).startswith(b"HTTP/1.1 207 ")


def test_a_server_that_is_away_is_a_502_in_json(node: None) -> None:
    """A page must have an ``error`` to show, whichever server is away.

    The rest of a refused body must not be waited for by, or pass for, the connection's next
    request.
    """
    with running_gateway(free_port(), free_port()) as client:
        answers = [
            client.post("/health", content=b"x" * 5_000_000),
            client.get("/health"),
            client.get("/api/auth/get-session"),
        ]

    assert [answer.status_code for answer in answers] == [502] * 3
    error = "The server does not answer. Please try again."
    assert [answer.json() for answer in answers] == [{"detail": "Bad Gateway", "error": error}] * 3

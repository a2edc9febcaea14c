"""The gateway of ``make demo``, in front of servers that return the request they received."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from conftest import FRONT_END
from examples.tests.gateway import running_gateway
from todo_project.tests.live_server import free_port

first_part_received = threading.Event()


class EchoHandler(BaseHTTPRequestHandler):
    """Responds with the request. ``/cut`` announces one byte more than it sends, and then waits."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Respond with the request."""
        received = {
            "server": self.connection.getsockname()[1],
            "line": self.requestline,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(),
        }
        response = json.dumps(received).encode()
        self.send_response(207)
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.send_header("Connection", "X-Mine")
        self.send_header("X-Mine", "for the gateway only")
        self.send_header("Content-Length", str(len(response) + (self.path == "/cut")))
        self.end_headers()
        self.wfile.write(response)
        if self.path == "/cut":
            first_part_received.wait(30)
        self.close_connection = True

    do_GET = do_POST  # noqa: N815 - http.server calls this name

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@contextmanager
def echo_server() -> Iterator[int]:
    """Run an echo server and yield its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EchoHandler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def auth_port() -> Iterator[int]:
    """Run an echo server in place of Better Auth."""
    with echo_server() as port:
        yield port


@pytest.fixture(scope="module")
def api_port() -> Iterator[int]:
    """Run an echo server in place of the API."""
    with echo_server() as port:
        yield port


@pytest.fixture(scope="module")
def gateway(node: None, auth_port: int, api_port: int) -> Iterator[httpx.Client]:
    """Run the gateway in front of both servers."""
    with running_gateway(auth_port, api_port) as client:
        yield client


def test_better_auths_paths_go_to_better_auth(gateway: httpx.Client, auth_port: int) -> None:
    """Better Auth must be reachable on the common origin."""
    assert gateway.get("/api/auth/get-session").json()["server"] == auth_port


def test_every_other_path_goes_to_the_api(gateway: httpx.Client, api_port: int) -> None:
    """Paths outside ``/api/auth/`` must reach the API on the common origin."""
    paths = ["/api/auth", "/api/authors/tasks", "/api/u/tasks", "/health", "/"]
    servers = {path: gateway.get(path).json()["server"] for path in paths}

    assert servers == dict.fromkeys(paths, api_port)


def test_a_request_is_forwarded_unchanged(gateway: httpx.Client) -> None:
    """The path, headers and body must reach the API unchanged: it interprets them itself."""
    headers = {"Authorization": "Bearer x", "Host": "app.example.com", "Cookie": "a=1; b=2"}
    received = gateway.post("/api/a%2Fb/tasks?x=%20+", content="{ }", headers=headers).json()

    assert (received["line"], received["body"]) == ("POST /api/a%2Fb/tasks?x=%20+ HTTP/1.1", "{ }")
    for name, value in headers.items():
        assert received["headers"][name.lower()] == value


def test_the_gateway_overwrites_forwarding_headers(gateway: httpx.Client) -> None:
    """A client must not be able to forge its address (RFC 7239 §8.1)."""
    forged = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https", "Forwarded": "for=x"}
    forged |= {"X-Forwarded-Host": "evil.example", "Host": "app.example.com"}
    received = gateway.get("/health", headers=forged).json()["headers"]

    assert {name: value for name, value in received.items() if "forwarded" in name} == {
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "app.example.com",
    }


def test_a_response_is_forwarded_unchanged(gateway: httpx.Client) -> None:
    """Cookies must not be merged; hop-by-hop headers must be removed (RFC 9110 §7.6.1)."""
    response = gateway.get("/api/auth/get-session")

    assert response.status_code == 207
    assert response.headers.get_list("Set-Cookie") == ["a=1", "b=2"]
    assert "X-Mine" not in response.headers


def test_a_response_is_streamed_and_a_truncated_one_fails(gateway: httpx.Client) -> None:
    """The gateway must not buffer a response or make a truncated one look complete."""
    with gateway.stream("GET", "/cut") as response:
        parts = response.iter_raw()
        assert next(parts).startswith(b'{"server"')
        first_part_received.set()
        with pytest.raises(httpx.RemoteProtocolError):
            next(parts)


def test_a_request_without_a_host_is_served(gateway: httpx.Client) -> None:
    """A missing ``Host`` header must not crash the gateway."""
    address = (gateway.base_url.host, gateway.base_url.port)
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 207 ")


def test_a_server_that_is_down_causes_a_json_502(node: None) -> None:
    """A page must have an ``error`` to show, whichever server is down.

    The unread rest of a body must neither block the connection's next request nor be parsed as one.
    """
    with running_gateway(free_port(), free_port()) as client:
        responses = [
            client.post("/health", content=b"x" * 5_000_000),
            client.get("/health"),
            client.get("/api/auth/get-session"),
        ]

    assert [response.status_code for response in responses] == [502] * 3
    error = "The server does not answer. Please try again."
    assert [response.json() for response in responses] == [
        {"detail": "Bad Gateway", "error": error}
    ] * 3


@pytest.mark.parametrize("path", ["/api/auth/get-session", "/api/alice/tasks"])
def test_a_page_can_read_that_a_server_is_down(node: None, path: str) -> None:
    """The gateway's own error must pass a browser's CORS check, and so must its preflight."""
    preflight = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    with running_gateway(free_port(), free_port()) as client:
        asked = client.options(path, headers={"Origin": FRONT_END, **preflight})
        failed = client.put(path, headers={"Origin": FRONT_END}, json={})

    assert (asked.status_code, failed.status_code) == (204, 502)
    assert asked.headers["Access-Control-Allow-Methods"] == "PUT"
    assert asked.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
    for response in (asked, failed):
        assert response.headers["Access-Control-Allow-Origin"] == FRONT_END
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
        assert response.headers["Vary"] == "Origin"
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_another_page_cannot_read_that_a_server_is_down(node: None, origin: str) -> None:
    """Only the allowed origins may read the error; a preflight of another must fail."""
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    with running_gateway(free_port(), free_port()) as client:
        responses = [client.options("/", headers=headers), client.get("/", headers=headers)]

    assert [response.status_code for response in responses] == [502] * 2
    assert not [name for each in responses for name in each.headers if "access-control" in name]

"""Raw connections of clients that do not behave: many at once, slow ones, and exact bytes."""

import select
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple, Self

from conftest import mint

Address = tuple[str, int]
SECONDS = 10.0  # the longest wait for something that should happen at once


class Reply(NamedTuple):
    """A response.

    Args:
        status: its status.
        headers: its headers; the names are in lower case.
        body: its body, with chunks decoded.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class DisconnectedError(Exception):
    """The server has closed the connection before the end of a response."""


class Client:
    """A connection whose bytes the test chooses.

    Args:
        address: the server's.
        receive_buffer: the size of the kernel's receive buffer in bytes; by default the kernel
            chooses it.
        send_buffer: that of its send buffer.
    """

    def __init__(
        self,
        address: Address,
        receive_buffer: int | None = None,
        send_buffer: int | None = None,
    ) -> None:
        self.sock = socket.socket()
        self.sock.settimeout(SECONDS)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if send_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        self.sock.connect(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Send bytes; the server may close the connection meanwhile."""
        with suppress(ConnectionError):
            self.sock.sendall(data)

    def send_until_the_response(self, parts: Iterator[bytes], seconds: float) -> int:
        """Send parts until the server responds or disconnects; return how many bytes it took.

        Args:
            parts: what to send.
            seconds: the time after which to give up.
        """
        return self._send_while_writable(parts, seconds, [self.sock])

    def send_as_much_as_possible(self, parts: Iterator[bytes], seconds: float) -> int:
        """Send parts until the server disconnects, and ignore its response; see above."""
        return self._send_while_writable(parts, seconds, [])

    def _send_while_writable(
        self, parts: Iterator[bytes], seconds: float, stop_at: list[socket.socket]
    ) -> int:
        sent, unsent, ends_at = 0, b"", time.monotonic() + seconds
        self.sock.setblocking(False)
        with suppress(ConnectionError, StopIteration):
            while (left := ends_at - time.monotonic()) > 0:
                readable, writable, _ = select.select(stop_at, [self.sock], [], left)
                if readable:
                    break
                if writable:
                    unsent = unsent or next(parts)
                    count = self.sock.send(unsent)
                    sent, unsent = sent + count, unsent[count:]
        self.sock.settimeout(SECONDS)
        return sent

    def reply(self, method: str = "GET") -> Reply:
        """Receive a response.

        Args:
            method: that of the request; the response to a HEAD has no body.

        Raises:
            DisconnectedError: the server has closed the connection.
            TimeoutError: the response has not arrived in time.
        """
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        fields = [line.partition(":") for line in lines[1:-2]]
        headers = {name.lower(): value.strip() for name, _, value in fields}
        status = int(lines[0].split(" ")[1])
        if status < 200 or status in (204, 304) or method == "HEAD":
            return Reply(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Reply(status, headers, b"".join(self._chunks()))
        if "content-length" in headers:
            return Reply(status, headers, self._exactly(int(headers["content-length"])))
        return Reply(status, headers, self._received + self.rest())

    def rest(self) -> bytes:
        """Receive until the server closes the connection.

        Raises:
            TimeoutError: it has not closed it in time.
        """
        parts = [self._received]
        with suppress(ConnectionError):
            while part := self.sock.recv(1 << 16):
                parts.append(part)
        self._received = b""
        return b"".join(parts)

    def next_bytes(self, size: int) -> bytes:
        """Receive this many bytes, or until the server closes the connection."""
        while len(self._received) < size:
            try:
                self._receive()
            except DisconnectedError:
                break
        return self._exactly(min(size, len(self._received)))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._until(b"\r\n"), 16):
            yield self._exactly(size + 2)[:-2]
        self._until(b"\r\n")

    def _until(self, end: bytes) -> bytes:
        while end not in self._received:
            self._receive()
        size = self._received.index(end) + len(end)
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            self._receive()
        found, self._received = self._received[:size], self._received[size:]
        return found

    def _receive(self) -> None:
        try:
            part = self.sock.recv(1 << 20)
        except ConnectionError as error:
            raise DisconnectedError(self._received) from error
        if not part:
            raise DisconnectedError(self._received)
        self._received += part


def exchange(address: Address, request: bytes) -> list[Reply]:
    """Send a request on a new connection; return all responses until the server closes it.

    Raises:
        TimeoutError: the server has not closed the connection in time.
    """
    replies = []
    with Client(address) as client:
        client.send(request)
        with suppress(DisconnectedError):
            while True:
                replies.append(client.reply())
    return replies


def authorized(user_id: str) -> bytes:
    """Return the header lines of a request with a user's token."""
    return f"Host: localhost\r\nAuthorization: Bearer {mint(user_id)}\r\n".encode()


class Crowd:
    """Connections of clients that send little or nothing, without a thread for each.

    Args:
        socks: their sockets.
    """

    def __init__(self, socks: Sequence[socket.socket]) -> None:
        self.socks = socks

    def closed(self) -> int:
        """Return how many connections the server has closed."""
        poll = select.poll()
        for sock in self.socks:
            poll.register(sock, select.POLLIN | select.POLLRDHUP)
        return sum(bool(event & ~select.POLLIN) for _, event in poll.poll(0))


@contextmanager
def crowd(address: Address, count: int, sent: bytes = b"") -> Iterator[Crowd]:
    """Open connections that stay open, and close them when the block ends.

    Args:
        address: the server's.
        count: how many.
        sent: what each client sends.
    """
    socks: list[socket.socket] = []
    try:
        for _ in range(count):
            # a connection that the server refuses to accept costs this client nothing
            sock = socket.create_connection(address, timeout=SECONDS)
            sock.sendall(sent)
            sock.setblocking(False)
            socks.append(sock)
        yield Crowd(socks)
    finally:
        for sock in socks:
            sock.close()


@contextmanager
def dripping(socks: Sequence[socket.socket], data: bytes, pause: float = 1.0) -> Iterator[None]:
    """Send one byte after another on each connection until the block ends.

    Args:
        socks: the connections.
        data: what to send on each.
        pause: seconds between two bytes.
    """
    stopped = threading.Event()

    def drip() -> None:
        for number in range(len(data)):
            if stopped.wait(pause):
                return
            for sock in socks:
                with suppress(OSError):  # the server has closed it, which the test observes
                    sock.send(data[number : number + 1])

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()

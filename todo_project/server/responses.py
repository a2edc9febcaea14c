"""HTTP responses: the application's, and the server's own refusals."""

import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import orjson

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
BODILESS = ("204", "304")


class Response:
    """The response of a WSGI application, which produces each part when it is needed.

    Args:
        environ: the request.

    Source: RFC 9112; PEP 3333, without its ``write()``.
    """

    __slots__ = (
        *("environ", "keeps_alive", "is_complete"),
        *("_status", "_headers", "_result", "_parts", "_first", "_is_chunked"),
    )

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self.keeps_alive = False  # whether the connection is kept open after the response
        self.is_complete = False
        self._result: Any = None

    def start(self, application: Callable[..., Any]) -> None:
        """Call the application, up to the first part of the body."""
        self._result = application(self.environ, self._start_response)
        self._parts: Iterator[bytes] = iter(self._result)
        self._first = next(self._parts, b"")

    def first_part(self, *, may_keep_alive: bool) -> tuple[bytes, bytes]:
        """Return the head, and the first part of the body."""
        lines, length = [], None
        for name, value in self._headers:
            lines.append(f"{name}: {value}\r\n")
            if name == "Content-Length":
                length = int(value)
        is_old = self.environ["SERVER_PROTOCOL"] == "HTTP/1.0"
        has_body = self.environ["REQUEST_METHOD"] != "HEAD" and self._status[:3] not in BODILESS
        has_end = not has_body or length is not None
        self._is_chunked = not (has_end or is_old)
        # A body without length and chunks ends with the connection.
        self.keeps_alive = may_keep_alive and (has_end or self._is_chunked)
        if self._is_chunked:
            lines.append("Transfer-Encoding: chunked\r\n")
        if not self.keeps_alive:
            lines.append("Connection: close\r\n")
        elif is_old:
            lines.append("Connection: keep-alive\r\n")
        fields = "".join(lines)
        head = f"HTTP/1.1 {self._status}\r\nDate: {_http_date(int(time.time()))}\r\n{fields}\r\n"
        self.is_complete = not has_body or length == len(self._first)
        return head.encode("latin-1"), self._framed(self._first) if has_body else b""

    def next_part(self) -> bytes:
        """Return the next part of the body; after the last one, ``is_complete`` is set."""
        for part in self._parts:
            if part:
                return self._framed(part)
        self.is_complete = True
        return LAST_CHUNK if self._is_chunked else b""

    def close(self) -> None:
        """Tell the application that the response has ended."""
        if close := getattr(self._result, "close", None):
            close()

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> None:
        self._status, self._headers = status, headers

    def _framed(self, part: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(part), part) if self._is_chunked and part else part


def refusal(status: int) -> bytes:
    """Return a response without the application, after which the connection is closed.

    Its body has the keys of the API's errors.
    """
    phrase = HTTPStatus(status).phrase
    body = orjson.dumps({"detail": phrase, "error": phrase})
    lines = (
        f"HTTP/1.1 {status} {phrase}",
        f"Date: {_http_date(int(time.time()))}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode() + body


@lru_cache(maxsize=1)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)

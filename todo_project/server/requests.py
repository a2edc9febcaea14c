"""Parses the bytes of a connection into WSGI environs."""

import io
import re
import time
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
)

# Limits of a request's head. A token or a cookie may take 8 KiB.
MAX_HEAD_BYTES = 16 * 1024
MAX_TARGET_BYTES = 8190
MAX_HEADERS = 64
MAX_LENGTH_DIGITS = 19
MAX_CACHED_NAME = 64
# A chunked body may take this many times the size of its content.
MAX_FRAMING = 8
# A method that the parser does not know. The application responds to it as to any other method.
UNKNOWN_METHOD = re.compile(rb"[A-Z][A-Z0-9-]{0,19} ")


class RefusedError(Exception):
    """The client's bytes are not a request that this server accepts.

    Args:
        status: the HTTP status of the refusal. The connection cannot be used any more, because the
            end of the request is not known.
    """

    def __init__(self, status: int) -> None:
        super().__init__(HTTPStatus(status).phrase)
        self.status = status


class Request(NamedTuple):
    """A whole request.

    Args:
        environ: the WSGI environ; ``wsgi.input`` contains the body.
        keeps_alive: whether the client may send another request on the connection.
    """

    environ: dict[str, Any]
    keeps_alive: bool


class RequestReader:
    """Reads the requests of one connection.

    A chunked body is decoded and gets a ``CONTENT_LENGTH``. If a body is too large, or if the
    client disconnects before its end, the request is complete without it: ``CONTENT_LENGTH`` is
    larger than the content, so that the application can refuse the body in its own order of checks.

    Args:
        environ: the part of the environ that is the same for all requests of the connection.
        max_body_bytes: the size of the largest body that is kept.

    Source: RFC 9112; PEP 3333.
    """

    __slots__ = (
        *("requests", "state", "is_ended", "expects_continue"),
        *("_environ", "_max_body_bytes", "_parser", "_current", "_received_bytes", "_method"),
        *("_headers", "_target", "_body", "_body_bytes", "_announced_bytes"),
    )

    def __init__(self, environ: dict[str, Any], max_body_bytes: int) -> None:
        self.requests: list[Request] = []
        self.state = "head"  # what is being read: "head", "body", or "idle" between two requests
        self.is_ended = False  # whether no further request is read
        self.expects_continue = False  # whether the client waits for a 100 before it sends a body
        self._environ = environ
        self._max_body_bytes = max_body_bytes
        self._received_bytes = 0  # of the current request
        self._method = ""
        self._parser = HttpRequestParser(self)

    @property
    def address(self) -> str:
        """The address of the client; empty on a Unix socket."""
        return str(self._environ["REMOTE_ADDR"])

    @property
    def is_reading(self) -> bool:
        """Whether a part of a request has been read."""
        return self.state == "body" or (self.state == "head" and self._received_bytes > 0)

    def feed(self, data: memoryview) -> None:
        """Parse bytes, and add the requests that they complete to ``requests``.

        Raises:
            RefusedError: the bytes are not acceptable.
        """
        completed, was_reading = len(self.requests), self.is_reading
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:  # a server may ignore the wish (RFC 9110 §7.8)
            return
        except HttpParserError as error:
            if self.is_ended:  # bytes after the last request
                return
            if isinstance(error, HttpParserCallbackError):
                raise error.__context__ or error from None
            is_unknown = isinstance(error, HttpParserInvalidMethodError)
            method = UNKNOWN_METHOD.match(data) if is_unknown else None
            if was_reading or completed < len(self.requests) or not method:
                raise RefusedError(400) from None
            self._method = method[0].decode().strip()
            self._parser = HttpRequestParser(self)
            self.feed(memoryview(b"GET " + data[method.end() :]))
            return
        if completed == len(self.requests):
            self._received_bytes += len(data)
        if self.state == "head" and self._received_bytes >= MAX_HEAD_BYTES:
            raise RefusedError(431)
        if self.state == "body" and self._received_bytes > MAX_FRAMING * self._max_body_bytes:
            raise RefusedError(413)

    def end(self) -> None:
        """Complete a request whose body the client has not finished.

        Raises:
            RefusedError: the client has not finished a head.
        """
        if self.state == "body":
            self._complete(self._announced_bytes or self._body_bytes + 1)
        elif self.is_reading:
            raise RefusedError(400)
        self.is_ended = True

    def close(self) -> None:
        """Forget the requests, and break the reference cycle with the parser."""
        self.requests.clear()
        del self._parser

    # The parser's callbacks

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.state = "head"
        self._current = self._environ.copy()
        self._received_bytes = self._body_bytes = self._headers = 0
        self._target = b""
        self._body = bytearray()

    def on_url(self, part: bytes) -> None:
        """Add to the request target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header to the environ; ignore trailers."""
        if self.state != "head":
            return
        self._headers += 1
        find = environ_key if len(name) <= MAX_CACHED_NAME else environ_key.__wrapped__
        if (key := find(name)) is None:
            return
        text = value.decode("latin-1").rstrip(" \t")
        if key in self._current:
            if key == "HTTP_HOST":
                raise RefusedError(400)
            text = f"{self._current[key]},{text}"
        self._current[key] = text

    def on_headers_complete(self) -> None:
        """Check the head, and complete a request whose body is too large."""
        environ, version = self._current, self._parser.get_http_version()
        if version not in ("1.1", "1.0") or (version == "1.1" and "HTTP_HOST" not in environ):
            raise RefusedError(400)
        if self._headers > MAX_HEADERS:
            raise RefusedError(431)
        self._read_target()
        environ["SERVER_PROTOCOL"] = f"HTTP/{version}"
        environ["REQUEST_METHOD"] = self._method or self._parser.get_method().decode()
        self.state = "body"
        coding = environ.pop("HTTP_TRANSFER_ENCODING", "")
        if coding and version == "1.0":
            raise RefusedError(400)
        if coding.lower() not in ("", "chunked"):
            raise RefusedError(501)
        expectation = environ.get("HTTP_EXPECT", "100-continue")
        if expectation.lower() != "100-continue":
            raise RefusedError(417)
        if len(environ.get("CONTENT_LENGTH", "")) > MAX_LENGTH_DIGITS:
            raise RefusedError(400)
        self._announced_bytes = int(environ.get("CONTENT_LENGTH", "0"))
        if self._parser.should_upgrade() and (coding or self._announced_bytes):
            raise RefusedError(501)  # the parser would read the body as the next request
        if self._announced_bytes > self._max_body_bytes:
            self._complete(self._announced_bytes)
        else:
            self.expects_continue = "HTTP_EXPECT" in environ and version == "1.1"

    def on_body(self, part: bytes) -> None:
        """Add to the body, or complete the request if the body is too large."""
        if self.is_ended:
            return
        self._body_bytes += len(part)
        self._body += part
        if self._body_bytes > self._max_body_bytes:
            self._complete(self._body_bytes)

    def on_message_complete(self) -> None:
        """Complete the request."""
        if not self.is_ended:
            self._complete()

    def _complete(self, missing_from: int = 0) -> None:
        """Add the request to ``requests``.

        Args:
            missing_from: if the body is not whole, the length that it should have.
        """
        environ, is_whole = self._current, not missing_from
        content = bytes(self._body) if is_whole else b""
        environ["wsgi.input"] = io.BytesIO(content)
        if content or missing_from:
            environ["CONTENT_LENGTH"] = str(missing_from or len(content))
        environ["todo_project.received_at"] = time.monotonic()
        parser = self._parser
        keeps_alive = is_whole and parser.should_keep_alive() and not parser.should_upgrade()
        self.requests.append(Request(environ, keeps_alive))
        self.state, self._method = "idle", ""
        self.expects_continue = False
        self.is_ended = not keeps_alive

    def _read_target(self) -> None:
        if len(self._target) > MAX_TARGET_BYTES:
            raise RefusedError(414)
        environ, target = self._current, self._target.decode("latin-1")
        path, _, query = target.partition("?")
        if not path.startswith("/"):  # an absolute URI, "*", or the authority of a CONNECT
            try:
                path = urlsplit(path).path
            except ValueError:
                raise RefusedError(400) from None
        environ["RAW_URI"] = target
        environ["QUERY_STRING"] = query
        environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1") if "%" in path else path


@lru_cache(maxsize=1024)
def environ_key(name: bytes) -> str | None:
    """Return the key of a header in the environ.

    Returns:
        The key, or ``None`` for a name with an underscore, which would pass for another header.
    """
    if b"_" in name:
        return None
    key = name.decode("ascii").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"

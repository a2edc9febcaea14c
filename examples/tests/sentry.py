"""A local server in place of Sentry."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Sentry:
    """Collects the envelopes that the SDK sends.

    Args:
        dsn: the DSN of its project.
        envelopes: the text of each envelope.
    """

    dsn: str = ""
    envelopes: list[str] = field(default_factory=list)


@contextmanager
def running_sentry() -> Iterator[Sentry]:
    """Run the server until the block ends."""
    sentry = Sentry()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/api/42/envelope/":
                sentry.envelopes.append(gzip.decompress(body).decode())
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        sentry.dsn = f"http://public-key@127.0.0.1:{server.server_port}/42"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield sentry
        server.shutdown()

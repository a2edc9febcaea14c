"""Runs nginx with the documented configuration, ``examples/nginx.conf``."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import IN_CI
from todo_project.configuration.environment import BASE_DIR
from todo_project.tests.live_server import START_SECONDS, LiveServer, await_listener, free_port

# Debian installs nginx into a folder that only root's PATH includes.
BINARY = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
EXAMPLE = (BASE_DIR / "examples" / "nginx.conf").read_text()

needs_nginx = pytest.mark.skipif(
    BINARY is None and not IN_CI,
    reason="nginx is not installed (in CI, this fails)",
)

# Like Debian's nginx.conf, but with all files in one folder, and with the tests' log format.
FRAME = """\
daemon off;
user {user};
pid {folder}/pid;
worker_processes 2;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    log_format line "$http_x_request_id|$upstream_addr|$msec|$request_time";
    access_log {folder}/access.log line;
    {site}
}}
"""


def _site(replacements: Mapping[str, str]) -> str:
    text = EXAMPLE
    for old, new in replacements.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@contextmanager
def proxying(
    folder: Path, *ports: int, path: str = "/", target: str = "http://todo"
) -> Iterator[LiveServer]:
    """Run nginx in front of servers until the block ends.

    Args:
        folder: the folder for nginx's files.
        ports: the ports of the two servers, or one port for both.
        path: the path under which nginx publishes the servers.
        target: the argument of ``proxy_pass``; if it ends with a slash, nginx strips the path.
    """
    port = free_port()
    site = _site(
        {
            "listen 80;": f"listen 127.0.0.1:{port};",
            "location /metrics {": f"location {path}metrics {{",
            "127.0.0.1:8001 ": f"127.0.0.1:{ports[0]} ",
            "127.0.0.1:8002 ": f"127.0.0.1:{ports[-1]} ",
            "location / {": f"location {path} {{",
            "proxy_pass http://todo;": f"proxy_pass {target};",
        }
    )
    log = folder / "error.log"
    (folder / "nginx.conf").write_text(
        FRAME.format(folder=folder, user=getpass.getuser(), site=site)
    )
    assert BINARY is not None, "nginx is not installed"
    process = subprocess.Popen([BINARY, "-e", log, "-p", folder, "-c", folder / "nginx.conf"])
    nginx = LiveServer(port, process, log)
    try:
        await_listener(nginx)
        yield nginx
    finally:
        process.terminate()
        process.wait(START_SECONDS)

"""How `gunicorn todo_project.wsgi` serves: its variables, and limits on what clients may do."""

import logging
import runpy
import sys
import threading
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environs import validate

from todo_project.environment import env

try:
    host = env.str("HOST", "0.0.0.0")
    port = env.int("PORT", 8000, validate=validate.Range(0, 65_535))
    workers = env.int("WEB_CONCURRENCY", 2, validate=validate.Range(1))  # none answers nobody
    # What is refused here, once and before anything listens, each worker would refuse with a
    # traceback. Run and not imported: workers that a reload starts must read them anew.
    runpy.run_module("todo_project.settings")
except (ImproperlyConfigured, ValueError) as refusal:  # environs' errors are of the latter kind
    sys.exit(str(refusal))
bind = f"{f'[{host}]' if ':' in host else host}:{port}"
worker_class = "todo_project.worker.Worker"  # gthread, but for its end
# A slow client, and a request that waits for the database, hold a thread each. The database does
# not see them: a process has 16 connections (todo_project/postgresql/pool.py).
threads = 300
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None

keepalive = 75  # seconds; longer than a balancer keeps its side open, usually 60
timeout = 30  # seconds without a sign of life, then a worker is replaced
# seconds for the requests under way when it stops: longer than one takes, and shorter than the ten
# after which Docker kills what has not stopped
graceful_timeout = 8

limit_request_line = 8190  # bytes
limit_request_fields = 64
limit_request_field_size = 8190  # bytes

# Only Django decides what a proxy is believed (TRUST_PROXY). By default gunicorn would take https
# from, and SCRIPT_NAME of, whoever connects from this machine.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

control_socket_disable = True
accesslog = None  # the application writes it, with the request's id and without the query
loglevel = logging.getLevelName(env.log_level("LOG_LEVEL", logging.INFO)).lower()

# How much gunicorn reads, after the answer, of a body that the application did not ask for.
UNREAD_BODY_BYTES = 64 * 1024


def pre_request(worker: Any, req: Any) -> None:
    """Announce the end of a connection that a body may bring which nobody reads to its end.

    gunicorn has by then told the client that it stays open, and closes it all the same: the next
    request on it would fail, of a client that did nothing wrong.
    """
    headers = dict(req.headers)
    length = int(headers.get("CONTENT-LENGTH", "0"))
    if length >= UNREAD_BODY_BYTES or "TRANSFER-ENCODING" in headers:
        req.force_close()


def post_worker_init(worker: Any) -> None:
    """Say once what looks wrong and which database is used, without holding up the start."""
    if worker.age == 1:
        from todo_project.startup import report_database, report_settings  # settings are loaded

        report_settings()
        threading.Thread(target=report_database, daemon=True).start()

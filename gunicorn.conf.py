"""How `gunicorn todo_project.wsgi` serves: its variables, and limits on what clients may do."""

import gc
import itertools
import logging
import os
import runpy
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environs import validate

from todo_project.configuration.environment import env
from todo_project.server.log import log_failed_thread

try:
    host = env.str("HOST", "0.0.0.0")
    port = env.int("PORT", 8000, validate=validate.Range(0, 65_535))
    workers = env.int("WEB_CONCURRENCY", 2, validate=validate.Range(1))  # none answers nobody
    # What is refused here, once and before anything listens, each worker would refuse with a
    # traceback. Run and not imported: workers that a reload starts must read them anew.
    settings = runpy.run_module("todo_project.settings")
except (ImproperlyConfigured, ValueError) as refusal:  # environs' errors are of the latter kind
    sys.exit(str(refusal))
bind = f"{f'[{host}]' if ':' in host else host}:{port}"
worker_class = "todo_project.server.worker.Worker"  # gthread, with less to do
# A slow client, and a request that waits for the database, hold a thread each. The database does
# not see them: a process has 16 connections (todo_project/postgresql/connection_pool.py).
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
# from, and SCRIPT_NAME of, whoever connects from this machine. Here it believes everybody, but in
# nothing: to compare addresses would cost each request 5 µs.
forwarded_allow_ips = "*"
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

control_socket_disable = True
# Its own lines go where the application's go; what the application logs, a request, it does not.
logger_class = "todo_project.server.log.ServerLogger"
logconfig_dict = settings["LOGGING"]
logging.captureWarnings(True)
threading.excepthook = log_failed_thread
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


# Where the workers keep what they count, and /metrics adds it up; with METRICS only
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
METRICS_PREFIX = "todo-metrics-"


def on_starting(server: Any) -> None:
    """Make a fresh folder, unless somebody has named one."""
    # one with our prefix belongs to the server that this one is about to replace (SIGUSR2)
    given = Path(os.environ.get(METRICS_FOLDER) or METRICS_PREFIX).name
    if settings["METRICS"] and given.startswith(METRICS_PREFIX):
        server.metrics_folder = tempfile.mkdtemp(prefix=METRICS_PREFIX, dir=worker_tmp_dir)
        os.environ[METRICS_FOLDER] = server.metrics_folder
    elif settings["METRICS"]:
        Path(os.environ[METRICS_FOLDER]).mkdir(parents=True, exist_ok=True)


def pre_fork(server: Any, worker: Any) -> None:
    """Give each worker the lowest number that is free.

    By it, and not by its process id, a worker names its files: a new one goes on counting where the
    one before has stopped or was killed, and there are never more files than workers at once.
    """
    taken = {each.number for each in server.WORKERS.values()}
    worker.number = next(number for number in itertools.count(1) if number not in taken)


def post_fork(server: Any, worker: Any) -> None:
    """Let the worker count in the files of its number."""
    if METRICS_FOLDER in os.environ:
        from prometheus_client import values

        values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call]
            lambda: worker.number
        )


def on_exit(server: Any) -> None:
    """Remove the folder."""
    if hasattr(server, "metrics_folder"):
        shutil.rmtree(server.metrics_folder)


def post_worker_init(worker: Any) -> None:
    """Prepare for requests; say once what looks wrong and which database is used."""
    # What is there now stays: the collector need not look at it again and again. And it looks less
    # often at what requests leave, most of which goes by itself. 8 to 12 % of a request.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    if worker.age == 1:
        from todo_project.status.startup import (  # settings are loaded
            report_database,
            report_settings,
        )

        report_settings()
        threading.Thread(target=report_database, daemon=True).start()

"""The configuration of `gunicorn todo_project.wsgi`: address, processes, and limits on clients."""

import gc
import itertools
import logging
import os
import runpy
import threading
from pathlib import Path
from typing import Any

from todo_project.configuration.refusals import one_line_refusals
from todo_project.server.listening import check_server
from todo_project.server.log import log_failed_thread
from todo_project.server.metrics_folder import PREFIX, MetricsFolder, remove_gauges
from todo_project.server.reloads import guard_reloads
from todo_project.sqlite.base import remember_file

# Stop before the server listens if a setting is invalid; otherwise each worker would fail with a
# traceback.
with one_line_refusals():
    # Run, not imported: after a reload, workers must load the settings again.
    settings = runpy.run_module("todo_project.settings")
host, port, workers = settings["HOST"], settings["PORT"], settings["WORKERS"]
bind = f"{f'[{host}]' if ':' in host else host}:{port}"
worker_class = "todo_project.server.worker.Worker"
# Per process, unless the limit of open files is lower. An idle connection takes a few kilobytes.
worker_connections = 10_000
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None

keepalive = 75  # seconds; longer than a load balancer's, which is usually 60
timeout = 30  # seconds without a heartbeat before a worker is replaced
# Seconds to finish running requests when a worker stops: more than an API request needs, less than
# the ten after which Docker kills the container
graceful_timeout = 8

control_socket_disable = True
# gunicorn's messages use the application's handlers; the application logs the requests.
logger_class = "todo_project.server.log.ServerLogger"
logconfig_dict = settings["LOGGING"]
logging.captureWarnings(True)
threading.excepthook = log_failed_thread
loglevel = logging.getLevelName(settings["LOGGING"]["root"]["level"]).lower()

# The environment variable for the folder of the workers' counters, which /metrics sums
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def on_starting(server: Any) -> None:
    """Check the address, and create the metrics folder if ``METRICS`` is on.

    By default the folder is a temporary one.
    """
    with one_line_refusals():
        check_server(server, host, port)
    guard_reloads(server, without=METRICS_FOLDER)
    remember_file(settings["DATABASES"]["default"]["NAME"])
    # A folder with our prefix belongs to the server that this one replaces (SIGUSR2).
    given = Path(os.environ.get(METRICS_FOLDER) or PREFIX).name
    if settings["METRICS"] and given.startswith(PREFIX):
        server.metrics_folder = MetricsFolder(worker_tmp_dir)
        os.environ[METRICS_FOLDER] = str(server.metrics_folder.path)
    elif settings["METRICS"]:
        folder = Path(os.environ[METRICS_FOLDER])
        folder.mkdir(parents=True, exist_ok=True)
        if not server.master_pid:  # else the workers of the server that this one replaces use them
            remove_gauges(folder)


def pre_fork(server: Any, worker: Any) -> None:
    """Give the worker the lowest free number.

    Its metrics files are named after this number, not the process id: a new worker continues the
    counters of the one that it replaces, and restarts add no files.
    """
    taken = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in itertools.count(1) if number not in taken)


def post_fork(server: Any, worker: Any) -> None:
    """Name the worker's metrics files after its number, if there is a metrics folder."""
    if hasattr(server, "metrics_folder"):
        server.metrics_folder.let_go()
    if METRICS_FOLDER in os.environ:
        from prometheus_client import values

        values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call]
            lambda: worker.number
        )


def child_exit(server: Any, worker: Any) -> None:
    """Remove the gauges of a worker that has ended; its counters stay."""
    if METRICS_FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.number)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Remove the temporary metrics folder, if any."""
    if hasattr(server, "metrics_folder"):
        server.metrics_folder.remove()


def post_worker_init(worker: Any) -> None:
    """Tune the garbage collector; in the first worker, also check and log what is started."""
    # The loaded modules stay, so the collector can skip them. It also runs less often: reference
    # counting frees most objects of a request. Saves 8 to 12 % of a request.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    if worker.age == 1:
        # imported here because it needs the settings
        from todo_project.status.startup import (
            report_database,
            report_settings,
            require_sessions,
        )

        report_settings()
        require_sessions()
        threading.Thread(target=report_database, daemon=True).start()

"""Runs the gateway of ``make demo``."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from conftest import FRONT_END
from examples.demo import EXAMPLE, NODE
from examples.tests.better_auth import STOP_SECONDS


@contextmanager
def running_gateway(auth_port: int, api_port: int) -> Iterator[httpx.Client]:
    """Run the gateway in front of two servers and yield a client for it."""
    variables = {
        "PATH": os.environ["PATH"],
        "PORT": "0",
        "AUTH_URL": f"http://127.0.0.1:{auth_port}",
        "API_URL": f"http://127.0.0.1:{api_port}",
        "ALLOWED_ORIGINS": f"{FRONT_END}, https://app.example.com",
    }
    with subprocess.Popen(
        [*NODE, "gateway.ts"], cwd=EXAMPLE, env=variables, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            address = process.stdout.readline().split()[-1]
            with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
                yield client
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)

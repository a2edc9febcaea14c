"""Schemathesis sends valid and invalid requests to gunicorn, and checks the responses.

It allows no 5xx, no undocumented status, header or content type, no body that violates its schema,
and no success without a token if one is needed. A failing run prints its seed;
``pytest --hypothesis-seed=N`` repeats its requests.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from conftest import mint
from todo_project.openapi.views import openapi_document
from todo_project.tests.live_server import LiveServer

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
USER_ID = "schemathesis"
EXAMPLES = 40  # for each operation, and as many sequences of operations: about half a minute
SECONDS = 600.0


def test_the_running_service_matches_the_document(
    server: LiveServer, tmp_path: Path, random_seed: int
) -> None:
    """Every response must be as documented, for valid and for invalid requests."""
    document = tmp_path / "openapi.json"
    document.write_bytes(openapi_document())

    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--no-color"),
            *("--config-file", CONFIGURATION, "run", document, "--url", server.address),
            *("--header", f"Authorization: Bearer {mint(USER_ID)}"),
            *("--max-examples", str(EXAMPLES), "--seed", str(random_seed)),
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    phases = re.findall(r"✅  (\w+) \(in", done.stdout)
    assert phases == ["Examples", "Coverage", "Fuzzing", "Stateful"], done.stdout

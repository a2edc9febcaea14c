"""Everything that the document allows, and much that it does not, against gunicorn.

Schemathesis makes the requests and compares the answers with the document: no 5xx, no status,
header or content type that is not in it, no body that breaks its schema, no call that needs a token
and goes without. A run that fails shows its seed, and ``pytest --hypothesis-seed=N`` sends its
requests once more.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from conftest import mint
from todo_project.openapi.document import openapi_document
from todo_project.tests.live_server import LiveServer

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
USER_ID = "schemathesis"
EXAMPLES = 40  # of each operation, and as many walks from one to the next: about half a minute
SECONDS = 600.0


def test_the_running_service_is_what_the_document_says(
    server: LiveServer, tmp_path: Path, random_seed: int
) -> None:
    """Nothing may be off the document, whatever is sent."""
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

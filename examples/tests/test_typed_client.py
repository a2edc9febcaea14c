"""The OpenAPI document, tested with Redocly's linter, openapi-typescript and the example client."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import mint
from examples.demo import PROJECT, install_packages, node_problem
from examples.tests.conftest import require
from todo_project.tests.live_server import LiveServer

EXAMPLE = PROJECT / "examples" / "typed-client"
SECONDS = 180.0
# The types must reject what the API rejects: tsc reports an expected error that does not occur.
MISTAKES = """
import { tasksOf } from "./client.js";
const tasks = tasksOf("ada", "", "");
// @ts-expect-error: no title
tasks.create({ description: "Milk" }, "a key");
// @ts-expect-error: a new task's title may not be null
tasks.create({ title: null }, "a key");
// @ts-expect-error: an id is a number
tasks.read("1001");
// @ts-expect-error: not a boolean
tasks.list({ completed: "maybe" });
// @ts-expect-error: a deletion has no body
(await tasks.remove(1001)).data!.title;
tasks.change(1001, { title: null, completed: null, description: null }, "*");
"""


@pytest.fixture(scope="module")
def typed_client() -> None:
    """Require Node, and install the example's packages."""
    require(node_problem())
    install_packages(EXAMPLE)


@pytest.fixture(scope="module")
def example(
    typed_client: None, documented: LiveServer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Copy the example, and add the running service's OpenAPI document."""
    copy = tmp_path_factory.mktemp("example")
    for file in ("client.ts", "walk.ts", "tsconfig.json", "package.json"):
        shutil.copy(EXAMPLE / file, copy)
    (copy / "node_modules").symlink_to(EXAMPLE / "node_modules")
    (copy / "mistakes.ts").write_text(MISTAKES)
    with documented.client() as client:
        (copy / "openapi.json").write_bytes(client.get("/openapi.json").content)
    return copy


def npm(example: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Node program in the example, without telemetry."""
    return subprocess.run(
        arguments,
        cwd=example,
        env={
            "PATH": os.environ["PATH"],
            "REDOCLY_TELEMETRY": "off",
            "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_the_linter_reports_nothing(example: Path) -> None:
    """Redocly's recommended rules must report neither errors nor warnings."""
    linted = npm(example, "npm", "run", "lint", "--", "--format=json")

    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert '"errors": 0' in linted.stdout, linted.stdout
    assert '"warnings": 0' in linted.stdout, linted.stdout


def test_a_client_with_generated_types_compiles_and_runs(
    example: Path, documented: LiveServer
) -> None:
    """The types must accept valid calls, reject invalid ones, and match the real responses."""
    for script in ("types", "check"):
        done = npm(example, "npm", "run", script)
        assert done.returncode == 0, done.stdout + done.stderr

    walked = npm(example, "node", "built/walk.js", documented.address, "ada", mint("ada"))

    assert walked.stdout == "walked\n", walked.stderr

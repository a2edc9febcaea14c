"""The clients of other front ends with the same paths (docs/contract.md, "Extensions")."""

import os
import subprocess
import time

import pytest

from conftest import mint
from examples.demo import EXAMPLE, NODE, PROJECT
from todo_project.tests.live_server import LiveServer

FAMILY = PROJECT / "examples" / "family"
CLIENTS = sorted(file.stem for file in FAMILY.glob("*.mts") if file.stem != "expect")
SECONDS = 120.0


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_of_the_family_works_unchanged(node: None, api: LiveServer, client: str) -> None:
    """Each client must get what it expects, with a token that expires at a fraction of a second."""
    token = mint(client, exp=time.time() + 600)

    walked = subprocess.run(
        [*NODE, f"../family/{client}.mts", api.address, client, token],
        cwd=EXAMPLE,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert walked.stdout == "walked\n", walked.stderr


def test_the_clients_compile(node: None) -> None:
    """A reader who copies a client must get code without type errors."""
    checked = subprocess.run(
        ["node", "node_modules/typescript/bin/tsc", "--project", "../family"],  # noqa: S607
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_page_lists_every_client() -> None:
    """The README must have a row for each client."""
    assert len(CLIENTS) == 6
    for client in CLIENTS:
        assert f"| `{client}.mts` |" in (FAMILY / "README.md").read_text()

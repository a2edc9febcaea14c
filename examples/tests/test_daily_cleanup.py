"""The commands that the recipes run once a day (docs/recipes.md, "Once a day")."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from examples.tests.code_blocks import RECIPES, code_blocks
from todo_project.tests.live_server import Deployment, deploying

# A job of cron: five fields of time, the folder, and the command
JOB = re.compile(r"^(?:[\d*]+ +){5}cd /srv/todo && \.venv/bin/python (manage\.py .+)$")
ROWS = """
    INSERT INTO django_session (session_key, session_data, expire_date)
    VALUES ('expired', '', '2020-01-01 00:00:00'), ('valid', '', '2100-01-01 00:00:00');
"""

pytestmark = pytest.mark.live


def cron_commands() -> list[str]:
    """Return the commands of the jobs of cron."""
    [table] = code_blocks(RECIPES, "crontab")
    return [JOB.sub(r"\1", line) for line in table.splitlines()]


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployment]:
    """Deploy the project with an expired and a valid session."""
    with deploying(tmp_path) as deployed:
        assert deployed.manage("migrate", "--verbosity=0").returncode == 0
        deployed.query(ROWS)
        yield deployed


def test_the_jobs_of_cron_delete_only_what_has_expired(deployed: Deployment) -> None:
    """A valid session must remain; no job may ask a question."""
    jobs = [deployed.manage(*shlex.split(each)[1:]) for each in cron_commands()]

    assert [(job.returncode, job.stderr) for job in jobs] == [(0, "")] * 2
    assert jobs[1].stdout == "Deleted 0 expired idempotency keys.\n"
    assert deployed.query("SELECT session_key FROM django_session") == [("valid",)]


def test_kubernetes_runs_the_same_commands() -> None:
    """The job of Kubernetes must run what the test of cron runs."""
    [block] = code_blocks(RECIPES, "yaml")
    job: Any = YAML(typ="safe").load(block)
    [container] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    shell, option, script = container["command"]

    assert (shell, option) == ("sh", "-c")
    assert script.split(" && ") == [f"python {each}" for each in cron_commands()]

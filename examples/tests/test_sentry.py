"""The recipe for Sentry, with a local server in its place (docs/recipes.md, "Faults in Sentry")."""

import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gunicorn.arbiter import Arbiter

from conftest import SECRET, mint
from examples.demo import PROJECT
from examples.tests.code_blocks import RECIPES, commands
from examples.tests.sentry import running_sentry
from todo_project.tests.live_server import (
    Deployment,
    copy_project,
    deploying,
    free_port,
    run,
    write_env,
)

# The command without the variable in front of it
[RUN] = [
    [sys.executable, "-m", *shlex.split(each)[1:]]
    for each in commands(RECIPES)
    if "gunicorn" in each and "sentry" in each
]
TASKS = "/api/alice/tasks"
TITLE = "A private title"
# PostgreSQL quotes the whole row in the error of a constraint.
FAULTS = f"""
    ALTER TABLE task ADD CONSTRAINT fault CHECK (title <> '{TITLE}');
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE 'out of memory' USING ERRCODE = 'out_of_memory'; END$$;
    CREATE TRIGGER outage BEFORE INSERT ON task FOR EACH ROW
        WHEN (NEW.title = 'outage') EXECUTE FUNCTION refuse();
"""

pytestmark = pytest.mark.live


def add_recipe(project: Path) -> None:
    """Copy the example beside ``manage.py``."""
    shutil.copy(PROJECT / "examples" / "sentry_wsgi.py", project)


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Deployment]:
    """Deploy the project with the recipe, and a database that fails for two titles."""
    with deploying(tmp_path) as deployed:
        add_recipe(deployed.project)
        assert deployed.manage("migrate", "--verbosity=0").returncode == 0
        deployed.query(FAULTS)
        yield deployed


@pytest.mark.postgresql
def test_a_fault_reaches_sentry_without_what_a_user_sent(faulty: Deployment) -> None:
    """The event must lead to the log, and contain neither a secret nor a text of a user.

    A refused request and an outage are no faults: in an outage, each request would be reported.
    """
    token = mint("alice")
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": "fault-1"}
    with (
        running_sentry() as sentry,
        faulty.serving(RUN, SENTRY_DSN=sentry.dsn) as live,
        live.client(**headers) as client,
    ):
        statuses = [
            client.post(f"{TASKS}?search=wanted", json={"title": title}).status_code
            for title in ("", "outage", TITLE)
        ]
        assert live.stop() == 0, live.log

    assert statuses == [422, 503, 500]
    [envelope] = sentry.envelopes
    event = json.loads(envelope.splitlines()[2])
    fault = event["exception"]["values"][-1]
    assert fault["type"] == "IntegrityError"
    assert fault["value"] == 'new row for relation "task" violates check constraint "fault"'
    assert "perform_create" in [frame["function"] for frame in fault["stacktrace"]["frames"]]
    assert event["tags"] == {"request_id": "fault-1"}
    private = [TITLE, "alice", "wanted", SECRET, *token.split("."), faulty.database_url]
    assert [text for text in private if text in envelope] == []


@pytest.mark.parametrize("dsn", ["", "https://o1.ingest.sentry.io/42"], ids=["none", "no key"])
def test_a_malformed_dsn_stops_the_start(tmp_path: Path, dsn: str) -> None:
    """One line must name the variable, not its value."""
    project = copy_project(tmp_path)
    write_env(project, "sqlite:///db.sqlite3")
    add_recipe(project)

    settings = {"SENTRY_DSN": dsn, "PORT": str(free_port()), "WEB_CONCURRENCY": "1"}
    started = run(project, *RUN[1:], **settings)

    assert started.returncode == Arbiter.WORKER_BOOT_ERROR
    assert started.stderr == (
        "SENTRY_DSN must be the DSN of a project in Sentry, such as"
        " https://key@o1.ingest.sentry.io/42.\n"
    )
    assert "Traceback" not in started.stdout

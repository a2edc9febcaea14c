"""The facts in ``docs/`` that could differ from the code."""

import re
from argparse import ArgumentParser

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from pytest_django.fixtures import Settings

from tasks.idempotency import KEY_LIFETIME
from tasks.maintenance.batches import BATCH_SIZE
from tasks.models import (
    DESCRIPTION_MAX_LENGTH,
    IDEMPOTENCY_KEY_MAX_LENGTH,
    TITLE_MAX_LENGTH,
)
from tasks.pagination import MAX_PAGE_SIZE
from tasks.staff.lists import MAX_COUNTED
from tasks.staff.searches import MAX_OWNERS
from todo_project import metrics
from todo_project.configuration.database_url import CONNECTION_MAX_AGE_SECONDS
from todo_project.configuration.environment import BASE_DIR
from todo_project.deadlines import DATABASE_SECONDS
from todo_project.postgresql.connection import CANCEL_SECONDS
from todo_project.postgresql.connection_pool import (
    API_CONNECTIONS,
    CONNECTIONS,
    STAFF_CONNECTIONS,
)
from todo_project.server.requests import MAX_HEAD_BYTES, MAX_HEADERS
from todo_project.server.worker import RESERVED_FILES
from todo_project.staff.pages import MAX_SEARCH_LENGTH
from todo_project.tests.settings_loader import PRODUCTION, load_served

APPS = ("authn", "tasks", "todo_project")
COMMANDS = {name: app for name, app in get_commands().items() if app in APPS}
HOURS = KEY_LIFETIME.total_seconds() / 3600


def page(name: str) -> str:
    """Return the text of a page in ``docs/``."""
    return (BASE_DIR / "docs" / name).read_text()


def missing(name: str, *facts: str) -> list[str]:
    """Return the facts that a page does not contain."""
    text = " ".join(page(name).split())
    return [fact for fact in facts if fact not in text]


def test_every_command_has_a_row() -> None:
    """The table of commands must list exactly the project's commands, `migrate` and `check`."""
    rows = re.findall(r"^\| `manage.py (\w+)", page("commands.md"), re.MULTILINE)

    assert sorted(rows) == sorted([*COMMANDS, "migrate", "check"])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_synopsis_lists_the_options_of_its_command(name: str) -> None:
    """A synopsis must list exactly the options of its command."""
    synopses = re.findall(rf"^manage.py {name}\b.*(?:\n .*)*", page("commands.md"), re.MULTILINE)
    parser = load_command_class(COMMANDS[name], name).create_parser("manage.py", name)
    common: ArgumentParser = BaseCommand().create_parser("manage.py", name)
    known = {action.option_strings[0] for action in parser._actions if action.option_strings}  # noqa: SLF001 - argparse lists them nowhere else
    known -= common._option_string_actions.keys()  # noqa: SLF001

    assert set(re.findall(r"--[\w-]+", "".join(synopses))) == known


def test_every_metric_has_a_row() -> None:
    """The table of metrics must list the name, the type and the labels of every metric."""
    rows = re.findall(
        r"^\| `(\w+)` \| (counter|gauge|histogram).*? \| (.*) \|$",
        page("operations.md"),
        re.MULTILINE,
    )
    shown = {name: (kind, re.findall(r"`(\w+)`", labels)) for name, kind, labels in rows}

    assert shown == {
        "http_requests_total": ("counter", list(metrics.requests._labelnames)),  # noqa: SLF001
        "http_request_duration_seconds": ("histogram", list(metrics.durations._labelnames)),  # noqa: SLF001
        "authentication_failures_total": ("counter", list(metrics.failures._labelnames)),  # noqa: SLF001
        "database_statement_duration_seconds": ("histogram", []),
        "database_connections_in_use": ("gauge", []),
        "database_connections_awaited": ("gauge", []),
    }
    assert {(each.name, each.type) for each in metrics.registry.collect()} == {
        (name.removesuffix("_total"), kind) for name, (kind, _) in shown.items()
    }
    assert not missing(
        "operations.md", f"histogram, {metrics.BUCKETS[0] * 1000:g} ms to {metrics.BUCKETS[-1]:g} s"
    )


def test_the_figures_of_the_server_match_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page on operations must state the limits of the code (SC-006, SC-007)."""
    served = load_served(monkeypatch, **PRODUCTION)
    seconds = served["CLIENT_SECONDS"]

    assert not missing(
        "operations.md",
        f"at most {CONNECTIONS} database connections",
        f"{API_CONNECTIONS} for the API, and two for",
        f"{API_CONNECTIONS} of the API and two of the admin",
        f"keeps each for {CONNECTION_MAX_AGE_SECONDS // 60} minutes",
        f"instances × `WEB_CONCURRENCY` × {CONNECTIONS}.",
        f"two instances of two processes need {2 * 2 * CONNECTIONS},",
        f"at most {DATABASE_SECONDS:g} seconds for the database",
        f"may take {CANCEL_SECONDS:g} second more",
        f"(at most {MAX_HEAD_BYTES // 1024} KiB and {MAX_HEADERS} headers)",
        f"within {seconds['head']} seconds (`HEADER_TIMEOUT`)",
        f"within {seconds['body']} seconds (`BODY_TIMEOUT`)",
        f"for {seconds['send']} seconds (`SEND_TIMEOUT`)",
        f"no further request for {served['keepalive']} seconds",
        f"up to {served['worker_connections']:,} connections, or {RESERVED_FILES} fewer",
        f"after at most {served['graceful_timeout']} seconds",
    )
    assert STAFF_CONNECTIONS == 2
    assert DATABASE_SECONDS + CANCEL_SECONDS < 6
    assert not missing("operations.md", "gets a 503 within 6 seconds")


def test_the_figures_for_staff_match_the_code(settings: Settings) -> None:
    """The pages for staff must state the limits of lists, logins and cleanups."""
    assert settings.AXES_FAILURE_LIMIT == 5
    assert not missing(
        "admin.md",
        f"the first {MAX_OWNERS:,} such owners",
        f"A search may have {MAX_SEARCH_LENGTH} characters.",
        f"Up to {MAX_COUNTED:,} results",
        f'"more than {MAX_COUNTED:,}"',
        "Five wrong passwords",
        f"for {settings.AXES_COOLOFF_TIME.total_seconds() / 60:g} minutes",
    )
    assert not missing("commands.md", f"--batch-size {BATCH_SIZE}", f"older than {HOURS:g} hours")


def test_the_figures_of_the_contract_match_the_code(settings: Settings) -> None:
    """The contract must state the limits of the code (FR-007, FR-008)."""
    assert not missing(
        "contract.md",
        f"1 to {TITLE_MAX_LENGTH} characters",
        f"0 to {DESCRIPTION_MAX_LENGTH} characters",
        f"`limit=` 1 to {MAX_PAGE_SIZE} ",
        f" {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} KiB",
        f"1 to {IDEMPOTENCY_KEY_MAX_LENGTH} printable ASCII characters",
        f"at least {HOURS:g} hours",
    )

"""Database settings that work but look wrong (todo_project.W007)."""

from pathlib import Path

import pytest
from django.core.checks import CheckMessage, Tags, run_checks
from pytest_django.fixtures import Settings

from todo_project.configuration.database_url import database_settings
from todo_project.logs.redaction import redacted
from todo_project.status.database_checks import DATABASE_URL

QUESTIONABLE = {
    "postgresql://db/todo": "names no user",
    "postgresql://h1,h2/todo": "names no user",
    "postgresql://todo@h1,h2/todo?target_session_attrs=standby": "refuse every write",
    "postgresql://todo@db/todo?target_session_attrs=read-only": "refuse every write",
}
RIGHT = [
    "postgresql://todo@db/todo",
    "postgresql://todo@h1,h2/todo",
    "postgresql://todo@db/todo?target_session_attrs=any",
    "postgresql://localhost/todo",
    "postgresql:///todo?host=/var/run/postgresql",
    "sqlite:///db.sqlite3",
]


def found(settings: Settings, url: str) -> list[CheckMessage]:
    """Return the messages of the check about a database URL."""
    database = database_settings("DATABASE_URL", url, Path("/srv/todo"))
    settings.DATABASES = {"default": database}
    return [each for each in run_checks(tags=[Tags.security]) if each.id == DATABASE_URL]


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_a_questionable_url_is_reported(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log at the start must warn of it too, and of no right one."""
    monkeypatch.delenv("PGUSER", raising=False)
    messages = {
        url: [f"{each.msg} {each.hint}" for each in found(settings, url)]
        for url in [*QUESTIONABLE, *RIGHT]
    }

    assert [url for url in RIGHT if messages[url]] == []
    assert [url for url, part in QUESTIONABLE.items() if part not in "".join(messages[url])] == []
    # The log must show the hint as it is.
    assert [text for [text] in filter(None, messages.values()) if redacted(text) != text] == []
    monkeypatch.setenv("PGUSER", "todo")
    assert found(settings, "postgresql://db/todo") == []

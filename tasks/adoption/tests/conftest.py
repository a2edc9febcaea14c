from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest


@pytest.fixture
def old_database(
    django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """Connect this process to a new, empty database and return the database URL."""
    from django.contrib.contenttypes.models import ContentType
    from django.db import connections

    from todo_project.tests.live_server import fresh_database

    with fresh_database(tmp_path) as url, django_db_blocker.unblock():
        connection = connections["default"]
        # The connection is replaced, not closed: closing drops an in-memory SQLite database.
        monkeypatch.setattr(connection, "connection", None)
        monkeypatch.setattr(connection, "_slot", None, raising=False)  # its slot of the pool
        monkeypatch.setitem(connection.settings_dict, "NAME", urlsplit(url).path[1:])
        ContentType.objects.clear_cache()  # the ids of the other database
        yield url
        ContentType.objects.clear_cache()
        connection.close()

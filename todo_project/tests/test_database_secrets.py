"""The secrets in a database URL, which the log must mask (FR-017)."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from todo_project.configuration.database_secrets import secret_parts
from todo_project.logs import redaction
from todo_project.tests.settings_loader import PRODUCTION, load

PASSWORD = "Zx81pQ7wLk4m"


def test_a_password_is_found_wherever_it_is() -> None:
    """A malformed URL must give it away as little as a right one."""
    urls = [
        f"postgresql://todo:{PASSWORD}@db/todo",
        f"postgresql://todo:/{PASSWORD}@db/todo",
        f"postgresql://todo:123/{PASSWORD}@db/todo",
        f"postgresql://todo:a@{PASSWORD}@db/todo",
        f"postgresql://todo:a?{PASSWORD}=1@db/todo#x",
        f"postgresql://todo:endpoint=ep-cool;{PASSWORD}@db/todo",
        f"postgresql://db/todo?user=todo&password={PASSWORD}",
        f"postgresql://todo@db/todo?sslkey=/key&sslpassword={PASSWORD}",
        f"postgresql://todo@db/todo?options=endpoint=ep-cool;{PASSWORD}",
        f"postgresql://todo@db/todo?oauth_client_secret={PASSWORD}",
        f"psql 'postgresql://todo:{PASSWORD}@db/todo'",
        f"mysql://todo:{PASSWORD}@db/todo",
        f"jdbc:postgresql://db/todo?user=todo&password={PASSWORD}",
        f"host=db password='{PASSWORD}' dbname=todo",
        f"host=db password = {PASSWORD} dbname=todo",
        f"postgresql://todo:123/{PASSWORD}%40db/todo",
        f"postgresql://todo:12/{PASSWORD}",
        f"postgresql://todo/{PASSWORD}?sslmode=require",
        f"todo:{PASSWORD}@db/todo",
        PASSWORD,
    ]

    assert [url for url in urls if PASSWORD not in secret_parts(url)] == []


def test_a_password_is_found_encoded_and_decoded() -> None:
    """A library may quote either form."""
    found = secret_parts("postgresql://todo:a%2Fsecret%20word@db/todo")

    assert {"a%2Fsecret%20word", "a/secret word"} <= found


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres:postgres@db.example.com/postgres",
        "postgresql://todo_app:todo_app@db.example.com/todo",
        "postgresql://todo:db.example.com@db.example.com:5432/todo",
        "postgresql://todo@db.example.com/todo?application_name=todo-back-end",
        "postgresql://todo:@h1.example.com:5432,h2.example.com/todo?sslmode=require",
        "postgresql://localhost:5432/todo_production",
        "postgresql:///todo_production?host=/var/run/postgresql",
        "postgresql://db.example.com/todo_production?user=todo_app",
        "sqlite:////var/lib/todo/password=db.sqlite3",
        "",
    ],
)
def test_what_the_log_shows_anyway_is_no_secret(url: str) -> None:
    """A password that equals a name must not mask the name everywhere."""
    shown = {part for part in secret_parts(url) if len(part) >= redaction.MIN_LENGTH}

    assert shown <= {url.partition("://")[2].rpartition("@")[0]}


def test_the_settings_hide_the_secrets_of_every_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a URL that is refused or not used must be masked as well."""
    urls = {
        "NEON_DATABASE_URL": "postgresql://todo:/the-first-password@db/todo",
        "DATABASE_URL": "postgresql://todo:the-second-password@db/todo",
        "DATABASE_URL_UNPOOLED": "postgresql://todo:the-third-password@db/todo",
    }
    with pytest.raises(ImproperlyConfigured, match="NEON_DATABASE_URL is not a") as refusal:
        pytest.fail(str(load(monkeypatch, **PRODUCTION | urls)))

    text = "the-first-password@db the-second-password the-third-password"
    assert redaction.redacted(text) == "***@db *** ***"
    assert "password@db" not in str(refusal.value)


def test_loading_other_settings_masks_nothing_in_later_tests() -> None:
    """A host that one test uses as a password must stay visible in another test's log."""
    url = "postgresql://todo:db.example.com@db/todo"
    with pytest.MonkeyPatch.context() as patch:
        load(patch, NEON_DATABASE_URL=url)
        within = redaction.redacted("db.example.com")

    assert (within, redaction.redacted("db.example.com")) == ("***", "db.example.com")

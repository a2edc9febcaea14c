"""What is given instead of a database URL (FR-020); no message shows it (FR-017)."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from todo_project.configuration.database_url import database_settings

PASSWORD = "Zx81pQ7wLk4m"
URL = f"postgresql://todo:{PASSWORD}@db.example.com/todo"
SERVER = "db.example.com"
NEON = "ep-cool-name-123456-pooler.eu-central-1.aws.neon.tech"


def refusal(url: str) -> str:
    """Return the message with which a URL is refused, or an empty string."""
    try:
        database_settings("NEON_DATABASE_URL", url, Path("/srv/todo"))
    except ImproperlyConfigured as error:
        return str(error)
    return ""


OTHER_TEXTS = {
    f"psql '{URL}'": "starts with psql",
    f'psql "{URL}"': "starts with psql",
    f"psql {URL}": "starts with psql",
    f"$ psql {URL}": "starts with psql",
    f"DATABASE_URL={URL}": "starts with a name",
    f'export NEON_DATABASE_URL="{URL}"': "starts with a name",
    f"'{URL}'": "in quotes",
    f'"{URL}"': "in quotes",
    f"\u201c{URL}\u201d": "in quotes",
    f'{URL}"': "ends with a quote",
    f"jdbc:postgresql://{SERVER}/todo?user=todo&password={PASSWORD}": "JDBC",
    f"mysql://todo:{PASSWORD}@{SERVER}/todo": "another kind of database",
    f"mongodb+srv://todo:{PASSWORD}@{SERVER}/todo": "another kind of database",
    f"prisma://accelerate.example.com/?api_key={PASSWORD}": "Prisma",
    f"prisma+postgres://accelerate.example.com/?api_key={PASSWORD}": "Prisma",
    f"https://console.example.com/{PASSWORD}": "web page",
    "sqlite:db.sqlite3": "sqlite:///path",
    "sqlite://db.sqlite3": "sqlite:///path",
    "sqlite3:///db.sqlite3": "sqlite:///path",
    "file:db.sqlite3": "sqlite:///path",
    f"postgresql:todo:{PASSWORD}@{SERVER}/todo": "two slashes",
    f"postgres:/{SERVER}/todo": "two slashes",
    f"host={SERVER} dbname=todo password={PASSWORD}": "keyword string",
    f"dbname=todo user=todo password={PASSWORD}": "keyword string",
    PASSWORD: "must start with postgresql://",
    f"todo:{PASSWORD}@{SERVER}/todo": "must start with postgresql://",
    "": "must start with postgresql://",
}
CUT = "must be percent-encoded"
CHARACTERS = {
    f"postgresql://todo:/{PASSWORD}@{SERVER}/todo": CUT,
    f"postgresql://todo:123/{PASSWORD}@{SERVER}/todo": CUT,
    f"postgresql://todo:{PASSWORD}?1@{SERVER}/todo": CUT,
    f"postgresql://todo:a?{PASSWORD}=b@{SERVER}/todo": CUT,
    f"postgresql://to@do:a?secretword=b@{SERVER}/todo": CUT,
    f"postgresql://to@do:a/{PASSWORD}@{SERVER}/todo": CUT,
    f"postgresql://todo:{PASSWORD}#1@{SERVER}/todo": CUT,
    f"postgresql://todo:{PASSWORD}@{SERVER}/todo#x": CUT,
    f"postgresql://todo:{PASSWORD} x@{SERVER}/todo": "a blank",
    f"postgresql://todo:{PASSWORD}\n@{SERVER}/todo": "a line break",
    f"postgresql://todo:{PASSWORD}@{SERVER}\u200b/todo": "a blank",
    f"postgresql://todo:{PASSWORD}%zz@{SERVER}/todo": "hexadecimal",
    f"postgresql://todo:{PASSWORD}%00@{SERVER}/todo": "hexadecimal",
    f"postgresql://todo:{PASSWORD}%FF@{SERVER}/todo": "UTF-8",
    f"{URL}&sslmode=require": "begin with ?",
    f"{URL}/": "a further /",
    f"{URL};": "must be removed",
    f"{URL},?sslmode=require": "must be removed",
    f"postgresql://todo:123/{PASSWORD}%40{SERVER}": "the @ before the host",
    f"postgresql://todo/{PASSWORD}%40{SERVER}/todo": "the @ before the host",
}
NAMES = {
    f"postgresql://todo:{PASSWORD}@/todo": "host is missing",
    f"postgresql://todo:{PASSWORD}@{SERVER}": "name of the database is missing",
    f"postgresql://todo:{PASSWORD}@{SERVER}/": "name of the database is missing",
    f"postgresql://:{PASSWORD}@{SERVER}/todo": "user is missing",
    f"postgresql://todo:{PASSWORD}@ser%40ver/todo": "not a host name",
    f"postgresql://todo:{PASSWORD}@/todo?host={SERVER}:5432": "not a host name",
    f"postgresql://todo:{PASSWORD}@999.1.1.1/todo": "not a host name",
    f"postgresql://todo:{PASSWORD}@10.0.0.1.5:5432/todo": "not a host name",
    f"postgresql://todo:{PASSWORD}@db../todo": "not a host name",
    f"postgresql://todo:{PASSWORD}@.db/todo": "not a host name",
    f"postgresql://todo:{PASSWORD}@-/todo": "not a host name",
    f"postgresql://todo:{PASSWORD}@h1,-/todo": "not a host name",
    f"postgresql://todo:{PASSWORD}@{SERVER}:0/todo": "from 1 to 65535",
    f"postgresql://todo:{PASSWORD}@{NEON}/todo?sslmode=disable": "only connections with TLS",
}
PLACEHOLDERS = [
    "postgresql://${PGUSER}:${PGPASSWORD}@${PGHOST}/todo",
    f"postgresql://todo:a${{X}}b@{SERVER}/todo",
    f"postgresql://todo:$(PGPASSWORD)@{SERVER}/todo",
    f"postgresql://todo:$PGPASSWORD@{SERVER}/todo",
    f"postgresql://todo:%PGPASSWORD%@{SERVER}/todo",
    f"postgresql://todo:<password>@{SERVER}/todo",
    f"postgresql://todo:[YOUR-PASSWORD]@{SERVER}/todo",
    f"postgresql://todo:your_password@{SERVER}/todo",
    f"postgresql://todo:************@{SERVER}/todo",
    f"postgresql://todo:\u2026@{SERVER}/todo",
    f"postgresql://{{{{ user }}}}:{PASSWORD}@{SERVER}/todo",
    f"postgresql://todo:{PASSWORD}@<host>:5432/todo",
    f"postgresql://todo:{PASSWORD}@{SERVER}:{{port}}/todo",
    f"postgresql://todo:{PASSWORD}@{SERVER}/<database>?sslmode=require",
    "postgresql://user:password@host:5432/database",
]


def test_another_text_gets_its_own_sentence() -> None:
    """The message must say what was given instead of the URL."""
    found = {text: refusal(text) for text in OTHER_TEXTS}

    assert [text for text, part in OTHER_TEXTS.items() if part not in found[text]] == []
    assert [text for text in found if PASSWORD in found[text]] == []


def test_a_character_that_divides_a_url_wrongly_is_refused() -> None:
    """Otherwise a part of the password would become a name, and be logged (FR-017)."""
    found = {url: refusal(url) for url in CHARACTERS}

    assert [url for url, part in CHARACTERS.items() if part not in found[url]] == []
    assert [url for url in found if PASSWORD in found[url] or "secretword" in found[url]] == []


def test_a_missing_or_impossible_name_is_refused() -> None:
    """The message must say which component is missing or wrong."""
    found = {url: refusal(url) for url in NAMES}

    assert [url for url, part in NAMES.items() if part not in found[url]] == []
    assert [url for url in found if PASSWORD in found[url]] == []


def test_a_placeholder_is_refused() -> None:
    """An example that was not filled in must not be taken for a name or a password."""
    assert [url for url in PLACEHOLDERS if "a placeholder" not in refusal(url)] == []


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://todo:{PASSWORD}@{NEON}/neondb?sslmode=require&channel_binding=require",
        f"postgresql://postgres.abcd:{PASSWORD}@aws-0-eu.pooler.supabase.com:6543/postgres",
        f"postgresql://todo%40server:{PASSWORD}@server.postgres.database.azure.com/todo",
        f"postgresql://todo:%2Fa%23%3F%40%25%20@{SERVER}/my%2Ftodo",
        f"postgresql://todo:p@ss@{SERVER}/todo",
        f"postgresql://todo:$2y$x{{}}<>*@{SERVER}/todo",
        f"postgresql://todo:@{SERVER}/todo",
        f"postgresql://todo@{SERVER}/todo",
        f"postgresql://{SERVER}/todo",
        f"postgresql://{SERVER}/todo?user=todo&password={PASSWORD}",
        f"postgresql://todo:{PASSWORD}@{SERVER}/?dbname=todo",
        f"postgresql://todo:{PASSWORD}@/todo?hostaddr=192.0.2.1",
        "postgresql://postgres:postgres@localhost/postgres",
        "postgresql://user:password@localhost/host",
        "postgresql://todo@todo_db/todo",
        "postgresql://todo@db.example.com./todo%3B",
        "postgresql://todo@127.1/todo",
        "postgresql://todo@1.2.3.4.example.com/todo",
        "postgresql://todo@db/todo%40home",
        "postgresql://localhost:5432/todo%40home",
        "postgresql:///todo%40home?host=/var/run/postgresql",
        "postgresql://db/todo%40home?sslmode=require&user=todo",
        "postgresql://todo@b\u00fccher.example/todo",
        "postgresql://todo@[2001:db8::1]:5432/todo",
        "postgresql://todo@%2Fvar%2Frun%2Fpostgresql/todo",
        "postgresql:///todo?host=/var/run/postgresql",
        "sqlite:///my tasks=1.sqlite3",
    ],
)
def test_a_right_url_is_accepted(url: str) -> None:
    """No URL that works may be refused."""
    assert refusal(url) == ""

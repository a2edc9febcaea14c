"""``compose.yaml``; ``make lint`` holds it against the schema of compose files."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from todo_project.configuration.environment import BASE_DIR
from todo_project.tests.settings_loader import EXAMPLE, load

TEXT = (BASE_DIR / "compose.yaml").read_text()
SERVICES: dict[str, Any] = YAML(typ="safe").load(TEXT)["services"]
OURS = ("migrate", "api")


def variables(service: str) -> dict[str, str]:
    """Return what a service is given, the password filled in."""
    given = SERVICES[service]["environment"]
    return {name: re.sub(r"\$\{.+?\}", "a-password", value) for name, value in given.items()}


def test_the_migration_comes_between_the_database_and_the_api() -> None:
    """No request may meet a table that is not there."""
    assert SERVICES["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert SERVICES["api"]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"}
    }
    assert SERVICES["migrate"]["command"] == ["python", "manage.py", "migrate"]
    assert "command" not in SERVICES["api"]  # the image's own


def test_every_secret_is_required_and_none_is_written_down() -> None:
    """A password must come from outside, and its absence stop everything."""
    filled_in = re.findall(r"\$\{(.+?)\}", TEXT)

    assert [name for name in filled_in if not name.startswith("PORT")] == [
        "POSTGRES_PASSWORD:?is missing in .env"
    ] * 2
    assert SERVICES["database"]["environment"]["POSTGRES_PASSWORD"].startswith("${")


def test_every_variable_is_one_that_the_code_reads() -> None:
    """A misspelt one would be ignored."""
    read = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))

    assert [set(variables(service)) - read for service in OURS] == [set(), set()]
    assert {SERVICES[service]["env_file"] for service in OURS} == {".env"}


def test_the_database_is_the_one_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ``.env`` says of others, migration and API must meet in this one."""
    elsewhere = {"DATABASE_URL_UNPOOLED": "postgresql://todo@elsewhere/todo"}
    given = variables("database")
    user, password = given["POSTGRES_USER"], given["POSTGRES_PASSWORD"]

    for service, command in (("migrate", ["migrate"]), ("api", [])):
        with monkeypatch.context() as patch:
            settings = load(patch, *command, **{**elsewhere, **variables(service)})
        database = settings["DATABASES"]["default"]
        found = [database[name] for name in ("HOST", "NAME", "USER", "PASSWORD")]
        assert found == ["database", user, user, password], service


def test_the_api_listens_where_its_port_is_published() -> None:
    """A ``.env`` of `make run` listens on the loopback interface alone."""
    given = variables("api")

    assert given["HOST"] == "0.0.0.0"  # noqa: S104
    [port] = SERVICES["api"]["ports"]
    assert port.endswith(f":{given['PORT']}")


def test_images_are_pinned_and_data_is_kept() -> None:
    """The same file must start the same server tomorrow, with today's tasks."""
    assert re.fullmatch(r"postgres:\d+\.\d+-\w+", SERVICES["database"]["image"])
    assert SERVICES["database"]["volumes"] == ["database:/var/lib/postgresql"]

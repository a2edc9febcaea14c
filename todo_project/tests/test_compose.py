"""``compose.yaml``, which ``make lint`` validates against the Compose specification."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from todo_project.configuration.environment import BASE_DIR
from todo_project.tests.settings_loader import EXAMPLE, load

TEXT = (BASE_DIR / "compose.yaml").read_text()
SERVICES: dict[str, Any] = YAML(typ="safe").load(TEXT)["services"]
PROJECT_SERVICES = ("migrate", "api")


def variables(service: str) -> dict[str, str]:
    """Return the environment variables of a service, with a password filled in."""
    given = SERVICES[service]["environment"]
    return {name: re.sub(r"\$\{.+?\}", "a-password", value) for name, value in given.items()}


def test_the_migration_runs_after_the_database_and_before_the_api() -> None:
    """No request may be served before the tables exist."""
    assert SERVICES["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert SERVICES["api"]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"}
    }
    assert SERVICES["migrate"]["command"] == ["python", "manage.py", "migrate"]
    assert "command" not in SERVICES["api"]  # the image has its own


def test_the_password_is_required_and_not_in_the_file() -> None:
    """A missing password must stop `docker compose up`."""
    filled_in = re.findall(r"\$\{(.+?)\}", TEXT)

    assert [name for name in filled_in if not name.startswith("PORT")] == [
        "POSTGRES_PASSWORD:?is missing in .env"
    ] * 2
    assert SERVICES["database"]["environment"]["POSTGRES_PASSWORD"].startswith("${")


def test_the_code_reads_every_variable() -> None:
    """Every variable must be in ``.env.example``: a misspelt one would be ignored."""
    read = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))

    assert [set(variables(service)) - read for service in PROJECT_SERVICES] == [set(), set()]
    assert {SERVICES[service]["env_file"] for service in PROJECT_SERVICES} == {".env"}


def test_migration_and_api_use_the_database_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables in ``.env`` must not point the services at another database."""
    elsewhere = {"DATABASE_URL_UNPOOLED": "postgresql://todo@elsewhere/todo"}
    given = variables("database")
    user, password = given["POSTGRES_USER"], given["POSTGRES_PASSWORD"]

    for service, command in (("migrate", ["migrate"]), ("api", [])):
        with monkeypatch.context() as patch:
            settings = load(patch, *command, **{**elsewhere, **variables(service)})
        database = settings["DATABASES"]["default"]
        found = [database[name] for name in ("HOST", "NAME", "USER", "PASSWORD")]
        assert found == ["database", user, user, password], service


def test_the_api_listens_on_its_published_port() -> None:
    """The ``HOST`` in a ``.env`` from `make run` must be overridden."""
    given = variables("api")

    assert given["HOST"] == "0.0.0.0"  # noqa: S104
    [port] = SERVICES["api"]["ports"]
    assert port.endswith(f":{given['PORT']}")


def test_the_database_image_is_pinned_and_its_data_persistent() -> None:
    """A restart must use the same version and the same data."""
    assert re.fullmatch(r"postgres:\d+\.\d+-\w+", SERVICES["database"]["image"])
    assert SERVICES["database"]["volumes"] == ["database:/var/lib/postgresql"]

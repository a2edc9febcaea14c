"""Every variable that the code reads is documented (FR-020, SC-010)."""

import re
from typing import Any

import pytest

from todo_project.configuration.database_url import database_settings
from todo_project.configuration.environment import BASE_DIR, Environment
from todo_project.configuration.look_alikes import VARIABLES
from todo_project.tests.settings_loader import EXAMPLE, PRODUCTION, load_served

PAGE = (BASE_DIR / "docs" / "configuration.md").read_text()
# With these values, the code reads every variable, including those that are only fallbacks.
EVERY = {
    **PRODUCTION,
    "NEON_DATABASE_URL": "",
    "DATABASE_URL": PRODUCTION["NEON_DATABASE_URL"],
    "BETTER_AUTH_JWKS_URL": "https://app.example.com/api/auth/jwks",
}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the variables that the code reads."""
    asked = set()
    get_value = Environment._get_value  # noqa: SLF001 - every lookup calls it

    def record(self: Environment, env_key: str, default: Any) -> Any:
        asked.add(env_key)
        return get_value(self, env_key, default)

    monkeypatch.setattr(Environment, "_get_value", record)
    load_served(monkeypatch, **EVERY)
    return asked


def test_the_example_and_the_page_list_exactly_the_variables_of_the_code(
    variables: set[str],
) -> None:
    """The documentation must list exactly the variables that the code reads."""
    on_page = re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE)
    in_example = re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE)

    assert sorted(in_example) == sorted(variables)
    assert sorted(on_page) == sorted(variables)


def test_the_page_shows_the_four_variables_of_production() -> None:
    """The section "In production" must show a complete and valid configuration."""
    [block] = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    shown = dict(line.split("=", 1) for line in block.splitlines())

    assert shown.keys() == {"DEBUG", *PRODUCTION}
    variable = "NEON_DATABASE_URL"
    assert database_settings(variable, shown[variable], BASE_DIR)["NAME"] == "neondb"


def test_every_variable_of_the_example_has_a_comment_above_it() -> None:
    """Every variable must have its own comment, so that an operator sees its purpose."""
    for block in EXAMPLE.split("\n\n")[1:]:
        lines = block.strip().splitlines()
        assert all(line.startswith("# ") for line in lines[::2]), block
        assert all(re.match(r"#?[A-Z_]+=", line) for line in lines[1::2]), block


def test_the_examples_defaults_match_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is commented out must show its default."""
    before = load_served(monkeypatch, **PRODUCTION)
    shown = dict(re.findall(r"^#([A-Z_]+)=(.+)$", EXAMPLE, re.MULTILINE))

    after = load_served(monkeypatch, **PRODUCTION, **shown)

    assert len(shown) == 13
    settings = [name for name in before if name.isupper()]
    names = [*settings, "bind", "workers", "loglevel"]
    assert {name: after[name] for name in names} == {name: before[name] for name in names}


def test_look_alikes_are_compared_with_the_variables_of_the_code(variables: set[str]) -> None:
    """The list of names must be complete: a missing one would be reported as a mistake."""
    assert sorted(VARIABLES) == sorted(variables)

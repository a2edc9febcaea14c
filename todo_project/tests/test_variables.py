"""The variables that the code reads, and where operators read of them (FR-020, SC-010)."""

import re
from typing import Any

import pytest

from todo_project.configuration.environment import BASE_DIR, Environment
from todo_project.tests.settings_loader import EXAMPLE, PRODUCTION, load_served

README = (BASE_DIR / "README.md").read_text()
# Values with which every variable is looked at; what stands for another is read without that one.
EVERY = {
    **PRODUCTION,
    "NEON_DATABASE_URL": "",
    "DATABASE_URL": PRODUCTION["NEON_DATABASE_URL"],
    "BETTER_AUTH_JWKS_URL": "https://app.example.com/api/auth/jwks",
}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Name the variables that the code asks for."""
    asked = set()
    get_value = Environment._get_value  # noqa: SLF001 - what every look-up goes through

    def record(self: Environment, env_key: str, default: Any) -> Any:
        asked.add(env_key)
        return get_value(self, env_key, default)

    monkeypatch.setattr(Environment, "_get_value", record)
    load_served(monkeypatch, **EVERY)
    return asked


def test_the_example_and_the_readme_have_every_variable_and_no_other(variables: set[str]) -> None:
    """Nobody may have to read the code to find a variable, or set one that nothing reads."""
    [section] = re.findall(r"^## Configuration$.*?^## ", README, re.DOTALL | re.MULTILINE)
    rows = re.findall(r"^\| (`.+?`) \|", section, re.MULTILINE)
    in_readme = [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)]
    in_example = re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE)

    assert sorted(in_example) == sorted(variables)
    assert sorted(in_readme) == sorted(variables)


def test_every_variable_of_the_example_has_one_line_above_it() -> None:
    """An operator must read what each is for, where it is set."""
    for block in EXAMPLE.split("\n\n")[1:]:
        lines = block.strip().splitlines()
        assert all(line.startswith("# ") for line in lines[::2]), block
        assert all(re.match(r"#?[A-Z_]+=", line) for line in lines[1::2]), block


def test_the_examples_defaults_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is commented out must show what is so without it."""
    before = load_served(monkeypatch, **PRODUCTION)
    shown = dict(re.findall(r"^#([A-Z_]+)=(.+)$", EXAMPLE, re.MULTILINE))

    after = load_served(monkeypatch, **PRODUCTION, **shown)

    assert len(shown) == 8
    settings = [name for name in before if name.isupper()]
    names = [*settings, "bind", "workers", "threads", "loglevel"]
    assert {name: after[name] for name in names} == {name: before[name] for name in names}

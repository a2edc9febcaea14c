"""The settings, read anew with other variables, in the process of the test."""

import runpy
from typing import Any

import pytest

from conftest import FRONT_END, SECRET
from todo_project.environment import BASE_DIR

EXAMPLE = (BASE_DIR / ".env.example").read_text()
DATABASE_URL = "postgresql://todo:a-password@db.example.com/todo"
PRODUCTION = {
    "BETTER_AUTH_SECRET": SECRET,
    "NEON_DATABASE_URL": DATABASE_URL,
    "BETTER_AUTH_URL": FRONT_END,
}
MODULE = {"DJANGO_SETTINGS_MODULE": "todo_project.settings"}


def load(monkeypatch: pytest.MonkeyPatch, *arguments: str, **variables: str) -> dict[str, Any]:
    """Read the settings anew, with these variables, as a command with these arguments does."""
    for name, value in {**PRODUCTION, **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["manage.py", *arguments])
    return runpy.run_path(str(BASE_DIR / "todo_project" / "settings.py"))


def load_served(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    """Read the settings as `migrate` does, and gunicorn's; return all of them."""
    monkeypatch.setattr("sys.argv", ["manage.py", "migrate"])
    run_path = runpy.run_path
    settings = str(BASE_DIR / "todo_project" / "settings.py")
    monkeypatch.setattr("runpy.run_module", lambda name: run_path(settings))
    monkeypatch.setattr("logging.captureWarnings", lambda capture: None)  # pytest's to capture
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    served = run_path(str(BASE_DIR / "gunicorn.conf.py"))
    return {**served, **served["settings"]}

"""Loads the settings with other variables, within the test process."""

import runpy
import threading
from typing import Any

import pytest

from conftest import FRONT_END, SECRET
from todo_project.configuration.environment import BASE_DIR
from todo_project.logs import redaction

EXAMPLE = (BASE_DIR / ".env.example").read_text()
DATABASE_URL = "postgresql://todo:a-password@db.example.com/todo"
PRODUCTION = {
    "BETTER_AUTH_SECRET": SECRET,
    "NEON_DATABASE_URL": DATABASE_URL,
    "BETTER_AUTH_URL": FRONT_END,
}
SETTINGS = str(BASE_DIR / "todo_project" / "settings.py")
MODULE = {"DJANGO_SETTINGS_MODULE": "todo_project.settings"}


def load(monkeypatch: pytest.MonkeyPatch, *arguments: str, **variables: str) -> dict[str, Any]:
    """Load the settings as ``manage.py *arguments`` does, with ``PRODUCTION`` and ``variables``."""
    _forget_secrets(monkeypatch)
    with monkeypatch.context() as patch:
        for name, value in {**PRODUCTION, **variables}.items():
            patch.setenv(name, value)
        patch.setattr("sys.argv", ["manage.py", *arguments])
        return runpy.run_path(SETTINGS)


def load_served(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    """Load gunicorn's settings, and Django's as `migrate` does; return both."""
    _forget_secrets(monkeypatch)
    run_path = runpy.run_path
    with monkeypatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.setattr("sys.argv", ["manage.py", "migrate"])
        patch.setattr("runpy.run_module", lambda name: run_path(SETTINGS))
        patch.setattr("logging.captureWarnings", lambda capture: None)  # pytest captures them
        patch.setattr("threading.excepthook", threading.excepthook)
        served = run_path(str(BASE_DIR / "gunicorn.conf.py"))
    return {**served, **served["settings"]}


def _forget_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the log mask only what the loaded settings hide, until the end of the test."""
    monkeypatch.setattr(redaction, "_hidden", [])

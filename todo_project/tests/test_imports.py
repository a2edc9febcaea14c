"""Imports point one way: ``todo_project`` → ``tasks`` → ``authn``."""

import ast

import pytest

from todo_project.configuration.environment import BASE_DIR

FORBIDDEN = {"authn": {"tasks", "todo_project"}, "tasks": {"todo_project"}}


def imported(source: str) -> set[str]:
    """Return the top-level packages of a module's absolute imports, at any depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found


@pytest.mark.parametrize("app", FORBIDDEN)
def test_an_app_imports_no_app_above_it(app: str) -> None:
    """``authn`` must import neither other app, and ``tasks`` must not import ``todo_project``."""
    modules = [path for path in (BASE_DIR / app).rglob("*.py") if "tests" not in path.parts]
    wrong = {
        str(module): found
        for module in modules
        if (found := imported(module.read_text()) & FORBIDDEN[app])
    }

    assert len(modules) > 5
    assert wrong == {}


def test_an_import_is_recognised_in_each_form() -> None:
    """``imported`` must recognise both import statements, even inside a function."""
    source = "def f():\n    import tasks.models\n    from todo_project.urls import urlpatterns\n"

    assert imported(source) == {"tasks", "todo_project"}

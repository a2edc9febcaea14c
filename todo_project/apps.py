"""The app configuration."""

from django.apps import AppConfig


class TodoProjectConfig(AppConfig):
    """Registers the system checks."""

    name = "todo_project"

    def ready(self) -> None:
        """Import the checks, which registers them."""
        from todo_project import checks  # noqa: F401 - the import registers them
        from todo_project.status import database_checks, encoding  # noqa: F401 - likewise

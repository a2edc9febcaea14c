"""The app configuration."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    """Registers the system checks."""

    name = "tasks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import the checks, which registers them."""
        from tasks.adoption import checks  # noqa: F401 - the import registers them

"""The app's configuration."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    """The tasks."""

    name = "tasks"
    default_auto_field = "django.db.models.BigAutoField"

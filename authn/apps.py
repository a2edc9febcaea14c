"""The app configuration."""

from django.apps import AppConfig


class AuthnConfig(AppConfig):
    """Registers the system checks."""

    name = "authn"

    def ready(self) -> None:
        """Import the checks, which registers them."""
        from authn import checks  # noqa: F401 - imported for its side effect

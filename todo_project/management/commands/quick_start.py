"""``manage.py quick_start``: print the server's addresses and, with ``DEBUG``, a first request."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from authn.issuing import issue_token
from todo_project.server.listening import check_address

DEMO_USER = "demo"
HOUR_SECONDS = 3600


class Command(BaseCommand):
    """Prints the message that ``make run`` shows before the server starts.

    A Makefile recipe would have to parse ``.env`` for the port, ``DEBUG`` and ``API_DOCS``.
    """

    help = "Print the addresses of the server and, if DEBUG is true, a request with a token."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the addresses and, with ``DEBUG``, the request.

        Raises:
            ImproperlyConfigured: the server could not listen there.
        """
        check_address(settings.HOST, settings.PORT)
        address = f"http://localhost:{settings.PORT}"
        self.stdout.write(f"\nAPI:            {address}")
        if settings.API_DOCS:
            self.stdout.write(f"API reference:  {address}/docs")
        self.stdout.write(f"Admin:          {address}/admin/ (create an account with: make staff)")
        self.stdout.write("Configuration:  .env, described in docs/configuration.md")
        if settings.DEBUG:
            token = issue_token(DEMO_USER, lifetime_seconds=HOUR_SECONDS)
            self.stdout.write(
                f"List the tasks of the user {DEMO_USER!r}; the token is valid for one hour:\n\n"
                f'curl -H "Authorization: Bearer {token}" {address}/api/{DEMO_USER}/tasks\n\n'
                "Add sample tasks, in another terminal:  make seed\n\n"
            )

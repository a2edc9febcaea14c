"""``manage.py quick_start``: what a newcomer needs to see before the server's own lines."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from authn.issuing import issue_token
from todo_project.configuration.environment import env

DEMO_USER = "demo"
HOUR_SECONDS = 3600


class Command(BaseCommand):
    """Prints the address and a first request that works as it stands.

    Source: issue "The API, end to end", ``make run``.
    """

    help = "Print the address of the server and a first request; the token only if DEBUG is true."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them."""
        address = f"http://localhost:{env.int('PORT', 8000)}"
        self.stdout.write(f"\nThe API:         {address}")
        if settings.API_DOCS:
            self.stdout.write(f"The documents:   {address}/docs")
        self.stdout.write(f"The admin:       {address}/admin/ (make staff makes an account for it)")
        self.stdout.write("The variables:   README.md, Configuration; yours are in .env")
        if settings.DEBUG:
            token = issue_token(DEMO_USER, lifetime_seconds=HOUR_SECONDS)
            self.stdout.write(
                f"The tasks of the user {DEMO_USER!r}, with a token for one hour:\n\n"
                f'curl -H "Authorization: Bearer {token}" {address}/api/{DEMO_USER}/tasks\n\n'
                "To fill it, in another terminal:  make seed\n\n"
            )

"""``manage.py issue_token alice``: a token for development."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from authn.issuing import issue_token
from authn.tokens import NoUserError, user_id

MAX_MINUTES = 365 * 24 * 60


class Command(BaseCommand):
    """Prints a token that the API accepts.

    Source: FR-001; issue "Real Better Auth" (for development only).
    """

    help = (
        "Print a token that the API accepts, signed with the first Better Auth secret. Whoever has"
        " it is that user until it expires, so this is refused when DEBUG is false."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("user", help="the user's id")
        parser.add_argument(
            "--minutes", type=int, default=60, help="how long it is valid (default: 60)"
        )
        parser.add_argument("--force", action="store_true", help="also when DEBUG is false")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token, and nothing else, so that a shell can take it."""
        if not (settings.DEBUG or options["force"]):
            raise CommandError("DEBUG is false: --force mints a token all the same.")
        if not 1 <= options["minutes"] <= MAX_MINUTES:
            raise CommandError(f"--minutes must be 1 to {MAX_MINUTES}, a year.")
        try:
            user = user_id({"sub": options["user"]})
        except NoUserError:
            raise CommandError("A user's id has 1 to 255 characters.") from None
        self.stdout.write(issue_token(user, lifetime_seconds=options["minutes"] * 60))

"""``manage.py issue_token alice`` prints a token for development."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from authn.issuing import issue_token
from authn.tokens import INVALID_USER_ID, NoUserError, user_id

MAX_MINUTES = 365 * 24 * 60


class Command(BaseCommand):
    """Prints a token that the API accepts.

    Source: FR-001.
    """

    help = (
        "Print a token that the API accepts, signed with the first Better Auth secret. Anyone who"
        " has the token can act as the user until it expires, so the command refuses to run when"
        " DEBUG is false, unless --force is given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the user id and the options."""
        parser.add_argument("user", help="the user's id")
        parser.add_argument(
            "--minutes", type=int, default=60, help="minutes until the token expires (default: 60)"
        )
        parser.add_argument("--force", action="store_true", help="run even if DEBUG is false")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token and nothing else, so that a shell can capture it."""
        if not (settings.DEBUG or options["force"]):
            raise CommandError("DEBUG is false. Use --force to print a token anyway.")
        if not 1 <= options["minutes"] <= MAX_MINUTES:
            raise CommandError(f"--minutes must be between 1 and {MAX_MINUTES} (a year).")
        try:
            user = user_id({"sub": options["user"]})
        except NoUserError:
            raise CommandError(INVALID_USER_ID) from None
        self.stdout.write(issue_token(user, lifetime_seconds=options["minutes"] * 60))

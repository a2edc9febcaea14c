"""``manage.py check_token``: what is this token, and why does the API refuse it?"""

import getpass
import hashlib
import sys
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from authn.authentication import configured_verifier
from authn.kinds import USE, Kind, kind_of
from authn.tokens import TokenError, user_id

# reason: what is wrong, and what to change on which side
EXPLANATIONS = {
    "expired": "It has expired. Let the front end fetch a new one when it gets a 401.",
    "bad_expiry": "It has no expiry, or none in whole seconds. Where it is signed, set one:"
    " setExpirationTime('15m') in jose.",
    "bad_iat": "Its iat is not a number.",
    "bad_nbf": "Its nbf is not a number.",
    "not_yet_valid": "It is from the future. Set the clocks of both machines.",
    "wrong_signature": "It is signed with another secret. Compare the fingerprints: both sides must"
    " have the same BETTER_AUTH_SECRET, or this side the front end's in BETTER_AUTH_SECRETS. On the"
    ' front end\'s side: printf %s "$BETTER_AUTH_SECRET" | sha256sum | cut -c 1-8',
    "wrong_issuer": "Its iss is not BETTER_AUTH_ISSUER (for a key pair's token: by default the"
    " origin of BETTER_AUTH_URL). A hand-written route's token and the session cookie have none.",
    "wrong_audience": "Its aud is not BETTER_AUTH_AUDIENCE (for a key pair's token: by default the"
    " origin of BETTER_AUTH_URL). A hand-written route's token and the session cookie have none.",
    "unknown_key": "It names a key that is not among those at BETTER_AUTH_JWKS_URL.",
    "jwks_unavailable": "The keys at BETTER_AUTH_JWKS_URL cannot be fetched from here.",
    "no_user": "It names no user: no sub, no user_id, no user.id, or one that cannot be an id.",
    "malformed": "It is not a JSON Web Token, or damaged.",
}


class Command(BaseCommand):
    """Explains a token, and shows nothing that could be misused.

    Source: issue "Real Better Auth", the doctor; FR-017.
    """

    help = (
        "Say what a token is, whose, until when, and whether the API accepts it; if not, why and"
        " what to change. The token is read from standard input or a prompt, so that no shell"
        " keeps it in its history."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Explain it."""
        token = self._token()
        kind = kind_of(token)
        self.stdout.write(f"It is:      {kind.name}")
        if kind.algorithm:
            self.stdout.write(f"Algorithm:  {kind.algorithm!a}")
        if kind.claims is not None:
            self.stdout.write(f"Expires:    {_moment(kind.claims.get('exp'))}")
        for secret in settings.BETTER_AUTH["SECRETS"]:
            fingerprint = hashlib.sha256(secret.encode()).hexdigest()[:8]
            self.stdout.write(f"Secret:     one with the fingerprint {fingerprint}")
        self._judge(token, kind)

    def _token(self) -> str:
        typed = getpass.getpass("Token: ") if sys.stdin.isatty() else sys.stdin.read()
        token = typed.strip()
        if token.lower().startswith("bearer "):
            token = token[len("bearer ") :].strip()
        if not token:
            raise CommandError("There is no token on standard input.")
        return token

    def _judge(self, token: str, kind: Kind) -> None:
        try:
            claims = configured_verifier().claims(token)
            user = user_id(claims)
        except TokenError as error:
            why = EXPLANATIONS.get(error.reason, "")
            # What a token is explains a refusal better than the first thing that is wrong with it.
            advice = kind.advice or why or USE
            self.stdout.write(f"The API:    refuses it ({error.reason}). {advice}")
            if kind.advice and error.reason in ("expired", "wrong_signature"):
                self.stdout.write(f"            Besides: {why}")
            raise CommandError("The API refuses this token.") from None
        self.stdout.write(f"User:       {user!a}")
        self.stdout.write(f"The API:    accepts it on /api/{user!a}/tasks")
        front_end = claims.get("user_id") or claims.get("sub") or claims.get("id")
        if front_end != user:
            self.stdout.write(
                "Front end:  cannot use it. It builds its path from user_id, else sub, else id, and"
                f" would ask for the tasks of {front_end!a}. Add a sub with the user's id."
            )


def _moment(expiry: Any) -> str:
    """Word an expiry: when, and whether that is over."""
    if type(expiry) is not int:
        return "never (it has no exp in whole seconds)"
    try:
        moment = datetime.fromtimestamp(expiry, UTC)
    except (ValueError, OverflowError, OSError):
        return "at no date"
    ended = "over" if moment <= datetime.now(UTC) else "to come"
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC ({ended})"

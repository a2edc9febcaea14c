"""``manage.py check_token``: what is this token, and why does the API refuse it?"""

import getpass
import hashlib
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from authn.authentication import configured_verifier
from authn.secrets import BETTER_AUTH_DEFAULT
from authn.token_kinds import Kind, kind_of
from authn.tokens import NoUserError, TokenError, TokenVerifier, user_id

# What is copied with a token: quotes, and the header that it stands in.
BEFORE_A_TOKEN = re.compile(
    r"""\A["'`\s]*(authorization["'\s]*:["'\s]*)?(bearer(\s+|\Z))?["'\s]*""", re.IGNORECASE
)
UNKNOWN = "cannot be told from it"
SEND_ANOTHER = (
    "On the front end's side, send a token that is made for the API: README, Wiring Better Auth,"
    " has both recipes (the jwt plugin with jwt.sign, or a route of your own)."
)
COMPARE = (
    "Compare the fingerprints: both sides must have the same BETTER_AUTH_SECRET, or this side the"
    " front end's among its BETTER_AUTH_SECRETS. On the front end's side:"
    ' printf %s "$BETTER_AUTH_SECRET" | sha256sum | cut -c 1-8'
)
SET_PARTY = (
    "Where it is signed, set it; or, on this side, change the variable. The tokens of a route of"
    " your own and of the session cookie have none."
)

# reason: what is wrong, and what to change on which side. Before the signature is verified:
UNVERIFIED = {
    "malformed": ("It is no JSON Web Token of three segments, or it is damaged.", SEND_ANOTHER),
    "critical_header": (
        "Its header has crit or b64, which nothing here understands.",
        "Where it is signed, leave them out.",
    ),
    "wrong_algorithm": (
        "Its algorithm is not accepted.",
        "On the front end's side, sign with HS256: README, Wiring Better Auth, has both recipes."
        " Or, on this side, set BETTER_AUTH_JWKS_URL, which accepts EdDSA, ES256 and RS256 too.",
    ),
    "wrong_signature": ("It was changed, or signed with another secret or key.", COMPARE),
    "wrong_type": (
        "The typ in its header is not JWT: it was made for something else.",
        SEND_ANOTHER,
    ),
    "unknown_key": (
        "Its kid names no key at BETTER_AUTH_JWKS_URL.",
        "On this side, set the URL of the issuer that signed it.",
    ),
    "jwks_unavailable": (
        "BETTER_AUTH_JWKS_URL gives no keys, so that the API answers 503; the log says why.",
        "Make the URL answer to this side, or correct it.",
    ),
}
# Afterwards:
VERIFIED = {
    "expired": (
        "It has expired.",
        "On the front end's side, fetch a new one when the API answers 401.",
    ),
    "bad_expiry": (
        "It has no exp, or none in whole seconds.",
        "Where it is signed, set one: setExpirationTime('15m') in jose.",
    ),
    "bad_iat": ("Its iat is no number.", "Where it is signed, use setIssuedAt() of jose."),
    "bad_nbf": ("Its nbf is no number.", "Where it is signed, leave it out."),
    "not_yet_valid": ("Its iat or nbf lies ahead.", "Set the clocks of both machines."),
    "wrong_issuer": (
        "Its iss is not what BETTER_AUTH_ISSUER asks for, which of a key pair's token is by default"
        " the origin of BETTER_AUTH_URL.",
        SET_PARTY,
    ),
    "wrong_audience": (
        "Its aud is not what BETTER_AUTH_AUDIENCE asks for, which of a key pair's token is by"
        " default the origin of BETTER_AUTH_URL.",
        SET_PARTY,
    ),
    "no_user": (
        "It names no user: it has no sub, user_id or user.id, or one that cannot be an id.",
        "Where it is signed, set sub to the user's id.",
    ),
}
FALLEN_BACK = (
    "It is signed with the default that Better Auth falls back to: the front end has no secret.",
    "On its side, set BETTER_AUTH_SECRET to the one of this side.",
)


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
        reason = _refusal(token)
        self._describe(kind, is_verified=reason in (None, *VERIFIED))
        for secret in settings.BETTER_AUTH["SECRETS"]:
            fingerprint = hashlib.sha256(secret.encode()).hexdigest()[:8]
            self.stdout.write(f"Secret:     this side has one with the fingerprint {fingerprint}")
        if reason is not None:
            why, mend = _explanation(token, reason)
            self.stdout.write(f"The API:    refuses it ({reason}). {why}")
            self.stdout.write(f"What to do: {mend if kind.is_for_apis else SEND_ANOTHER}")
            raise CommandError("The API refuses this token.")
        claims = kind.claims or {}
        path = f"/api/{quote(user_id(claims), safe='')}/tasks"
        self.stdout.write(f"The API:    accepts it on {path}")
        if problem := _front_end_problem(claims):
            self.stdout.write(f"Front end:  cannot use it. {problem}")

    def _token(self) -> str:
        if sys.stdin.isatty():
            typed = getpass.getpass("Token: ")
        else:
            typed = sys.stdin.buffer.read().decode("utf-8-sig", "replace")
        token = BEFORE_A_TOKEN.sub("", typed).rstrip("\"'`, \t\r\n")
        if not token:
            raise CommandError("There is no token on standard input.")
        return token

    def _describe(self, kind: Kind, *, is_verified: bool) -> None:
        """Say what a token is and what it says; as ASCII, so that it cannot play with a screen."""
        expires = user = UNKNOWN
        if kind.claims is not None:
            expires = _moment(kind.claims.get("exp"))
            user = _user(kind.claims)
            if not is_verified:
                user += " (that is what it says; its signature was not verified)"
        self.stdout.write(f"It is:      {kind.name}")
        self.stdout.write(f"Algorithm:  {ascii(kind.algorithm)[1:-1] or UNKNOWN}")
        self.stdout.write(f"Expires:    {expires}")
        self.stdout.write(f"User:       {user}")
        for label, name in (("Issuer:", "iss"), ("Audience:", "aud")):
            if kind.claims and name in kind.claims:
                self.stdout.write(f"{label:11} {kind.claims[name]!a}")


def _refusal(token: str) -> str | None:
    """Return the reason for which the API refuses a token; none where it accepts it."""
    try:
        user_id(configured_verifier().claims(token))
    except TokenError as error:
        return error.reason
    return None


def _explanation(token: str, reason: str) -> tuple[str, str]:
    """Say what a reason means, and what to change on which side."""
    if reason == "wrong_signature" and _is_signed_with(BETTER_AUTH_DEFAULT, token):
        return FALLEN_BACK
    return (UNVERIFIED | VERIFIED)[reason]


def _is_signed_with(secret: str, token: str) -> bool:
    try:
        TokenVerifier([secret]).claims(token)
    except TokenError as error:
        return error.reason in VERIFIED
    return True


def _user(claims: Mapping[str, Any]) -> str:
    try:
        return ascii(user_id(claims))
    except NoUserError:
        return "none"


def _moment(expiry: Any) -> str:
    """Word an expiry: when, and whether that is over."""
    if type(expiry) is not int:
        return "never said (it has no exp in whole seconds)"
    try:
        moment = datetime.fromtimestamp(expiry, UTC)
    except (ValueError, OverflowError, OSError):
        return "at no date"
    ended = "over" if moment <= datetime.now(UTC) else "to come"
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC ({ended})"


def _front_end_problem(claims: Mapping[str, Any]) -> str:
    """Say why the plan's front end would not find the user in a token that the API accepts."""
    user = user_id(claims)
    found = claims.get("user_id") or claims.get("sub") or claims.get("id")
    if not found:
        return "It builds its path from user_id, sub or id: sign a token that has one (README)."
    if str(found) != user:
        return (
            f"It builds its path from user_id, else sub, else id, and would ask for the tasks of"
            f" {found!a}: where it is signed, make them one."
        )
    if "/" in user:
        return "No path can name a user whose id has a slash."
    return ""

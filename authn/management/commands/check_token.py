"""``manage.py check_token`` explains a token and, if the API refuses it, the reason."""

import getpass
import hashlib
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from authn.authentication import verified_claims
from authn.secrets import BETTER_AUTH_DEFAULT, READ_DIFFERENTLY, is_ambiguous
from authn.token_kinds import TokenKind, kind_of
from authn.token_refusals import (
    ENABLE_SESSIONS,
    NO_CLAIMS,
    OF_A_SESSION,
    SIGNED_WITH_DEFAULT,
    UNVERIFIED,
    USE_A_RECIPE,
    VERIFIED,
)
from authn.tokens import NoUserError, TokenError, TokenVerifier, user_id

# Text that is often copied along with a token: quotes and the Authorization header.
TOKEN_PREFIX = re.compile(
    r"""\A["'`\s]*(authorization["'\s]*:["'\s]*)?(bearer(\s+|\Z))?["'\s]*""", re.IGNORECASE
)
# Far above the largest token, which has to fit into the head of a request
MAX_INPUT_BYTES = 64 * 1024
NO_TOKEN = "There is no token on standard input."  # noqa: S105
UNKNOWN = "unknown"


class Command(BaseCommand):
    """Explains a token without printing a secret or any part of the token that could be misused.

    Source: FR-017.
    """

    help = (
        "Print the kind of a token, its user, its expiry and whether the API accepts it; if not,"
        " why not and how to fix it. The command reads the token from standard input or a prompt,"
        " so that it does not end up in the shell's history."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Explain the token, and fail if the API refuses it."""
        token = self._token()
        kind = kind_of(token)
        reason, claims = _verify(token, verified_claims)
        if kind.is_session:
            kind = replace(kind, claims=claims or None)
        self._describe(kind, is_verified=reason in (None, *VERIFIED))
        for secret in settings.BETTER_AUTH["SECRETS"]:
            fingerprint = hashlib.sha256(secret.encode()).hexdigest()[:8]
            self.stdout.write(f"Secret:     this side accepts the fingerprint {fingerprint}")
        if reason is not None:
            explanation, how_to_fix = _explanation(token, kind, reason)
            self.stdout.write(f"The API:    refuses it ({reason}). {explanation}")
            self.stdout.write(f"What to do: {how_to_fix}")
            raise CommandError("The API refuses this token.")
        path = f"/api/{quote(user_id(claims), safe='')}/tasks"
        self.stdout.write(f"The API:    accepts it on {path}")
        if problem := NO_CLAIMS if kind.is_session else _front_end_problem(claims):
            self.stdout.write(f"Front end:  cannot use it. {problem}")

    def _token(self) -> str:
        if sys.stdin.isatty():
            try:
                text = getpass.getpass("Token: ")
            except EOFError:  # Ctrl-D
                raise CommandError(NO_TOKEN) from None
        else:
            text = _text(sys.stdin.buffer.read(MAX_INPUT_BYTES + 1))
        token = TOKEN_PREFIX.sub("", _from_json(text)).rstrip("\"'`, \t\r\n")
        if not token:
            raise CommandError(NO_TOKEN)
        return token

    def _describe(self, kind: TokenKind, *, is_verified: bool) -> None:
        """Print the kind and main claims as ASCII, so that no claim can control the terminal."""
        expires = user = UNKNOWN
        if kind.claims is not None:
            expires = _expiry(kind.claims.get("exp"))
            user = _user(kind.claims)
            if not is_verified:
                user += " (unverified)"
        self.stdout.write(f"Kind:       {kind.name}")
        self.stdout.write(f"Algorithm:  {ascii(kind.algorithm)[1:-1] or UNKNOWN}")
        self.stdout.write(f"Expires:    {expires}")
        self.stdout.write(f"User:       {user}")
        for label, name in (("Issuer:", "iss"), ("Audience:", "aud")):
            if kind.claims and name in kind.claims:
                self.stdout.write(f"{label:11} {kind.claims[name]!a}")


def _text(data: bytes) -> str:
    """Return the bytes of standard input as text."""
    if len(data) > MAX_INPUT_BYTES:
        raise CommandError(f"Standard input is longer than {MAX_INPUT_BYTES} bytes: not a token.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # UTF-16, which PowerShell writes to files
        raise CommandError("Standard input must be a token as text in UTF-8.")
    return text


def _from_json(text: str) -> str:
    """Return the token of a JSON object, as Better Auth's ``/api/auth/token`` returns it.

    Text that is not an object is returned unchanged.
    """
    if not text.lstrip().startswith("{"):
        return text
    try:
        token = json.loads(text).get("token")
    except (ValueError, RecursionError):
        token = None
    if not isinstance(token, str):
        raise CommandError(
            'Standard input must be a token, or JSON with one: {"token": "…"}. Without a session,'
            " Better Auth's /api/auth/token returns none."
        )
    return token


def _verify(
    token: str, verify: Callable[[str], Mapping[str, Any]]
) -> tuple[str | None, Mapping[str, Any]]:
    """Return the reason for refusing a token, or ``None`` and its claims."""
    try:
        claims = verify(token)
        user_id(claims)
    except TokenError as error:
        return error.reason, {}
    return None, claims


def _explanation(token: str, kind: TokenKind, reason: str) -> tuple[str, str]:
    """Return an explanation of a refusal and a way to fix it."""
    explanation, how_to_fix = (UNVERIFIED | VERIFIED)[reason]
    if kind.is_session and settings.BETTER_AUTH["SESSIONS"]:
        return OF_A_SESSION.get(reason, (explanation, how_to_fix))
    if kind.is_session:
        return explanation, f"{USE_A_RECIPE} {ENABLE_SESSIONS}"
    if not kind.is_for_apis:
        return explanation, USE_A_RECIPE
    if reason == "wrong_signature":
        secrets = settings.BETTER_AUTH["SECRETS"]
        with_default, _ = _verify(token, TokenVerifier([BETTER_AUTH_DEFAULT]).claims)
        if with_default in (None, *VERIFIED):
            return SIGNED_WITH_DEFAULT
        # the same reason: it is signed with a secret, not with a private key
        if with_default == reason and any(map(is_ambiguous, secrets)):
            explanation += f" {READ_DIFFERENTLY}"
    return explanation, how_to_fix


def _user(claims: Mapping[str, Any]) -> str:
    try:
        return ascii(user_id(claims))
    except NoUserError:
        return "none"


def _expiry(exp: Any) -> str:
    """Format an ``exp`` claim."""
    if type(exp) not in (int, float):
        return "unknown (exp is not a number)"
    try:
        expires_at = datetime.fromtimestamp(exp, UTC)
    except (ValueError, OverflowError, OSError):
        return "unknown (exp is out of range)"
    tense = "past" if expires_at <= datetime.now(UTC) else "future"
    return f"{expires_at:%Y-%m-%d %H:%M:%S} UTC (in the {tense})"


def _front_end_problem(claims: Mapping[str, Any]) -> str:
    """Return why the plan's front end cannot use an accepted token; ``""`` if it can."""
    user = user_id(claims)
    front_end_user = claims.get("user_id") or claims.get("sub") or claims.get("id")
    if not front_end_user:
        return (
            "It builds its paths from user_id, sub or id, but finds no user id in them:"
            ' docs/better-auth.md, "Two recipes".'
        )
    if str(front_end_user) != user:
        return (
            "It builds its paths from user_id, else sub, else id, and would request the tasks of"
            f" {front_end_user!a}. Use one value for all of them where the token is signed."
        )
    if "/" in user:
        return "No path can contain a user id with a slash."
    return ""

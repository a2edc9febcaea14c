"""From the ``Authorization`` header to a principal; the only place that makes a refusal a 401."""

import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication

from authn.principals import Principal
from authn.tokens import (
    ExpiredTokenError,
    KeysUnavailableError,
    NoUserError,
    TokenError,
    TokenVerifier,
    user_id,
)

DETAILS: dict[type[TokenError], str] = {
    ExpiredTokenError: "Token has expired",
    NoUserError: "Token missing user identifier",
}
INVALID_TOKEN = "Invalid or malformed token"  # noqa: S105 - a sentence


# The first requests come together: without it each would fetch a set of keys of its own.
_building = threading.Lock()


@lru_cache(maxsize=8)  # one entry in production; a test that changes the settings gets another
def _verifier(secrets: tuple[str, ...], issuer: str, audience: str, *jwks: str) -> TokenVerifier:
    if not jwks:
        return TokenVerifier(secrets, issuer, audience)
    from authn.jwks import KeySet  # no line of it runs where it is not asked for

    return TokenVerifier(secrets, issuer, audience, KeySet(*jwks))


def configured_verifier() -> TokenVerifier:
    """Return the verifier that the settings describe, the same one each time."""
    configured = settings.BETTER_AUTH
    with _building:
        return _verifier(
            configured["SECRETS"], configured["ISSUER"], configured["AUDIENCE"], *configured["JWKS"]
        )


class KeysUnavailable(APIException):
    """Whether a token is one of ours cannot be told now."""

    status_code = 503
    default_detail = "Service temporarily unavailable"
    default_code = "jwks_unavailable"


class BetterAuthAuthentication(JWTStatelessUserAuthentication):
    """Authenticates requests by a token that Better Auth signed, without a query.

    Keeps simplejwt's steps (header → raw token → claims → user) and replaces what each does:
    simplejwt takes ``bearer`` in lower case for no token at all, wants a ``token_type`` claim that
    Better Auth does not set, and trusts its own user model.

    Source: docs/contract.md, "Who may come in"; FR-001 to FR-004; RFC 6750 §2.1 and §3.
    """

    def __init__(self) -> None:
        """Skip simplejwt's look-up of a user model: users are not stored."""

    def get_header(self, request: Request) -> str:  # type: ignore[override]  # the stubs say bytes
        """Return the header's value.

        Raises:
            NotAuthenticated: there is none, or it is of another scheme.
        """
        header: str = request.META.get("HTTP_AUTHORIZATION", "")
        if not _is_bearer(header):
            raise NotAuthenticated("Missing authorization token", code="missing_token")
        return header

    def get_raw_token(self, header: str) -> str:  # type: ignore[override]  # the stubs say bytes
        """Cut the scheme off. What is left is the token, empty where there is none."""
        return header.partition(" ")[2].strip(" ")

    def get_validated_token(self, raw_token: str) -> Mapping[str, Any]:  # type: ignore[override]
        """Return the claims of a token that verifies.

        Raises:
            AuthenticationFailed: it does not.
            KeysUnavailable: its issuer's keys cannot be fetched.
        """
        try:
            return configured_verifier().claims(raw_token)
        except TokenError as error:
            raise _refusal(error) from None

    def get_user(self, validated_token: Mapping[str, Any]) -> Principal:  # type: ignore[override]
        """Return the principal that the claims name.

        Raises:
            AuthenticationFailed: they name none.
        """
        try:
            return Principal(user_id(validated_token))
        except NoUserError as error:
            raise _refusal(error) from None

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge, with an error code only where a token was refused.

        Source: RFC 6750 §3.1.
        """
        refused = _is_bearer(request.META.get("HTTP_AUTHORIZATION", ""))
        return 'Bearer error="invalid_token"' if refused else "Bearer"


def _is_bearer(header: str) -> bool:
    return header.partition(" ")[0].lower() == "bearer"


def _refusal(error: TokenError) -> APIException:
    """Word the refusal. Its code is the reason that is logged; nothing of the token is."""
    if isinstance(error, KeysUnavailableError):
        return KeysUnavailable()  # logged with every other 503
    return AuthenticationFailed(DETAILS.get(type(error), INVALID_TOKEN), code=error.reason)

"""DRF authentication by bearer token; the only module that turns token errors into HTTP errors."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication

from authn.principals import Principal
from authn.tokens import (
    ExpiredTokenError,
    NoUserError,
    TokenError,
    TokenVerifier,
    UnverifiableError,
    user_id,
)

DETAILS: dict[type[TokenError], str] = {
    ExpiredTokenError: "Token has expired",
    NoUserError: "Token missing user identifier",
}
INVALID_TOKEN = "Invalid or malformed token"  # noqa: S105 - a message


# The verifiers by their settings. Production needs one; tests change the settings.
_verifiers: dict[tuple[Any, ...], TokenVerifier] = {}


def configured_verifier() -> TokenVerifier:
    """Return the verifier for the current settings. Equal settings share one verifier.

    Takes no lock. Two threads may build a verifier, but ``setdefault()`` is atomic, so that both
    use the same one, which fetches the key set once.
    """
    configured = settings.BETTER_AUTH
    fixed = configured["SECRETS"], configured["ISSUER"], configured["AUDIENCE"]
    key = (*fixed, *configured["JWKS"])
    return _verifiers.get(key) or _verifiers.setdefault(key, _verifier(*key))


def _verifier(secrets: tuple[str, ...], issuer: str, audience: str, *jwks: str) -> TokenVerifier:
    if not jwks:
        return TokenVerifier(secrets, issuer, audience)
    from authn.jwks import KeySet  # imported only if BETTER_AUTH_JWKS_URL is set

    return TokenVerifier(secrets, issuer, audience, KeySet(*jwks))


def verified_claims(token: str) -> Mapping[str, Any]:
    """Verify a JWT or, with ``BETTER_AUTH_SESSIONS``, a session token, and return its claims.

    Raises:
        TokenError: the token is invalid, has expired, or cannot be verified now.
        DatabaseError: the database of the sessions does not answer.
    """
    if settings.BETTER_AUTH["SESSIONS"] and token.count(".") < 2:  # not a JWT
        from authn.sessions import session_claims  # imported only with the setting

        return session_claims(token, settings.BETTER_AUTH["SECRETS"])
    return configured_verifier().claims(token)


class TokenUnverifiable(APIException):
    """The token cannot be verified now: the issuer's keys or sessions are unavailable."""

    status_code = 503
    default_detail = "Service temporarily unavailable"


class BetterAuthAuthentication(JWTStatelessUserAuthentication):
    """Authenticates requests by their Better Auth token; a JWT needs no database query.

    Keeps simplejwt's steps (header → raw token → claims → user) but overrides each of them:
    simplejwt ignores a lower-case ``bearer``, requires a ``token_type`` claim that Better Auth
    does not set, and uses its own user class.

    Source: docs/contract.md, "Authentication"; FR-001 to FR-004; RFC 6750 §2.1 and §3.
    """

    def __init__(self) -> None:
        """Skip simplejwt's lookup of the user model: users are not stored."""

    def get_header(self, request: Request) -> str:  # type: ignore[override]  # the stubs say bytes
        """Return the ``Authorization`` header.

        Raises:
            NotAuthenticated: the header is absent, or its scheme is not ``Bearer``.
        """
        header: str = request.META.get("HTTP_AUTHORIZATION", "")
        if not _is_bearer(header):
            raise NotAuthenticated("Missing authorization token", code="missing_token")
        return header

    def get_raw_token(self, header: str) -> str:  # type: ignore[override]  # the stubs say bytes
        """Return the token from the header; it may be an empty string."""
        return header.partition(" ")[2].strip(" ")

    def get_validated_token(self, raw_token: str) -> Mapping[str, Any]:  # type: ignore[override]
        """Verify a token and return its claims.

        Raises:
            AuthenticationFailed: the token is invalid or has expired.
            TokenUnverifiable: the token cannot be verified now.
        """
        try:
            return verified_claims(raw_token)
        except TokenError as error:
            raise _api_exception(error) from None

    def get_user(self, validated_token: Mapping[str, Any]) -> Principal:  # type: ignore[override]
        """Return the principal for verified claims.

        Raises:
            AuthenticationFailed: the claims have no valid user id.
        """
        try:
            return Principal(user_id(validated_token))
        except NoUserError as error:
            raise _api_exception(error) from None

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge, with an error code if the request used the ``Bearer`` scheme.

        Source: RFC 6750 §3.1.
        """
        has_token = _is_bearer(request.META.get("HTTP_AUTHORIZATION", ""))
        return 'Bearer error="invalid_token"' if has_token else "Bearer"


def _is_bearer(header: str) -> bool:
    return header.partition(" ")[0].lower() == "bearer"


def _api_exception(error: TokenError) -> APIException:
    """Convert a token error to an API exception.

    The exception's code is logged, but no part of the token.
    """
    if isinstance(error, UnverifiableError):
        return TokenUnverifiable(code=error.reason)  # logged like any other 503
    return AuthenticationFailed(DETAILS.get(type(error), INVALID_TOKEN), code=error.reason)

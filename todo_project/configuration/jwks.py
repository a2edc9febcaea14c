"""The settings for verifying tokens with the issuer's public keys (JWKS)."""

from django.core.exceptions import ImproperlyConfigured
from environs import Env

from todo_project.configuration.origins import origin


def jwks_settings(env: Env) -> tuple[str, ...]:
    """Read the URL of the issuer's public keys, and the issuer and audience of its tokens.

    Args:
        env: reads ``BETTER_AUTH_JWKS_URL``, ``BETTER_AUTH_ISSUER``, ``BETTER_AUTH_AUDIENCE`` and
            ``BETTER_AUTH_URL``. Issuer and audience default to the origin of ``BETTER_AUTH_URL``,
            as in Better Auth.

    Returns:
        The URL, the issuer and the audience, or an empty tuple if no URL is set.

    Raises:
        ImproperlyConfigured: a URL is malformed, or the issuer or the audience is missing and has
            no default.
    """
    url = env.str("BETTER_AUTH_JWKS_URL", "")
    if not url:
        return ()
    try:
        origin("BETTER_AUTH_JWKS_URL", url)
    except ImproperlyConfigured:
        raise ImproperlyConfigured(
            "BETTER_AUTH_JWKS_URL must be a URL such as https://app.example.com/api/auth/jwks."
        ) from None
    issuer_and_audience = [env.str(f"BETTER_AUTH_{name}", "") for name in ("ISSUER", "AUDIENCE")]
    if not all(issuer_and_audience):
        front_end = env.str("BETTER_AUTH_URL", "")
        if not front_end:
            raise ImproperlyConfigured(
                "BETTER_AUTH_JWKS_URL needs BETTER_AUTH_ISSUER and BETTER_AUTH_AUDIENCE, or"
                " BETTER_AUTH_URL as the default of both."
            )
        default = origin("BETTER_AUTH_URL", front_end)
        issuer_and_audience = [given or default for given in issuer_and_audience]
    return (url, *issuer_and_audience)

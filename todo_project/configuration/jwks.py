"""The settings for verifying tokens with the issuer's public keys (JWKS)."""

from urllib.parse import urlsplit

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
    given_url = env.str("BETTER_AUTH_JWKS_URL", "")
    if not given_url:
        return ()
    url = _url_of_keys(given_url)
    issuer_and_audience = [env.str(f"BETTER_AUTH_{name}", "") for name in ("ISSUER", "AUDIENCE")]
    if not all(issuer_and_audience):
        front_end = env.str("BETTER_AUTH_URL", "")
        if not front_end or "," in front_end:
            raise ImproperlyConfigured(
                "BETTER_AUTH_JWKS_URL needs BETTER_AUTH_ISSUER and BETTER_AUTH_AUDIENCE, or a"
                " single BETTER_AUTH_URL as the default of both."
            )
        default = origin("BETTER_AUTH_URL", front_end)
        issuer_and_audience = [given or default for given in issuer_and_audience]
    return (url, *issuer_and_audience)


def _url_of_keys(given: str) -> str:
    """Return the URL with its host as browsers write it.

    Python's own codec would fetch the keys of another host: those of ``strasse.example`` for
    ``straße.example``.

    Raises:
        ImproperlyConfigured: ``urllib`` cannot fetch the URL, or it has no path.
    """
    refusal = ImproperlyConfigured(
        "BETTER_AUTH_JWKS_URL must be a URL such as https://app.example.com/api/auth/jwks, with a"
        " path in ASCII, and without blanks, quotes and a user."
    )
    try:
        scheme, _, host = origin("BETTER_AUTH_JWKS_URL", given).partition("://")
    except ImproperlyConfigured:
        raise refusal from None
    parts = urlsplit(given)._replace(scheme=scheme, netloc=host, fragment="")
    url = parts.geturl()
    has_path = parts.path.strip("/") and "://" not in parts.path  # a list of URLs
    if not (has_path and url.isascii() and url.isprintable()):
        raise refusal
    return url

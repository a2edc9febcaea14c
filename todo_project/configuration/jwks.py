"""The settings of the issuer's public keys."""

from django.core.exceptions import ImproperlyConfigured
from environs import Env

from todo_project.configuration.origins import origin


def jwks_settings(env: Env) -> tuple[str, ...]:
    """Read where the issuer's public keys are, and who must have signed for whom.

    Args:
        env: with ``BETTER_AUTH_JWKS_URL``, ``BETTER_AUTH_ISSUER``, ``BETTER_AUTH_AUDIENCE`` and
            ``BETTER_AUTH_URL``, whose origin is the default of the two before it: that is what
            Better Auth writes into its tokens.

    Returns:
        The URL, the issuer and the audience; nothing where no URL is set.

    Raises:
        ImproperlyConfigured: the URL is none, or nobody says who the issuer is.

    Source: issue "Real Better Auth", JWKS.
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
    parties = [env.str(f"BETTER_AUTH_{name}", "") for name in ("ISSUER", "AUDIENCE")]
    if not all(parties):
        front_end = env.str("BETTER_AUTH_URL", "")
        if not front_end:
            raise ImproperlyConfigured(
                "BETTER_AUTH_JWKS_URL needs BETTER_AUTH_ISSUER and BETTER_AUTH_AUDIENCE, or"
                " BETTER_AUTH_URL to stand for both."
            )
        default = origin("BETTER_AUTH_URL", front_end)
        parties = [party or default for party in parties]
    return (url, *parties)

"""Which origins a browser may call us from."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env

DEFAULT_PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")  # of a URL, in lower case


def origin(variable: str, url: str) -> str:
    """Return a URL's origin as a browser writes it.

    Args:
        variable: the name of the environment variable, for the message.
        url: ``scheme://host[:port]``; a path or slash after it is ignored.

    Returns:
        ``scheme://host[:port]`` in lower case, without the scheme's own port.

    Raises:
        ImproperlyConfigured: it is ``*``, ``null`` or no http(s) URL.

    Source: contract.md "Cross-origin"; RFC 6454 §6.2; FR-019.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
        name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    except ValueError:
        name = ""
    if not HOST.fullmatch(name) or parts.scheme not in DEFAULT_PORTS:
        raise ImproperlyConfigured(
            f"{variable} must hold origins such as https://app.example.com, separated by commas;"
            " * and null would let every page in."
        )
    suffix = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{name}{suffix}"


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

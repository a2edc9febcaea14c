"""Origins (docs/contract.md, "Cross-origin"; RFC 6454, section 6.2; FR-019)."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from todo_project.configuration.origins import origin

ORIGINS = {
    "https://app.example.com": "https://app.example.com",
    "https://app.example.com/": "https://app.example.com",
    "https://app.example.com/api/auth?x=1#y": "https://app.example.com",
    " https://app.example.com ": "https://app.example.com",
    "HTTPS://App.Example.COM": "https://app.example.com",
    "https://app.example.com:443": "https://app.example.com",
    "http://app.example.com:80/": "http://app.example.com",
    "https://app.example.com:80": "https://app.example.com:80",
    "http://localhost:3000": "http://localhost:3000",
    "http://localhost:03000": "http://localhost:3000",
    "http://[::1]:3000": "http://[::1]:3000",
    "http://web_1.internal-net:3000": "http://web_1.internal-net:3000",
    "https://bücher.example": "https://xn--bcher-kva.example",
    "https://user:password@app.example.com": "https://app.example.com",
}
REFUSED = [
    *("*", "null", "https://*", "https://*.example.com", "http://a;http://b"),
    *("http://a.example http://b.example", "https://a.example|https://b.example"),
    *("https://a_example%2Ecom", "https://a..example.com", f"https://{'a' * 64}.example.com"),
    *("app.example.com", "localhost:3000", "//app.example.com", "https://", "https:///path"),
    *("https://:3000", "https://app.example.com:port", "https://app.example.com:99999"),
    *("https://[::1", "ftp://app.example.com", "file:///etc", "chrome-extension://abc"),
]


def test_an_origin_is_serialised_as_by_a_browser() -> None:
    """Only scheme, host and port may be kept (docs/contract.md, "Cross-origin")."""
    assert {url: origin("BETTER_AUTH_URL", url) for url in ORIGINS} == ORIGINS


@pytest.mark.parametrize("url", REFUSED)
def test_an_invalid_origin_is_an_error_that_names_the_variable(url: str) -> None:
    """A value that would match no origin, or every origin, must be refused."""
    with pytest.raises(ImproperlyConfigured, match=r"^ALLOWED_ORIGINS must hold origins"):
        origin("ALLOWED_ORIGINS", url)

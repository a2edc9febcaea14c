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
    # IDNA 2008 and UTS 46, non-transitional: Python's own codec would write strasse.example
    "https://straße.example": "https://xn--strae-oqa.example",
    "https://xn--strae-oqa.example": "https://xn--strae-oqa.example",
    "https://STRASSE.example": "https://strasse.example",
    "https://ａｐｐ。example": "https://app.example",
    # not IDNA 2008, but names that browsers send
    "https://xn--53h.example": "https://xn--53h.example",
    "https://r3---a.example": "https://r3---a.example",
    "http://[0:0:0:0:0:0:0:1]:3000": "http://[::1]:3000",
    "http://[2001:DB8::0:1]": "http://[2001:db8::1]",
    "http://[1:0:0:2:0:0:0:3]": "http://[1:0:0:2::3]",
    "http://[::ffff:127.0.0.1]:3000": "http://[::ffff:7f00:1]:3000",
    "http://127.0.0.1:3000": "http://127.0.0.1:3000",
    "http://1.2.3.4a": "http://1.2.3.4a",
    # words that are mistakes by themselves only
    "https://https.example.com": "https://https.example.com",
    "http://http-proxy:3000": "http://http-proxy:3000",
    "https://undefined.example": "https://undefined.example",
    "https://nullable": "https://nullable",
}
# Values, and the end of the message
REFUSED = {
    **dict.fromkeys(["*", "null", "https://*", "https://*.example.com"], "null are refused"),
    **dict.fromkeys(["http://localhost:*", "*.example.com"], "null are refused"),
    **dict.fromkeys(["http://a;http://b", "https://a.example|https://b.example"], "between them"),
    **dict.fromkeys(["http://a.example http://b.example", "https://a\tb"], "commas between them"),
    **dict.fromkeys(['"https://a.example', "'https://a.example'"], "quotes and brackets"),
    **dict.fromkeys(["[https://a.example", "https://[::1]a.example"], "quotes and brackets"),
    **dict.fromkeys(["app.example.com", "localhost:3000", "//app.example.com"], "https:// once"),
    **dict.fromkeys(["ftp://a.example", "file:///etc", "chrome-extension://abc"], "https:// once"),
    **dict.fromkeys(["https:/a.example", "https://https://a.example"], "https:// once"),
    **dict.fromkeys(["http://https//app.example.com", "https://http/", "http://https"], "// once"),
    **dict.fromkeys(["https://HTTPS//a.example", "http://https://a", "http://https:3000"], "once"),
    **dict.fromkeys(["https://undefined", "https://null/", "HTTPS://Undefined:3000"], "in each"),
    **dict.fromkeys(["http://none/api/auth", "https://-", "https://true"], "of a host in each"),
    **dict.fromkeys(["https://user:pass@a.example", "http://user@[::1]"], "user and a password"),
    **dict.fromkeys(["https://a_example%2Ecom", "https://a.example\\b"], "between single dots"),
    **dict.fromkeys(["https://a..example.com", "https://a.example.com."], "between single dots"),
    **dict.fromkeys(["https://", "https:///path", "https://:3000"], "between single dots"),
    f"https://{'a' * 64}.example.com": "between single dots",
    **dict.fromkeys(["https://☕.example", "https://ü_x.example"], "in their xn-- form"),
    **dict.fromkeys(["http://127.1", "http://0x7f.1", "http://2130706433"], "127.0.0.1 or [::1]"),
    **dict.fromkeys(["http://1.2.3.4.5", "http://a.123", "http://1.2.3.04"], "127.0.0.1 or [::1]"),
    **dict.fromkeys(["https://[::1", "https://[fe80::1%25eth0]"], "127.0.0.1 or [::1]"),
    **dict.fromkeys(["https://[1:2]", "https://a.example]"], "127.0.0.1 or [::1]"),
    **dict.fromkeys(["https://a.example:port", "https://a.example:99999"], "from 1 to 65535"),
    **dict.fromkeys(["https://a.example:0", "https://a.example:-1"], "from 1 to 65535"),
}


def test_an_origin_is_serialised_as_by_a_browser() -> None:
    """Only scheme, host and port may be kept (docs/contract.md, "Cross-origin")."""
    assert {url: origin("BETTER_AUTH_URL", url) for url in ORIGINS} == ORIGINS


@pytest.mark.parametrize("url", REFUSED)
def test_an_invalid_origin_is_an_error_that_says_what_would_be_right(url: str) -> None:
    """A value that would match no origin, or every origin, must be refused."""
    with pytest.raises(ImproperlyConfigured) as refused:
        origin("ALLOWED_ORIGINS", url)

    message = str(refused.value)
    assert message.startswith("ALLOWED_ORIGINS must hold origins such as https://app.example.com, ")
    assert message.endswith(f"{REFUSED[url]}.")

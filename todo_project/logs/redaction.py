"""Masks secrets in log lines, including those that exceptions, libraries and the server quote.

Source: docs/contract.md, "The plan's requirements", FR-017.
"""

import re

MASK = "***"
MIN_LENGTH = 8  # characters; masking a shorter secret would also hide harmless text

MAX_LENGTH = 32 * 1024  # characters; what follows is cut

# Each match is replaced by its group and the mask. Clients can influence the text, so the time must
# be linear in its length.
PATTERNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"()(?<![A-Za-z0-9])eyJ[\w.-]+",  # a JWT: its header is a JSON object in Base64
        r"((?:\bbearer|\bbasic|authorization['\"]?\s*[:=]\s*['\"]?\w+)\s+)[^\s'\",]+",
        r"\b((?:set-)?cookie['\"]?\s*[:=]\s*['\"]?)[^'\"\r\n]+",
        r"((?:authorization|password|secret|token|sessionid|csrftoken)['\"]?\s*[:=]\s*['\"]?)"
        r"(?!(?:bearer|basic)\s)[^\s'\",;&]+",
        r"(://[^\s:/@]*:)[^\s/]+(?=@)",  # the password in a URL
        r"((?<![^\s'\"?])[^\s'\"?/]*/[^\s'\"?]*\?)\S+",  # a query string
    )
]

_hidden: list[str] = []  # the longest first: one may be a part of another


def hide(*secrets: str) -> None:
    """Mask these values wherever they occur, unless they are shorter than ``MIN_LENGTH``."""
    found = {*_hidden, *(secret for secret in secrets if len(secret) >= MIN_LENGTH)}
    _hidden[:] = sorted(found, key=len, reverse=True)


def redacted(text: str) -> str:
    """Return the text with the hidden values and everything that a pattern matches masked.

    A text above ``MAX_LENGTH`` is cut, at white space: a part of a secret would not be recognised.
    """
    for secret in _hidden:
        text = text.replace(secret, MASK)
    if len(text) > MAX_LENGTH:
        kept = "".join(text[:MAX_LENGTH].rsplit(maxsplit=1)[:-1])
        text = f"{kept} … {len(text) - len(kept)} more characters"
    for pattern in PATTERNS:
        text = pattern.sub(rf"\1{MASK}", text)
    return text

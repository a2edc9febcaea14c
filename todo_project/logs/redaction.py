"""Masks secrets in log lines, including those that exceptions, libraries and the server quote.

Source: docs/contract.md, "The plan's requirements", FR-017.
"""

import re

MASK = "***"
MIN_LENGTH = 8  # characters; masking a shorter secret would also hide harmless text

# Each match is replaced by its group and the mask.
PATTERNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"()(?<![A-Za-z0-9])eyJ[\w.-]+",  # a JWT: its header is a JSON object in Base64
        r"((?:\bbearer|\bbasic|authorization['\"]?\s*[:=]\s*['\"]?\w+)\s+)[^\s'\",]+",
        r"\b((?:set-)?cookie['\"]?\s*[:=]\s*['\"]?)[^'\"\r\n]+",
        r"((?:authorization|password|secret|token|sessionid|csrftoken)['\"]?\s*[:=]\s*['\"]?)"
        r"(?!(?:bearer|basic)\s)[^\s'\",;&]+",
        r"(://[^\s:/@]*:)[^\s/]+(?=@)",  # the password in a URL
        r"(/[^\s'\"?]*\?)\S+",  # a query string
    )
]

_hidden: set[str] = set()


def hide(*secrets: str) -> None:
    """Mask these values wherever they occur, unless they are shorter than ``MIN_LENGTH``."""
    _hidden.update(secret for secret in secrets if len(secret) >= MIN_LENGTH)


def redacted(text: str) -> str:
    """Return the text with the hidden values and everything that a pattern matches masked."""
    for secret in _hidden:
        text = text.replace(secret, MASK)
    for pattern in PATTERNS:
        text = pattern.sub(rf"\1{MASK}", text)
    return text

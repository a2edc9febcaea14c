"""What must not stand in the log, whoever quotes it: an exception, a library, the server.

Our own lines do not have it in the first place; this is for what others write.

Source: FR-017.
"""

import re

MASK = "***"
MIN_LENGTH = 8  # characters; a shorter one would also hide what only looks like it

# Each is replaced by what its group holds, and the mask.
PATTERNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"()(?<![A-Za-z0-9])eyJ[\w.-]+",  # a JWT: its header is a JSON object, in base 64
        r"((?:\bbearer|\bbasic|authorization['\"]?\s*[:=]\s*['\"]?\w+)\s+)[^\s'\",]+",
        r"\b((?:set-)?cookie['\"]?\s*[:=]\s*['\"]?)[^'\"\r\n]+",
        r"((?:authorization|password|secret|token|sessionid|csrftoken)['\"]?\s*[:=]\s*['\"]?)"
        r"(?!(?:bearer|basic)\s)[^\s'\",;&]+",
        r"(://[^\s:/@]*:)[^\s/]+(?=@)",  # the password of a URL
        r"(/[^\s'\"?]*\?)\S+",  # the query of a path
    )
]

_hidden: set[str] = set()


def hide(*secrets: str) -> None:
    """Never show these values, wherever they occur."""
    _hidden.update(secret for secret in secrets if len(secret) >= MIN_LENGTH)


def redacted(text: str) -> str:
    """Return a text with a mask in the place of each secret."""
    for secret in _hidden:
        text = text.replace(secret, MASK)
    for pattern in PATTERNS:
        text = pattern.sub(rf"\1{MASK}", text)
    return text

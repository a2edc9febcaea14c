"""Finds the secrets in a database URL, so that the log can mask them.

A malformed URL has them elsewhere than its author thinks, so that every reading of it counts.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from todo_project.configuration.sqlite_url import SCHEME as SQLITE
from todo_project.configuration.url_mistakes import doubtful_name

# A name and a value, of a URL or of libpq's keyword form
OPTION = re.compile(r"(?<![^?&\s])([^=&?\s]+)\s*=\s*('[^']*'|[^&\s]+)")
# In the names of options with secrets; in `options`, Neon takes an endpoint's password.
SECRET_NAMES = ("password", "passwd", "pwd", "secret", "key", "options")
NAME_DELIMITER = re.compile(r"[:/?,]")
# What cuts a password, and separates it from the endpoint in Neon's endpoint=name;password
PASSWORD_DELIMITER = re.compile(r"[:/?#@&;$=]")
# Words of the log; hiding them would mask half of it, even if one is the password
WORDS = frozenset({"postgres", "postgresql", "password", "database", "localhost"})


def secret_parts(url: str) -> set[str]:
    """Return every part of a database URL that may be a secret, as it is written and decoded.

    The user, the host and the name of the database are none, and neither is a password that
    equals one of them: the log shows them. A name is one if the URL does not name a user.

    Args:
        url: what a variable contains, also if it is no URL.
    """
    if url.strip().lower().startswith(SQLITE):
        return set()
    _, scheme, rest = url.partition("://")
    credentials, _, location = rest.rpartition("@")  # also of a password with / or @
    user, _, password = credentials.partition(":")
    name = doubtful_name(url)
    names = location.partition("?")[0].removesuffix(name)
    known = {user, *NAME_DELIMITER.split(names), *WORDS}
    if not scheme:
        password, known = url, set(WORDS)
    parts = (*_secrets(rest or url, password), name, *PASSWORD_DELIMITER.split(unquote(name)))
    found = {part for text in parts for part in (text, unquote(text))}
    return found - known - {unquote(each) for each in known} - {""}


def _secrets(rest: str, password: str) -> Iterator[str]:
    yield password
    if password:
        yield rest.rpartition("@")[0]
    yield from PASSWORD_DELIMITER.split(password)
    for name, value in OPTION.findall(rest):
        if any(each in name.lower() for each in SECRET_NAMES):
            yield value.strip("'")
            yield from PASSWORD_DELIMITER.split(value.strip("'"))
